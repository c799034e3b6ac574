#!/usr/bin/env bash
# Makes the virtual environment and installs the project with the committed versions.
# Usage: tools/make_venv.sh PYTHON FOLDER
set -euo pipefail
python=$1
folder=$2

if [ -z "$python" ]; then
  echo "Python 3.11 or newer is needed (Debian, Ubuntu: apt-get install python3 python3-venv)." >&2
  exit 1
fi
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
  # Debian and Ubuntu ship the venv module apart
  package="$(basename "$(readlink -f "$(command -v "$python")")")-venv"
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing $package ..."
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$package" >/dev/null
  else
    echo "Python's venv module is missing: sudo apt-get install $package" >&2
    exit 1
  fi
fi
echo "Installing into $folder ..."
"$python" -m venv "$folder"
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check --constraint constraints.txt \
  --editable '.[dev]'
