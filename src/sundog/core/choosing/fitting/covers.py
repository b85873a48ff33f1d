"""Sets of cards that give so many devices in sum, alike cards taken in order.

``pools`` has for each sort of card how many devices one gives, and the cards.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def covers(
    pools: list[tuple[int, tuple[int, ...]]], need: int, start: int = 0
) -> Iterator[tuple[int, ...]]:
    """List sets of cards that give ``need`` in sum, few cards too many at most."""
    if need <= 0:
        yield ()
        return
    if start == len(pools):
        return
    most, cards = pools[start]
    for count in range(min(len(cards), -(-need // most)), -1, -1):
        for others in covers(pools, need - count * most, start + 1):
            yield cards[:count] + others


def wide_covers(
    pools: list[tuple[int, tuple[int, ...]]], need: int, most_cards: int, start: int = 0
) -> Iterator[tuple[int, ...]]:
    """List all sets of cards that give ``need`` in sum: nearer devices may be spread.

    Whether a fit exists does not depend on the wide ones, only how near it is.
    """
    if start == len(pools):
        if need <= 0:
            yield ()
        return
    most, cards = pools[start]
    for count in range(min(len(cards), most_cards) + 1):
        rest = need - count * most
        for others in wide_covers(pools, rest, most_cards - count, start + 1):
            yield cards[:count] + others
