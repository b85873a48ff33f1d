"""Flavors: written by the operator, checked when written."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sundog.core.errors import NotFoundError
from sundog.core.requests.extra_specs import check_extra_specs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sundog.core.requests.alias import Alias
    from sundog.core.requests.flavor import Flavor
    from sundog.workflows.ports import FlavorStore


@dataclass(frozen=True, slots=True)
class FlavorBook:
    """What the API may do with flavors."""

    store: FlavorStore
    aliases: Mapping[str, Alias]

    def create(self, flavor: Flavor) -> Flavor:
        """Keep a new flavor; raises ConflictError, BadRequestError."""
        check_extra_specs(flavor.extra_specs, self.aliases)
        self.store.add(flavor)
        return flavor

    def get(self, flavor_id: str) -> Flavor:
        """Return one by id; raises NotFoundError."""
        return self.store.get(flavor_id)

    def list(self) -> Sequence[Flavor]:
        """Return all, ordered by id."""
        return self.store.list()

    def describe(self, flavor_id: str, description: str | None) -> Flavor:
        """Change the description; raises NotFoundError."""
        return self._write(replace(self.store.get(flavor_id), description=description))

    def set_extra_specs(self, flavor_id: str, specs: Mapping[str, str]) -> Flavor:
        """Add or change extra specs.

        Raises NotFoundError, and BadRequestError naming the key at fault: the
        flavor as it would then be is checked, and nothing is changed.
        """
        flavor = self.store.get(flavor_id)
        together = {**flavor.extra_specs, **specs}
        check_extra_specs(together, self.aliases)
        return self._write(replace(flavor, extra_specs=together))

    def unset_extra_spec(self, flavor_id: str, key: str) -> Flavor:
        """Remove one extra spec; raises NotFoundError."""
        flavor = self.store.get(flavor_id)
        if key not in flavor.extra_specs:
            raise NotFoundError(
                f"Flavor {flavor_id} has no extra specs with key {key}."
            )
        left = {name: text for name, text in flavor.extra_specs.items() if name != key}
        return self._write(replace(flavor, extra_specs=left))

    def delete(self, flavor_id: str) -> None:
        """Forget one; raises NotFoundError. Servers keep their copy."""
        self.store.remove(flavor_id)

    def _write(self, flavor: Flavor) -> Flavor:
        self.store.replace(flavor)
        return flavor
