"""Keys, certificates and credentials, made for a test."""

from __future__ import annotations

import base64
import binascii
import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

OPERATOR, ACCOUNT, USER, SEED = 14 << 3, 0, 20 << 3, 18 << 3


@dataclass(frozen=True, slots=True)
class Key:
    """An nkey of one kind."""

    raw: bytes
    kind: int

    @classmethod
    def made(cls, kind: int) -> Key:
        return cls(Ed25519PrivateKey.generate().private_bytes_raw(), kind)

    @property
    def public(self) -> str:
        key = Ed25519PrivateKey.from_private_bytes(self.raw).public_key()
        return _coded(bytes([self.kind]) + key.public_bytes_raw())

    @property
    def seed(self) -> str:
        head = bytes([SEED | (self.kind >> 5), (self.kind & 31) << 3])
        return _coded(head + self.raw)

    def jwt(self, of: Key, name: str, kind: str, **claims: object) -> str:
        """What this key says of another."""
        body = {
            "jti": name,
            "iat": int(time.time()),
            "iss": self.public,
            "sub": of.public,
            "name": name,
            "nats": {"type": kind, "version": 2, **claims},
        }
        head = {"typ": "JWT", "alg": "ed25519-nkey"}
        text = f"{_url(json.dumps(head).encode())}.{_url(json.dumps(body).encode())}"
        signature = Ed25519PrivateKey.from_private_bytes(self.raw).sign(text.encode())
        return f"{text}.{_url(signature)}"


def _coded(raw: bytes) -> str:
    checksum = binascii.crc_hqx(raw, 0).to_bytes(2, "little")
    return base64.b32encode(raw + checksum).decode().rstrip("=")


def _url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def operated(folder: Path) -> tuple[str, Path]:
    """Settings of a server with an operator, and a file of credentials that it takes."""
    operator, account, user = Key.made(OPERATOR), Key.made(ACCOUNT), Key.made(USER)
    free = dict.fromkeys(("subs", "data", "payload", "imports", "exports", "conn", "leaf"), -1)
    of_operator = operator.jwt(operator, "operator", "operator")
    of_account = operator.jwt(account, "account", "account", limits=free | {"wildcards": True})
    of_user = account.jwt(user, "user", "user", subs=-1, data=-1, payload=-1)
    file = folder / "user.creds"
    file.write_text(
        f"-----BEGIN NATS USER JWT-----\n{of_user}\n------END NATS USER JWT------\n\n"
        "*** IMPORTANT ***\n"
        f"-----BEGIN USER NKEY SEED-----\n{user.seed}\n------END USER NKEY SEED------\n"
    )
    preload = f'resolver_preload: {{ {account.public}: "{of_account}" }}'
    return f'operator: "{of_operator}"\nresolver: MEMORY\n{preload}', file


@dataclass(frozen=True, slots=True)
class Authority:
    """Whoever signs certificates; its own is ``file``."""

    folder: Path
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def file(self) -> Path:
        return self.folder / "ca.pem"

    @classmethod
    def made(cls, folder: Path) -> Authority:
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name("ennio tests")
        constraint = x509.BasicConstraints(ca=True, path_length=None)
        certificate = _begun(name, name, key).add_extension(constraint, critical=True)
        found = cls(folder, key, certificate.sign(key, hashes.SHA256()))
        _write(found.file, found.certificate)
        return found

    def signed(self, name: str) -> tuple[Path, Path]:
        """A certificate of 127.0.0.1 in the name of somebody, and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        here = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
        begun = _begun(_name(name), self.certificate.subject, key)
        certificate = begun.add_extension(here, critical=False).sign(self.key, hashes.SHA256())
        file, secret = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        _write(file, certificate)
        secret.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return file, secret


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


def _begun(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2))
    )


def _write(path: Path, certificate: x509.Certificate) -> None:
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
