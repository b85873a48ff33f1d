#!/usr/bin/env bash
# Install the tools that build the lab, where they are missing. QEMU, the kernel and
# libvirt are none of them: those lie in the lab's own folder and run from there.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
    printf '%s\n' "sundog lab: $*" >&2
    exit 1
}

# Print "package: why" for each Debian package that is missing.
missing_packages() {
    command -v mmdebstrap >/dev/null ||
        echo "mmdebstrap: unpacks the lab host's Debian 13 into the lab's folder"
    command -v sqfstar >/dev/null ||
        echo "squashfs-tools: packs it into the file that the lab host starts from"
    if [ "$(id -u)" != 0 ] && ! command -v newuidmap >/dev/null; then
        echo "uidmap: lets you unpack it without being root"
    fi
}

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
apt() { as_root env DEBIAN_FRONTEND=noninteractive apt-get -q "$@" >.state/lab-install.log 2>&1; }

reasons=$(missing_packages)
[ -n "$reasons" ] || exit 0
mkdir -p .state
names=$(cut -d: -f1 <<<"$reasons" | tr '\n' ' ')
command -v apt-get >/dev/null || fail "this is not Debian; install the equivalent of: $names"
echo "sundog lab: Debian packages are missing; apt-get installs them:"
sed 's/^/  /' <<<"$reasons"
# shellcheck disable=SC2086  # the names are words to split
apt install -y --no-install-recommends $names || {
    apt update || fail "'apt-get update' failed; the reason is in .state/lab-install.log"
    # shellcheck disable=SC2086  # as above
    apt install -y --no-install-recommends $names ||
        fail "apt-get could not install $names; the reason is in .state/lab-install.log"
}
