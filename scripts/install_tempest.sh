#!/usr/bin/env bash
# Install Tempest from PyPI into an environment of its own, .cache/tempest: its
# dependencies are none of Sundog's. A stamp makes a second run cost nothing.
set -euo pipefail
cd "$(dirname "$0")/.."

home=.cache/tempest
stamp=$home/.installed
wanted() { { pwd && cat acceptance/constraints.txt scripts/install_tempest.sh; } | sha256sum; }

if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$(wanted)" ] && "$home/bin/python" -c ''; then
    exit
fi
mkdir -p .state
echo "sundog tempest: Tempest goes into $home; about a minute"
"$home/bin/python" -m pip --version >/dev/null 2>&1 || { rm -rf "$home" && .venv/bin/python -m venv "$home"; }
"$home/bin/python" -m pip install -q --disable-pip-version-check \
    -c acceptance/constraints.txt tempest >.state/tempest-install.log 2>&1 || {
    echo "sundog tempest: pip failed; all of it is in .state/tempest-install.log" >&2
    exit 1
}
wanted >"$stamp"
