"""Keypairs, as the API asks for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from sundog.core.errors import ConflictError, ForbiddenError, NotFoundError
from sundog.core.projects.keypair import KeyKind, Keypair

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sundog.workflows.ports import Clock
    from sundog.workflows.projects.shelf import Shelf


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """A public key with its fingerprint; ``private_key`` only where it was made."""

    public_key: str
    fingerprint: str
    private_key: str = ""


class KeyMaker(Protocol):
    """Reads and makes keys."""

    def read(self, kind: KeyKind, public_key: str) -> NewKey:
        """Check a public key; raises BadRequestError."""
        ...

    def make(self, kind: KeyKind, subject: str) -> NewKey:
        """Make a keypair for a user's id."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class KeypairBook:
    """What the API may do with keypairs."""

    shelf: Shelf[Keypair]
    keys: KeyMaker
    clock: Clock

    def create(
        self,
        user_id: str,
        name: str,
        kind: KeyKind,
        public_key: str | None,
        most: int = -1,
    ) -> tuple[Keypair, str]:
        """Keep a public key, or make one; returns the private key if it was made.

        ``most`` is how many a user may have; -1 for any number.

        Raises BadRequestError, ConflictError for a name that is taken, ForbiddenError
        when there are too many.
        """
        if 0 <= most <= len(self.shelf.list(user_id)):
            raise ForbiddenError("Quota exceeded, too many key pairs.")
        new = (
            self.keys.make(kind, user_id)
            if public_key is None
            else self.keys.read(kind, public_key)
        )
        keypair = Keypair(
            name=name,
            user_id=user_id,
            kind=kind,
            public_key=new.public_key,
            fingerprint=new.fingerprint,
            created=self.clock(),
        )

        def add(old: Keypair | None) -> Keypair:
            if old is not None:
                raise ConflictError(f"Key pair '{name}' already exists.")
            return keypair

        self.shelf.change(user_id, name, add)
        return keypair, new.private_key

    def get(self, user_id: str, name: str) -> Keypair:
        """Return one; raises NotFoundError."""
        found = self.shelf.get(user_id, name)
        if found is None:
            raise NotFoundError(f"Keypair {name} not found for user {user_id}")
        return found

    def list(self, user_id: str) -> Sequence[Keypair]:
        """Return a user's, ordered by name."""
        return self.shelf.list(user_id)

    def delete(self, user_id: str, name: str) -> None:
        """Forget one; raises NotFoundError. Servers that name it keep the name."""
        self.get(user_id, name)
        self.shelf.change(user_id, name, lambda _: None)
