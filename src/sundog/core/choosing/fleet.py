"""All hosts in memory, indexed by what requests ask for.

Hosts with the same room are one group, tried once per request. For each face of a
device the index holds the groups that have it free, so that hosts without the wanted
devices cost nothing. A change of one host touches its old and its new group only.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import TYPE_CHECKING

from sundog.core.choosing.host_room import HostRoom, HostShape, host_room

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sundog.core.choosing.card_room import Face
    from sundog.core.choosing.fitting.ask import Ask
    from sundog.core.hosts.host_snapshot import HostState


class Group:
    """Hosts that are interchangeable, with bounds that rule most requests out fast."""

    def __init__(self, room: HostRoom, number: int) -> None:
        """Start a group; ``room`` stands for all of its hosts."""
        self.room = room
        self.number = number
        self.names: list[str] = []
        self.pins = sum(cell.pins_free for cell in room.cells)
        self.shared = sum(min(c.shared_free, c.shared_cap) for c in room.cells)
        self.memory = sum(
            min(cell.memory_free, cell.memory_cap)
            + sum(size * count for size, count in cell.pages) // 1024
            for cell in room.cells
        )

    def may_fit(self, pins: int, shared: int, memory: int) -> bool:
        """Tell whether the sums allow a guest; cheap, and never wrongly False."""
        return pins <= self.pins and shared <= self.shared and memory <= self.memory


class Fleet:
    """The hosts that can be chosen from."""

    def __init__(self, states: Iterable[HostState] = ()) -> None:
        """Start with some hosts."""
        self._rooms: dict[str, HostRoom] = {}
        self._states: dict[str, HostState] = {}
        self._groups: dict[HostShape, Group] = {}
        # By number, as hashing a shape means to walk it.
        self._by_face: dict[Face, dict[int, Group]] = {}
        self._made = 0
        for state in states:
            self.put(state)

    def put(self, state: HostState) -> None:
        """Add a host, or replace what is known of it."""
        name = state.snapshot.name
        self.remove(name)
        self._states[name] = state
        if not state.enabled:
            return
        room = host_room(state)
        self._rooms[name] = room
        group = self._groups.get(room.shape)
        if group is None:
            group = self._groups[room.shape] = Group(room, self._made)
            self._made += 1
            for face in room.faces:
                self._by_face.setdefault(face, {})[group.number] = group
        insort(group.names, name)

    def remove(self, name: str) -> None:
        """Forget a host; an unknown name is no error."""
        self._states.pop(name, None)
        room = self._rooms.pop(name, None)
        if room is None:
            return
        group = self._groups[room.shape]
        del group.names[bisect_left(group.names, name)]
        if not group.names:
            del self._groups[room.shape]
            for face in room.faces:
                del self._by_face[face][group.number]
                if not self._by_face[face]:
                    del self._by_face[face]

    def get(self, name: str) -> HostState | None:
        """Return a host by its name."""
        return self._states.get(name)

    def states(self) -> Iterable[HostState]:
        """List all hosts, by name."""
        return [state for _, state in sorted(self._states.items())]

    def groups(self) -> Iterable[tuple[HostRoom, list[str]]]:
        """List the enabled hosts by groups of equal room."""
        return [(group.room, group.names) for group in self._groups.values()]

    def room(self, name: str) -> HostRoom:
        """Return what is free on an enabled host."""
        return self._rooms[name]

    def candidates(self, ask: Ask) -> list[Group]:
        """List the groups of hosts that could fit a request, in no useful order."""
        groups = self._with_devices(ask)
        pins = sum(need.pinned for need in ask.needs)
        shared = sum(need.shared for need in ask.needs)
        if not ask.cells:
            shared = ask.request.vcpus
        memory = ask.request.memory_mb if not ask.cells else 0
        memory += sum(need.memory for need in ask.needs)
        return [group for group in groups if group.may_fit(pins, shared, memory)]

    def _with_devices(self, ask: Ask) -> Iterable[Group]:
        faces_of = [
            [face for face in self._by_face if (ask.choice(face) or never)[number] >= 0]
            for never in [(-1,) * len(ask.demands)]
            for number in range(len(ask.demands))
        ]
        if not faces_of:
            return self._groups.values()
        groups: dict[int, Group] = {}
        fewest = min(
            faces_of, key=lambda faces: sum(len(self._by_face[f]) for f in faces)
        )
        for face in fewest:
            groups.update(self._by_face[face])
        counted = list(zip(ask.demands, faces_of, strict=True))
        return [
            group
            for group in groups.values()
            if all(
                demand.count <= sum(group.room.faces.get(face, 0) for face in faces)
                for demand, faces in counted
            )
        ]
