"""VFs: found, not made one by one; their PF must still be theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sundog.core.errors import HostRefusedError
from sundog.edges.libvirt.kinds.pci_function import WholeFunction

if TYPE_CHECKING:
    from uuid import UUID

    from sundog.core.choosing.assignment import DeviceShare
    from sundog.edges.libvirt.kinds.kind import Site


class VirtualFunction(WholeFunction):
    """A VF under the PF that it was chosen under."""

    def make_ready(self, site: Site, consumer: UUID, share: DeviceShare) -> None:
        """Check the PF too: a VF renumbered under another PF is another device."""
        super().make_ready(site, consumer, share)
        parent = site.function(share.address).parent
        if parent != share.card:
            raise HostRefusedError(
                f"{share.address} was chosen as a VF of {share.card} but is one of "
                f"{parent} now"
            )
        site.function(share.card)
