"""Parts that are watched: cut off after a step, away, or struck by a mishap."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeVar

from sundog.core.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
# What changes something: a service is cut off after each of these.
STEPS: Final = frozenset(
    {
        *("put", "remove", "change", "add", "exchange"),
        *("claim", "claim_many", "release", "report", "rewrite"),
        *("create_mdev", "remove_mdev", "set_vgpu_type", "set_vfs", "bind"),
        *("start", "stop", "power_off", "pause", "unpause", "save", "restore"),
        *("attach", "detach", "send"),
    }
)


class CutOffError(BaseException):
    """The process is no more; whatever it still tries does not happen."""


@dataclass
class Fuse:
    """Counts steps; after the last of ``lasts`` steps ``end`` is called.

    When ``end`` returns, everything that is tried from then on raises CutOffError:
    a process that was killed undoes nothing. ``mishap`` is told of each step before
    and after it is taken, and may raise what could go wrong there. Parts that are
    ``away``, by the names of their classes, answer nothing at all.
    """

    lasts: int | None = None
    end: Callable[[], None] = field(default=lambda: None)
    steps: list[str] = field(default_factory=list)
    mishap: Callable[[str], None] = field(default=lambda _: None)
    away: set[str] = field(default_factory=set)

    def check(self) -> None:
        """Raise CutOffError once it has burnt down."""
        if self.lasts is not None and len(self.steps) >= self.lasts:
            self.end()
            raise CutOffError

    def burn(self, step: str) -> None:
        """Note that a step was taken."""
        self.steps.append(step)
        self.check()


class Watched:
    """Passes calls on to a part and burns the fuse after each step."""

    def __init__(self, part: object, fuse: Fuse) -> None:
        """Watch one part."""
        self._part = part
        self._fuse = fuse

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._part, name)
        if not callable(found):
            return found

        def call(*values: object, **named: object) -> object:
            self._fuse.check()
            if type(self._part).__name__ in self._fuse.away:
                raise UnavailableError(f"{type(self._part).__name__} is away")
            if name not in STEPS:
                return found(*values, **named)
            step = f"{type(self._part).__name__}.{name}"
            self._fuse.mishap(step)
            result = found(*values, **named)
            self._fuse.burn(step)
            self._fuse.mishap(step)
            return result

        return call


def watched(part: T, fuse: Fuse) -> T:
    """Return a part that is watched, as what it was."""
    return Watched(part, fuse)  # type: ignore[return-value]  # it passes everything on
