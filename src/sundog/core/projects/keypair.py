"""A user's keypair: the half of it that is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - storage reads the types at run time
from enum import Enum


class KeyKind(Enum):
    """What a keypair is for."""

    SSH = "ssh"
    X509 = "x509"


@dataclass(frozen=True, slots=True, kw_only=True)
class Keypair:
    """A public key by name; ``fingerprint`` is in hexadecimal with colons."""

    name: str
    user_id: str
    kind: KeyKind
    public_key: str
    fingerprint: str
    created: datetime
