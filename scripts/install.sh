#!/usr/bin/env bash
# Install what Sundog needs on Debian 12 or 13: a few Debian packages, where they are
# missing, and a Python environment in .venv with the versions of constraints.txt.
# A second run costs nothing: a stamp remembers what was installed, and where.
set -euo pipefail
cd "$(dirname "$0")/.."

stamp=.venv/.installed
log=.state/install.log

say() { printf '%s\n' "sundog install: $*"; }
fail() {
    printf '%s\n' "sundog install: $*" >&2
    exit 1
}

# The folder is part of it: an environment does not survive being moved.
wanted() { { pwd && cat pyproject.toml constraints.txt scripts/install.sh; } | sha256sum; }

installed() {
    [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$(wanted)" ] &&
        .venv/bin/python -c '' 2>/dev/null
}

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
    local candidate
    for candidate in /usr/bin/python3 python3 python3.13 python3.12 python3.11; do
        if new_enough "$candidate"; then
            echo "$candidate"
            return
        fi
    done
}

has_header() {
    "$1" -c 'import os, sys, sysconfig
header = os.path.join(sysconfig.get_paths()["include"], "Python.h")
sys.exit(not os.path.exists(header))'
}

# Print "package: why" for each Debian package that is missing.
missing_packages() {
    local python
    python=$(find_python)
    [ -n "$python" ] || echo "python3: Sundog is written in Python 3.11 or newer"
    if [ -z "$python" ] || ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        echo "python3-venv: Python packages go into .venv, not into the system"
    fi
    if [ -z "$python" ] || ! has_header "$python"; then
        echo "python3-dev: libvirt's Python binding is compiled here"
    fi
    command -v gcc >/dev/null || echo "gcc: libvirt's Python binding is compiled here"
    command -v pkg-config >/dev/null || echo "pkg-config: finds libvirt for the compiler"
    if ! pkg-config --exists libvirt 2>/dev/null; then
        echo "libvirt-dev: the library that starts guests, and its headers"
    fi
    command -v make >/dev/null || echo "make: runs the targets of the Makefile"
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

apt() { as_root env DEBIAN_FRONTEND=noninteractive apt-get -q "$@" >>"$log" 2>&1; }

install_packages() {
    local reasons names
    reasons=$(missing_packages)
    [ -n "$reasons" ] || return 0
    names=$(cut -d: -f1 <<<"$reasons" | tr '\n' ' ')
    command -v apt-get >/dev/null ||
        fail "this is not Debian; install the equivalent of: $names"
    [ "$(id -u)" = 0 ] || command -v sudo >/dev/null ||
        fail "sudo is missing; as root, run: apt-get install -y $names"
    say "Debian packages are missing; apt-get installs them$(
        [ "$(id -u)" = 0 ] || echo ' (with sudo, which may ask for your password)'
    ):"
    sed 's/^/  /' <<<"$reasons"
    # shellcheck disable=SC2086  # the names are words to split
    if ! apt install -y --no-install-recommends $names; then
        say "the package lists are old or absent; apt-get updates them first"
        apt update || fail "'apt-get update' failed; the reason is in $log"
        # shellcheck disable=SC2086  # as above
        apt install -y --no-install-recommends $names ||
            fail "apt-get could not install $names; the reason is in $log"
    fi
    reasons=$(missing_packages)
    [ -z "$reasons" ] || fail "still missing after apt-get: $(cut -d: -f1 <<<"$reasons" | tr '\n' ' ')"
}

# Show pip's progress as one line that counts (in a terminal) or a line now and then.
count_progress() {
    local line count=0
    while IFS= read -r line; do
        case $line in Collecting* | *Building* | Installing*) ;; *) continue ;; esac
        count=$((count + 1))
        if [ -t 1 ]; then
            printf '\r\033[K  %3d  %.60s' "$count" "$line"
        elif [ $((count % 25)) = 0 ]; then
            printf '  %3d  %.60s\n' "$count" "$line"
        fi
    done
    [ ! -t 1 ] || printf '\r\033[K'
}

install_python() {
    local python
    python=$(find_python)
    say "Python packages go into .venv ($("$python" --version)); about a minute"
    if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
        rm -rf .venv
        "$python" -m venv .venv >>"$log" 2>&1 || fail "no .venv could be made; the reason is in $log"
    fi
    .venv/bin/python -m pip install --disable-pip-version-check --progress-bar off \
        -c constraints.txt -e '.[clients,dev]' 2>&1 | tee -a "$log" | count_progress ||
        fail "pip failed: $(grep -hE '^ *(ERROR|error):' "$log" | tail -n 1); all of it is in $log"
}

main() {
    installed && return
    mkdir -p .state
    : >"$log"
    install_packages
    install_python
    wanted >"$stamp"
    say "done"
}

main
