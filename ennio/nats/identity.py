"""Who we are to a server that asks for a signature: an nkey, alone or with the JWT of credentials.

The formats are those of NATS: a seed is base32 of two bytes of prefix, 32 of an Ed25519 key and a
checksum.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ennio.model.errors import Refused
from ennio.nats.settings import NatsSettings, text_of

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_SEED, _USER = 18 << 3, 20 << 3
_BLOCK = re.compile(r"-{3,}BEGIN ([A-Z ]+)-{3,}\s*(\S+)\s*-{3,}END \1-{3,}")
_WAY = "make one with `nsc` or `nk -gen user`"


@dataclass(frozen=True, slots=True)
class Nkey:
    """The key of a user: 32 bytes of which nothing is shown."""

    seed: bytes

    def __repr__(self) -> str:
        return "Nkey(***)"

    @property
    def public(self) -> str:
        """The name by which the server knows it: ``U...``."""
        raw = bytes([_USER]) + _ed25519(self.seed).public_key().public_bytes_raw()
        return base64.b32encode(raw + _checksum(raw)).decode().rstrip("=")

    def sign(self, nonce: str) -> str:
        """The signature of what the server drew."""
        raw = _ed25519(self.seed).sign(nonce.encode())
        return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def signed(settings: NatsSettings, nonce: str) -> dict[str, str]:
    """What is said to a server that sent this nonce; nothing without a key. Raises Refused."""
    if settings.credentials_file is not None:
        jwt, key = credentials(text_of("nats_credentials_file", settings.credentials_file))
        return {"jwt": jwt, "sig": key.sign(nonce)}
    if settings.nkey_file is not None:
        key = nkey(text_of("nats_nkey_file", settings.nkey_file), "nats_nkey_file")
        return {"nkey": key.public, "sig": key.sign(nonce)}
    return {}


def check(settings: NatsSettings) -> None:
    """Read whatever is needed to log in, and try the key. Raises Refused naming the file."""
    for key, path in settings.files():
        text_of(key, path)
    signed(settings, "")


def credentials(text: str) -> tuple[str, Nkey]:
    """The JWT and the key in a file of credentials. Raises Refused."""
    blocks = dict(_BLOCK.findall(text))
    jwt, seed = blocks.get("NATS USER JWT"), blocks.get("USER NKEY SEED")
    if not jwt or not seed:
        raise Refused(
            "nats_credentials_file: it holds no NATS USER JWT with a USER NKEY SEED: "
            "make it with `nsc generate creds`"
        )
    return jwt, nkey(seed, "nats_credentials_file")


def nkey(text: str, key: str) -> Nkey:
    """The key of a seed. Raises Refused naming the key of the configuration."""
    lines = [line.strip() for line in text.splitlines()]
    seed = next((line for line in lines if line.startswith("S")), "")
    try:
        raw = base64.b32decode(seed + "=" * (-len(seed) % 8))
    except binascii.Error:
        raw = b""
    if len(raw) != 36 or _checksum(raw[:-2]) != raw[-2:] or raw[0] & 0xF8 != _SEED:
        raise Refused(f"{key}: it holds no seed of an nkey (SU...): {_WAY}")
    if ((raw[0] & 7) << 5) | (raw[1] >> 3) != _USER:
        raise Refused(f"{key}: the nkey in it is not that of a user (SU...): {_WAY}")
    return Nkey(raw[2:34])


def _checksum(raw: bytes) -> bytes:
    return binascii.crc_hqx(raw, 0).to_bytes(2, "little")


def _ed25519(seed: bytes) -> Ed25519PrivateKey:
    # an extra: whoever has no key needs none
    from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: PLC0415

    return ed25519.Ed25519PrivateKey.from_private_bytes(seed)
