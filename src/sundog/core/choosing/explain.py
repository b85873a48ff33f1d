"""Why hosts do not fit a request: only worked out when someone asks.

Equal hosts are looked at once. Each constraint is tried by itself on a host, in a
fixed order; when each holds alone, what fails is how they stand to each other.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from sundog.core.choosing.fit_host import fit_room
from sundog.core.choosing.fitting.ask import Ask
from sundog.core.choosing.shortages import Shortage, shortages
from sundog.core.choosing.taste import DEFAULT_TASTE
from sundog.core.requests.guest_request import NumaPolicy

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sundog.core.choosing.fleet import Fleet
    from sundog.core.hosts.host_snapshot import HostState
    from sundog.core.requests.guest_request import DeviceRequest, GuestRequest

LONGEST = 500
MOST_REASONS = 5
TIMES = "\N{MULTIPLICATION SIGN}"
_NOTHING: Mapping[str, Shortage] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why one host does not fit.

    ``first`` is the first constraint that fails and ``tightest`` the one that is
    furthest from holding, both as what the host lacks ("have no such device").
    ``detail`` has the numbers; ``remedy`` is what would help. ``closed``: it was not
    asked, whatever it has.
    """

    host: str
    first: str
    tightest: str
    detail: str
    remedy: str
    closed: bool = False


def explain(
    request: GuestRequest, fleet: Fleet, closed: Mapping[str, Shortage] = _NOTHING
) -> tuple[Refusal, ...]:
    """Tell for each host that does not fit, by name, why; empty if all fit.

    ``closed`` are the hosts that are not asked, each with its reason.
    """
    ask = Ask(request, DEFAULT_TASTE)
    found = _refusals(ask, fleet, closed)
    return tuple(sorted(found, key=lambda refusal: refusal.host))


def _refusals(
    ask: Ask, fleet: Fleet, closed: Mapping[str, Shortage]
) -> Iterator[Refusal]:
    for state in fleet.states():
        if state.snapshot.name in closed:
            refusal = _refusal(state.snapshot.name, [closed[state.snapshot.name]])
            yield replace(refusal, closed=True)
        elif not state.enabled:
            yield _disabled(state)
    for room, names in fleet.groups():
        if fit_room(ask, room) is None:
            found = list(shortages(ask, room))
            yield from (_refusal(name, found) for name in names if name not in closed)


def _disabled(state: HostState) -> Refusal:
    if not state.answers:
        return silent(state.snapshot.name, state.why_disabled)
    why = state.why_disabled or "its service is disabled"
    missing = Shortage("are disabled", 0.0, why, "enable the host's service")
    return _refusal(state.snapshot.name, [missing])


def silent(host: str, why: str) -> Refusal:
    """Tell of a host that does not answer, even of one that nothing is known of."""
    missing = Shortage("do not answer", 0.0, why, "see to the host's libvirt")
    return _refusal(host, [missing])


def _refusal(host: str, found: list[Shortage]) -> Refusal:
    tightest = min(found, key=lambda shortage: shortage.have)
    return Refusal(
        host=host,
        first=found[0].lack,
        tightest=tightest.lack,
        detail=tightest.detail,
        remedy=tightest.remedy,
    )


def summary(request: GuestRequest, refusals: Iterable[Refusal]) -> str:
    """Roll refusals up into one text of at most ``LONGEST`` characters."""
    refusals = tuple(refusals)
    text = "No valid host was found."
    if not refusals:
        return f"{text} There is no host; start a host agent."
    counted = Counter(refusal.tightest for refusal in refusals)
    closed = {refusal.tightest for refusal in refusals if refusal.closed}
    # What was asked tells more than what was not.
    ranked = sorted(counted.items(), key=lambda of: (of[0] in closed, -of[1], of[0]))
    parts = [
        f"{count} {_numbered(lack, count)}" for lack, count in ranked[:MOST_REASONS]
    ]
    one = ranked[0][1] == 1
    parts[0] = parts[0].replace(" ", " host " if one else " hosts ", 1)
    others = sum(count for _, count in ranked[MOST_REASONS:])
    if others:
        parts.append(f"{others} for other reasons")
    remedies = Counter(r.remedy for r in refusals if r.tightest == ranked[0][0])
    remedy = min(remedies, key=lambda known: (-remedies[known], known))
    text = f"{text} Needs {needs(request)}: {', '.join(parts)}. To help: {remedy}."
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _numbered(lack: str, count: int) -> str:
    """Put the verb of what hosts lack in the singular for one host."""
    verb, _, rest = lack.partition(" ")
    one = {"have": "has", "lack": "lacks", "are": "is", "hold": "holds", "do": "does"}
    return f"{one.get(verb, verb)} {rest}" if count == 1 else lack


_BY_POLICY = {
    NumaPolicy.REQUIRED: "in the same cell as",
    NumaPolicy.SOCKET: "in the same socket as",
    NumaPolicy.LEGACY: "in the same cell (or of unknown cell) as",
    NumaPolicy.PREFERRED: "with",
}


def needs(request: GuestRequest) -> str:
    """Say what a request asks for: a vGPU in the same cell as 4 free CPUs."""
    ask = Ask(request, DEFAULT_TASTE)
    pinned = sum(need.pinned for need in ask.needs)
    kind = "free" if pinned else "shared"
    resources = f"{request.vcpus} {kind} CPUs and {request.memory_mb} MiB"
    if len(ask.cells) > 1:
        resources += f" in {len(ask.cells)} cells"
    texts = []
    for policy in NumaPolicy:
        alike = [d for d in request.devices if d.count and d.policy is policy]
        if alike:
            how = "with" if not ask.cells else _BY_POLICY[policy]
            names = " and ".join(f"{d.count} {TIMES} {_named(d)}" for d in alike)
            texts.append(f"{names} {how}")
    return f"{', '.join(texts)} {resources}".strip()


def _named(device: DeviceRequest) -> str:
    types = dict.fromkeys(want.type_id for want in device.wants if want.type_id)
    return " ".join([device.alias, " or ".join(types)]).strip()
