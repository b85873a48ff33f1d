"""Build what a lab host starts from: Debian 13, the card's module, our layer."""

from __future__ import annotations

import os
import shutil
import subprocess
import tomllib
from typing import TYPE_CHECKING, Final

from lab.machine import in_place
from lab.places import ROOT, Built
from lab.stages import LabError, Stage, build_all, run, say
from lab.topology import ONE_TYPE_CELL

if TYPE_CHECKING:
    from pathlib import Path

_OWN: Final = ROOT / "lab"
_SUITE: Final = "trixie"
# What the lab host never reads, left out of its root.
_BUILD_ONLY: Final = (
    *("boot", "dev", "usr/include", "usr/lib/gcc", "usr/lib/modules"),
    *("usr/libexec/gcc", "usr/src", "var/cache", "var/lib/apt", "var/lib/dpkg/info"),
)
_NO_DOCUMENTS: Final = ("doc", "info", "locale", "man")
# Debian's own binding fits its libvirt and needs no compiler.
_FROM_DEBIAN: Final = frozenset({"libvirt-python"})


def build(built: Built) -> None:
    """Build all that is missing or out of date."""
    built.folder.mkdir(parents=True, exist_ok=True)
    log = built.folder / "build.log"
    log.write_bytes(b"")
    stages = [
        Stage(
            name="debian",
            about="Debian 13 with its kernel, libvirt and QEMU; one to two minutes",
            made_from=(_OWN / "host/packages.txt", *_BUILD_ONLY, _SUITE),
            build=lambda: _debian(built, log),
        ),
        Stage(
            name="python",
            about="Sundog's Python dependencies; half a minute",
            made_from=(ROOT / "constraints.txt", *_dependencies()),
            build=lambda: _python(built, log),
        ),
        Stage(
            name="layer",
            about="the card's module, the payload and the boot scripts; some seconds",
            made_from=(
                *(_OWN / "module", _OWN / "payload", _OWN / "host"),
                _OWN / "build.py",
            ),
            build=lambda: _layer(built, log),
        ),
    ]
    seconds = build_all(stages, built.folder / "stamps")
    if seconds > 1:
        say(f"built in {seconds:.0f} s")
    # Emulated, compiling the checkout takes a minute, and it is read-only there.
    in_tree(built, "python3 -m compileall -q /sundog/src", log)


def in_tree(built: Built, script: str, log: Path) -> None:
    """Run a script in the Debian tree, with the project where the lab host has it."""
    tree = built.tree
    (tree / "sundog").mkdir(exist_ok=True)
    prepare = (
        f"mount --rbind /dev {tree}/dev && mount --rbind /proc {tree}/proc"
        f" && mount --rbind {ROOT} {tree}/sundog"
        f' && exec chroot {tree} /bin/bash -euo pipefail -c "$0"'
    )
    path = "/usr/sbin:/usr/bin:/sbin:/bin"
    unshare = ("unshare", "--mount", "--map-root-user", "bash", "-ec")
    run((*unshare, prepare, script), log, PATH=path, LC_ALL="C.UTF-8")


def _debian(built: Built, log: Path) -> None:
    tar = built.folder / "debian.tar"
    packages = (_OWN / "host/packages.txt").read_text(encoding="utf-8").split()
    hidden = [f"path-exclude=/usr/share/{part}/*" for part in _NO_DOCUMENTS]
    command = [
        *("mmdebstrap", "--variant=minbase", f"--include={','.join(packages)}"),
        '--aptopt=APT::Install-Recommends "false"',
        *(f"--aptopt={option}" for option in _apt_proxies()),
        *(f"--dpkgopt={each}" for each in hidden),
        *(_SUITE, str(tar), _mirror()),
    ]
    # The lab host brings an initial RAM disk of its own.
    run(command, log, **os.environ, INITRD="No")
    _remove_tree(built.tree)
    built.tree.mkdir()
    unpack = ("tar", "-C", str(built.tree), "--exclude=./dev/*", "-xf", str(tar))
    run(unpack, log)
    built.debian.unlink(missing_ok=True)
    pack = "sqfstar -comp lz4 -noI -no-xattrs -no-progress -quiet"
    words = " ".join((pack, str(built.debian), *_BUILD_ONLY))
    run(("bash", "-c", f"exec {words} < {tar}"), log)
    tar.unlink()


