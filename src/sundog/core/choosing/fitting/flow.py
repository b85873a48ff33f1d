"""Minimum-cost flow on the small networks that fitting makes."""

from __future__ import annotations

from collections import deque

_FAR = 1 << 62


class Network:
    """Nodes 0..n-1 and directed edges with a capacity and a cost of 0 or more.

    Every augmentation saturates an edge, and ties fall to the edge added first, so
    that the same network always gives the same flow. ``work`` counts the edges that
    were looked at.
    """

    def __init__(self, nodes: int) -> None:
        """Make a network of so many nodes, without edges."""
        self._out: list[list[int]] = [[] for _ in range(nodes)]
        self._head: list[int] = []
        self._left: list[int] = []
        self._cost: list[int] = []
        self.work = 0

    def node(self) -> int:
        """Add a node; returns its number."""
        self._out.append([])
        return len(self._out) - 1

    def add(self, tail: int, head: int, capacity: int, cost: int = 0) -> int:
        """Add an edge; returns its number for ``flow``."""
        edge = len(self._head)
        self._out[tail].append(edge)
        self._out[head].append(edge + 1)
        self._head += (head, tail)
        self._left += (capacity, 0)
        self._cost += (cost, -cost)
        return edge

    def flow(self, edge: int) -> int:
        """Tell how much an edge carries."""
        return self._left[edge ^ 1]

    def send(self, source: int, sink: int, amount: int) -> int | None:
        """Send ``amount`` at the least cost; None when it does not fit."""
        total = 0
        while amount:
            distance, path = self._shortest(source, sink)
            if not path:
                return None
            pushed = min(amount, *(self._left[edge] for edge in path))
            for edge in path:
                self._left[edge] -= pushed
                self._left[edge ^ 1] += pushed
            amount -= pushed
            total += pushed * distance
        return total

    def _shortest(self, source: int, sink: int) -> tuple[int, list[int]]:
        """Find the cheapest path with room on it (queue-based Bellman-Ford)."""
        distance = [_FAR] * len(self._out)
        via = [-1] * len(self._out)
        distance[source] = 0
        queue = deque([source])
        waiting = {source}
        left, cost, head = self._left, self._cost, self._head
        while queue:
            node = queue.popleft()
            waiting.discard(node)
            here = distance[node]
            self.work += len(self._out[node])
            for edge in self._out[node]:
                to = head[edge]
                if left[edge] and here + cost[edge] < distance[to]:
                    distance[to] = here + cost[edge]
                    via[to] = edge
                    if to not in waiting:
                        waiting.add(to)
                        queue.append(to)
        path = []
        node = sink
        while via[node] >= 0:
            path.append(via[node])
            node = head[via[node] ^ 1]
        return distance[sink], path
