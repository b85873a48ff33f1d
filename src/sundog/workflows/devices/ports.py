"""What a host's agent needs of its host, by name; wiring says which edge fills it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from sundog.core.choosing.assignment import DeviceShare
    from sundog.core.devices.device import Source
    from sundog.core.devices.pci_address import PciAddress
    from sundog.core.guest_config import ConfigDevice, GuestConfig
    from sundog.core.hosts.host_snapshot import HostFacts
    from sundog.core.lives.figures import GuestFigures
    from sundog.core.lives.guest import GuestState
    from sundog.workflows.moves.ports import Crossing


class HostReader(Protocol):
    """Reads a host."""

    def scan(self) -> HostFacts:
        """Return what is there now; what cannot be read is told.

        Raises UnavailableError when the host as a whole cannot be read.
        """
        ...


class Cleaner(Protocol):
    """Runs what cleans a device."""

    def clean(self, command: Sequence[str], host: str, address: PciAddress) -> str:
        """Run a command for a device; returns why it failed, or nothing."""
        ...


class DeviceBench(Protocol):
    """Makes devices ready for guests and takes them back, each write read back."""

    def make_ready(self, consumer: UUID, share: DeviceShare) -> None:
        """Make one device ready (an mdev is made); done twice is done once.

        Raises HostRefusedError with the reason, and leaves nothing behind.
        """
        ...

    def free(self, consumer: UUID, share: DeviceShare) -> None:
        """Give one device back (our mdev is removed); not there is fine."""
        ...

    def enable_vfs(self, wanted: Mapping[PciAddress, int]) -> Mapping[PciAddress, str]:
        """Enable VFs of PFs that have none: PF address to their number.

        Returns why not, by each PF that refused.
        """
        ...


class Guests(Protocol):
    """Guests of one host's libvirt."""

    def start(self, config: GuestConfig) -> None:
        """Define and start a guest; raises HostRefusedError and leaves nothing."""
        ...

    def stop(self, consumer: UUID) -> None:
        """Stop and undefine a guest; not there is fine."""
        ...

    def state(self, consumer: UUID) -> GuestState:
        """Return how a guest is now."""
        ...

    def power_off(self, consumer: UUID, grace_seconds: float = 0.0) -> None:
        """End a guest and keep its definition; saved memory is dropped.

        With grace it is asked to shut down first, and ended when it did not.
        """
        ...

    def pause(self, consumer: UUID) -> None:
        """Stop a running guest's CPUs."""
        ...

    def unpause(self, consumer: UUID) -> None:
        """Let a paused guest go on."""
        ...

    def save(self, consumer: UUID) -> None:
        """Detach a running guest's devices and put its memory on disk.

        Raises HostRefusedError; the guest then runs on with its devices.
        """
        ...

    def restore(self, consumer: UUID) -> None:
        """Start a saved guest from its memory and attach its devices again.

        Raises HostRefusedError; the guest then is as libvirt left it.
        """
        ...

    def send(self, config: GuestConfig, dest: str, crossing: Crossing) -> None:
        """Send a running guest to another host, where it is what ``config`` says.

        It keeps its state, running or paused. Raises HostRefusedError, or
        CancelledError when it was aborted; the guest then is here as it was.
        """
        ...

    def running(self) -> frozenset[UUID]:
        """Return the consumers whose guests run."""
        ...

    def devices(self) -> Mapping[UUID, frozenset[Source]]:
        """Return what each running guest of ours has, as libvirt tells it now."""
        ...

    def holders(self) -> Mapping[Source, UUID]:
        """Return which running guest, ours or not, has which function or mdev."""
        ...

    def attach(self, consumer: UUID, devices: Sequence[ConfigDevice]) -> None:
        """Plug devices into a running guest and read back that it has them.

        One that it has already is fine. Raises HostRefusedError; it may then have
        some of them.
        """
        ...

    def detach(
        self, consumer: UUID, devices: Sequence[ConfigDevice], patience: float
    ) -> frozenset[str]:
        """Ask a guest to let go of devices, and wait for so many seconds.

        Returns the slots of those that libvirt says it has no more; not there is
        fine, and so is asking again. Raises NotAskedError where libvirt refuses to
        ask for a device; the guest then keeps it.
        """
        ...

    def figures(self, consumer: UUID) -> GuestFigures:
        """Return what a running guest takes of the host; raises HostRefusedError."""
        ...


class Consoles(Protocol):
    """What guests say on their consoles."""

    def console(self, consumer: UUID) -> str | None:
        """Return what a guest said, the last of it, None where it has no console."""
        ...
