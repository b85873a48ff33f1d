"""What the peers answered, read once: seconds, or that they ran away."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

from bench.peers.environment import ask
from bench.table import NOTHING, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.fleet import HostPlan, RequestPlan


@dataclass(frozen=True, kw_only=True)
class Took:
    """How long a peer took; ``over``: it was stopped then. ``found`` counts answers."""

    seconds: float = 0.0
    over: bool = False
    built: float = 0.0
    memory: int = 0
    found: int = 0

    def __str__(self) -> str:
        """Show the time."""
        return f"> {shown(self.seconds)}" if self.over else shown(self.seconds)


@dataclass(frozen=True, kw_only=True)
class Peers:
    """Both peers; ``on`` False asks nobody. ``limit`` bounds each, in seconds."""

    on: bool = True
    limit: float = 20.0

    def nova(
        self,
        hosts: Sequence[HostPlan],
        request: RequestPlan,
        *,
        most: int = 1,
        memory: bool = False,
    ) -> Took | None:
        """Filter hosts for a request, with ``most`` candidates a host."""
        job = _job(hosts, request) | {"job": "choose", "most": most, "memory": memory}
        return self._ask("nova_side.py", job)

    def placement(
        self, hosts: Sequence[HostPlan], request: RequestPlan, *, tuned: bool = False
    ) -> Took | None:
        """Ask for allocation candidates."""
        return self._ask("placement_side.py", _job(hosts, request) | {"tuned": tuned})

    def pools(self, host: HostPlan, request: RequestPlan, times: int) -> list[Took]:
        """Build the pools of a host, and consume a request from them."""
        job = _job([host], request) | {"job": "pools", "times": times}
        answer = ask("nova_side.py", job, self.limit) if self.on else None
        if answer is None:
            return []
        return [Took(seconds=median(answer[name])) for name in ("built", "consumed")]

    def fits(
        self, hosts: Sequence[HostPlan], requests: Sequence[RequestPlan]
    ) -> list[list[dict[str, Any]] | None] | None:
        """Fit each request on its host: by guest cell the host cell and the pins."""
        job = {
            "job": "fits",
            "hosts": [asdict(host) for host in hosts],
            "requests": [asdict(request) for request in requests],
        }
        answer = ask("nova_side.py", job, 10 * self.limit) if self.on else None
        return None if answer is None else answer["answers"]

    def _ask(self, script: str, job: dict[str, object]) -> Took | None:
        if not self.on:
            return None
        answer = ask(script, job, self.limit)
        if answer is None:
            return Took(seconds=self.limit, over=True)
        found = answer["found"]
        return Took(
            seconds=median(answer["seconds"]),
            built=answer.get("built", 0.0),
            memory=answer.get("memory", 0),
            found=found if isinstance(found, int) else len(found),
        )


def _job(hosts: Sequence[HostPlan], request: RequestPlan) -> dict[str, object]:
    return {"hosts": [asdict(host) for host in hosts], "request": asdict(request)}


def told(took: Took | None) -> str:
    """Show a peer's time, or that it was not asked."""
    return NOTHING if took is None else str(took)
