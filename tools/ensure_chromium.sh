#!/usr/bin/env bash
# Installs the system's Chromium for the browser tests where it is missing and can be installed.
# Without it those tests are skipped by name, and fail in CI.
set -euo pipefail

for name in chromium chromium-browser google-chrome; do
  if command -v "$name" >/dev/null; then exit 0; fi
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "Installing Chromium for the browser tests (once, about a minute) ..."
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; } ||
    echo "Chromium could not be installed; the browser tests will say so." >&2
else
  echo "Chromium is missing, so the browser tests will be skipped: sudo apt-get install chromium" >&2
fi
