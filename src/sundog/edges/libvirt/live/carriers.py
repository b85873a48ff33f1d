"""How a running guest gets to another host."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from sundog.core.errors import CancelledError, HostRefusedError
from sundog.core.lives.guest import GuestState
from sundog.edges.libvirt.guest_states import state_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from sundog.core.guest_config import GuestConfig
    from sundog.edges.libvirt.guest_states import Domain
    from sundog.workflows.moves.ports import Crossing


class Carrier(Protocol):
    """Carries guests of one host to others."""

    def carry(
        self, domain: Domain, config: GuestConfig, dest: str, crossing: Crossing
    ) -> None:
        """Carry a guest to ``dest``, where it is what ``config`` says.

        Raises HostRefusedError or CancelledError; the guest then is where it was.
        """
        ...


class Receiver(Protocol):
    """Guests of the host that one is carried to."""

    def start(self, config: GuestConfig) -> None:
        """Define and start a guest."""
        ...

    def pause(self, consumer: UUID) -> None:
        """Stop a running guest's CPUs."""
        ...


class NoCarrier:
    """For a host that has no other to send guests to."""

    def carry(
        self,
        domain: Domain,  # noqa: ARG002 - the protocol's signature
        config: GuestConfig,  # noqa: ARG002 - same
        dest: str,
        crossing: Crossing,  # noqa: ARG002 - same
    ) -> None:
        """Refuse."""
        raise HostRefusedError(f"there is no way for running guests to host {dest}")


@dataclass(slots=True)
class TestDriverCarrier:
    """Between hosts of libvirt's test driver, which cannot migrate.

    ``peers`` are the other hosts by name. A crossing takes ``seconds``, in which it
    may be aborted; it then ends here and starts there.
    """

    peers: dict[str, Receiver] = field(default_factory=dict)
    seconds: float = 0.0
    wait: Callable[[float], None] = time.sleep

    def carry(
        self, domain: Domain, config: GuestConfig, dest: str, crossing: Crossing
    ) -> None:
        """Wait as long as it takes, then start it there and end it here."""
        left, step = self.seconds, 0.01
        while left > 0 and not crossing.hurry.is_set():
            if crossing.abort.is_set():
                raise CancelledError(f"The migration to {dest} was aborted.")
            self.wait(step)
            left -= step
        peer = self.peers.get(dest)
        if peer is None:
            raise HostRefusedError(f"there is no way for running guests to host {dest}")
        if crossing.abort.is_set():
            raise CancelledError(f"The migration to {dest} was aborted.")
        is_paused = state_of(domain) is GuestState.PAUSED
        peer.start(config)
        if is_paused:
            peer.pause(config.uuid)
        domain.destroy()
        domain.undefine()
