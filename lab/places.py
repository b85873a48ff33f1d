"""Where the lab keeps its files: what was built, and what one lab host needs."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Built:
    """What is built once, in the project's cache folder."""

    folder: Path = ROOT / ".cache" / "lab"

    @property
    def tree(self) -> Path:
        """A Debian 13 tree: the lab host's programs, and what builds and runs it."""
        return self.folder / "tree"

    @property
    def debian(self) -> Path:
        """The tree's part that the lab host runs from, as a squashfs."""
        return self.folder / "debian.sq"

    @property
    def python(self) -> Path:
        """Sundog's dependencies, for the lab host's Python."""
        return self.folder / "python"

    @property
    def layer(self) -> Path:
        """What is ours, over Debian's: modules, dependencies, boot scripts."""
        return self.folder / "layer.sq"

    @property
    def initrd(self) -> Path:
        """What the kernel starts with: it puts the layers together."""
        return self.folder / "initrd.gz"

    @property
    def share(self) -> Path:
        """A folder that every lab host sees as /lab."""
        return self.folder / "share"

    @property
    def kernel(self) -> Path:
        """The tree's kernel."""
        return self.folder / "vmlinuz"


@dataclass(frozen=True, slots=True)
class Place:
    """The files of one lab host, by its name."""

    folder: Path

    @property
    def pid(self) -> Path:
        """The process that emulates it."""
        return self.folder / "pid"

    @property
    def port(self) -> Path:
        """The loopback port that leads to port 8774 in it."""
        return self.folder / "port"

    @property
    def console(self) -> Path:
        """What its kernel and its first process say."""
        return self.folder / "console.log"

    @property
    def agent(self) -> Path:
        """The socket of its guest agent."""
        return self.folder / "agent.sock"

    @property
    def shell(self) -> Path:
        """The socket of its root shell."""
        return self.folder / "shell.sock"

    @property
    def monitor(self) -> Path:
        """The socket of QEMU's monitor."""
        return self.folder / "monitor.sock"

    @property
    def boots(self) -> Path:
        """How each boot went, one line each."""
        return self.folder / "boots.log"

    @property
    def disk(self) -> Path:
        """The disk that survives a reboot."""
        return self.folder / "disk.img"


def place(name: str = "") -> Place:
    """Return a lab host's files; LAB_NAME in the environment names another one."""
    return Place(ROOT / ".state" / "lab" / (name or os.environ.get("LAB_NAME", "lab")))