def _mirror() -> str:
    """Return the mirror that this machine's own Debian packages come from."""
    told = _said(
        "apt-get",
        "indextargets",
        "--format",
        "$(ORIGIN) $(COMPONENT) $(REPO_URI)",
        "Created-By: Packages",
    )
    for line in told.splitlines():
        origin, _, rest = line.partition(" ")
        component, _, address = rest.partition(" ")
        if origin == "Debian" and component == "main" and "security" not in address:
            return address
    raise LabError("apt knows no Debian mirror here; run 'apt-get update' first")


def _apt_proxies() -> list[str]:
    told = _said("apt-config", "dump")
    return [
        line
        for line in told.splitlines()
        if line.startswith(("Acquire::http::Proxy", "Acquire::https::Proxy"))
    ]


def _said(*command: str) -> str:
    try:
        return subprocess.run(  # noqa: S603  the lab's own commands
            command, capture_output=True, text=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise LabError(f"{command[0]} did not answer: {error}") from error


def _remove_tree(tree: Path) -> None:
    if tree.exists():
        shutil.rmtree(tree)


def _dependencies() -> tuple[str, ...]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    named: list[str] = project["project"]["dependencies"]
    return tuple(name for name in named if name not in _FROM_DEBIAN)


def _python(built: Built, log: Path) -> None:
    _remove_tree(built.python)
    version = next((built.tree / "usr/lib").glob("python3.*")).name
    # The machine's pip and its settings, run by the lab host's Python, so that it is
    # that one's packages which are chosen.
    pip = next((ROOT / ".venv/lib").glob("python3.*")) / "site-packages/pip"
    command = [
        *in_place(built, f"usr/bin/{version}", str(pip), "install"),
        *("--target", str(built.python), "--no-compile", "--no-warn-conflicts"),
        *("--disable-pip-version-check", "--progress-bar", "off", "--quiet"),
        *("--only-binary=:all:", "-c", str(ROOT / "constraints.txt")),
        *_dependencies(),
    ]
    home = str(built.tree / "usr")
    environment = {"PYTHONHOME": home, "_PIP_USE_IMPORTLIB_METADATA": "1"}
    run(command, log, **os.environ, **environment)
    # Emulated, compiling them takes a minute.
    inside = f"/sundog/{built.python.relative_to(ROOT)}"
    in_tree(built, f"{version} -m compileall -q -j 2 {inside} >/dev/null || true", log)


def _layer(built: Built, log: Path) -> None:
    layer = built.folder / "layer"
    _remove_tree(layer)
    layer.mkdir()
    shutil.copy(_OWN / "host/init", layer / "init")
    (layer / "usr/bin").mkdir(parents=True)
    shutil.copy(_OWN / "host/sundog", layer / "usr/bin/sundog")
    (layer / "etc").mkdir()
    (layer / "etc/lab.conf").write_text(
        f"one_type_cell={ONE_TYPE_CELL}\n", encoding="utf-8"
    )
    built.share.mkdir(exist_ok=True)
    shutil.copy(max((built.tree / "boot").glob("vmlinuz-*")), built.kernel)
    in_tree(built, "exec /sundog/lab/host/make-layer", log)
    python = layer / "usr/lib/python3/dist-packages"
    python.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(built.python, python, copy_function=os.link)
    built.layer.unlink(missing_ok=True)
    pack = ("mksquashfs", str(layer), str(built.layer), "-comp", "lz4", "-noI")
    run((*pack, "-all-root", "-no-xattrs", "-no-progress", "-quiet"), log)
