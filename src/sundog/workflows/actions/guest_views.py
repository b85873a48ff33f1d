"""What can be seen of guests from outside, as the API asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sundog.core.errors import ConflictError, HostRefusedError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sundog.core.lives.figures import GuestFigures
    from sundog.core.lives.server import Server
    from sundog.workflows.ports import HostAgent


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestBook:
    """What the API may see of guests."""

    agents: Mapping[str, HostAgent]

    def console(self, server: Server, lines: int | None = None) -> str:
        """Return the last lines that a guest said on its console, or all.

        Raises ConflictError for a server on no host, NotFoundError for a guest
        without a console, HostRefusedError.
        """
        text = self._agent(server).console(server.id)
        if text is None:
            raise NotFoundError("Guest does not have a console available.")
        if lines is None:
            return text
        return "\n".join(text.split("\n")[-lines:]) if lines else ""

    def figures(self, server: Server) -> GuestFigures:
        """Return what a guest takes of its host.

        Raises ConflictError for one that does not run, HostRefusedError.
        """
        figures = self._agent(server).figures(server.id)
        if figures is None:
            raise ConflictError(
                f"Cannot 'get_diagnostics' instance {server.id} while its guest does "
                "not run"
            )
        return figures

    def _agent(self, server: Server) -> HostAgent:
        if server.host is None:
            raise ConflictError(f"Instance {server.id} is not ready")
        agent = self.agents.get(server.host)
        if agent is None:
            raise HostRefusedError(f"Host {server.host} is gone.")
        return agent
