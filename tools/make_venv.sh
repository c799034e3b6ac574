#!/usr/bin/env bash
# Makes the virtual environment and installs the project with the committed versions.
# Usage: tools/make_venv.sh PYTHON FOLDER
set -euo pipefail
python=$1
folder=$2

fail() {
  printf '%s\n' "$@" >&2
  exit 1
}

has_venv() { "$python" -c 'import ensurepip, venv' 2>/dev/null; }

install_venv_module() {
  # Debian and Ubuntu ship the venv module apart
  local package
  package="$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing $package ..."
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$package" >/dev/null; } || true
    has_venv || fail "Python's venv module is missing and $package could not be installed."
  else
    fail "Python's venv module is missing: sudo apt-get install $package"
  fi
}

if [ -z "$python" ]; then
  fail "Python 3.11 or newer is needed (Debian, Ubuntu: sudo apt-get install python3 python3-venv)."
fi
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
  fail "$python is no Python 3.11 or newer."
fi
has_venv || install_venv_module

version='import sys; print(sys.version_info[:2])'
if [ -e "$folder" ] && [ "$("$folder/bin/python" -c "$version" 2>/dev/null)" != "$("$python" -c "$version")" ]; then
  # made by another Python, or half made
  rm -rf -- "$folder"
fi

echo "Installing into $folder (the first time about a minute) ..."
"$python" -m venv "$folder"
log="$folder/install.log"
if ! "$folder/bin/python" -m pip install --disable-pip-version-check --constraint constraints.txt \
  --editable '.[dev]' >"$log" 2>&1; then
  tail -n 15 "$log" >&2
  fail "" "The packages could not be installed; the whole log is $log." \
    "Without a connection to the package index there is no first installation; run make again when there is one."
fi
