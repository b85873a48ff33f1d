"""Public keys that are checked, and keypairs that are made."""

from __future__ import annotations

import base64
import binascii
import hashlib
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sundog.core.errors import BadRequestError
from sundog.core.projects.keypair import KeyKind
from sundog.workflows.projects.keypairs import NewKey

# Nova's sizes and years.
_BITS: Final = 2048
_VALID: Final = timedelta(days=3650)
_LONGEST: Final = 16384


class CryptographyKeys:
    """Fulfils ``KeyMaker``."""

    def read(self, kind: KeyKind, public_key: str) -> NewKey:
        """Check a public key; raises BadRequestError."""
        text = public_key.strip()
        if not text or len(text) > _LONGEST or not text.isascii():
            raise BadRequestError(
                "Keypair data is invalid: it is empty, too long, or not ASCII"
            )
        try:
            fingerprint = _of_ssh(text) if kind is KeyKind.SSH else _of_x509(text)
        except (ValueError, UnsupportedAlgorithm, IndexError) as error:
            reason = str(error).partition("\n")[0][:120]
            raise BadRequestError(
                f"Keypair data is invalid: failed to generate fingerprint: {reason}"
            ) from None
        return NewKey(public_key=public_key, fingerprint=fingerprint)

    def make(self, kind: KeyKind, subject: str) -> NewKey:
        """Make an RSA keypair, or a certificate for a user's id."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=_BITS)
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        ).decode()
        if kind is KeyKind.X509:
            public = _certificate(key, subject)
            fingerprint = _of_x509(public)
        else:
            public = _ssh(key) + " Generated-by-Sundog"
            fingerprint = _of_ssh(public)
        return NewKey(public_key=public, fingerprint=fingerprint, private_key=private)


def _ssh(key: rsa.RSAPrivateKey) -> str:
    return (
        key.public_key()
        .public_bytes(
            serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
        )
        .decode()
    )


def _of_ssh(text: str) -> str:
    """Return the MD5 that ssh shows; raises ValueError and its like."""
    serialization.load_ssh_public_key(text.encode())
    blob = base64.b64decode(text.split()[1])
    return _colons(hashlib.md5(blob, usedforsecurity=False).digest())


def _of_x509(text: str) -> str:
    certificate = x509.load_pem_x509_certificate(text.encode())
    digest = certificate.fingerprint(hashes.SHA1())  # noqa: S303 - a name, as Nova's
    return _colons(digest)


def _colons(digest: bytes) -> str:
    return binascii.hexlify(digest, ":").decode()


def _certificate(key: rsa.RSAPrivateKey, subject: str) -> str:
    """Sign a certificate for logging in to Windows guests, as Nova makes it."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject[:64])])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + _VALID)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
