"""How the NATS server is reached, and as whom."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from ennio.config.model import Config
from ennio.config.secrets import veiled
from ennio.model.errors import Refused

PORT = 4222


@dataclass(frozen=True, slots=True)
class NatsSettings:
    """Where it is, who we are to it, and whom of those who answer there we believe."""

    url: str = field(repr=False)
    instance: str = ""
    stream: bool = False
    credentials_file: Path | None = None
    nkey_file: Path | None = None
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None

    @classmethod
    def of(cls, config: Config) -> NatsSettings | None:
        """Those of a configuration; None where it wants no NATS."""
        if not config.nats_url:
            return None
        return cls(
            config.nats_url,
            config.nats_instance,
            config.nats_stream,
            config.nats_credentials_file,
            config.nats_nkey_file,
            config.nats_ca_file,
            config.nats_cert_file,
            config.nats_key_file,
        )

    @property
    def shown(self) -> str:
        """The address, for people."""
        return veiled(self.url)

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        parts = urlsplit(self.url)
        return parts.hostname or "", parts.port or PORT

    @property
    def secure(self) -> bool:
        """Whether only an encrypted connection will do."""
        return self.url.startswith("tls://")

    def login(self) -> dict[str, str]:
        """What the URL says of who we are: user and password, or a token."""
        parts = urlsplit(self.url)
        if not parts.username:
            return {}
        if parts.password is None:
            return {"auth_token": unquote(parts.username)}
        return {"user": unquote(parts.username), "pass": unquote(parts.password)}

    def files(self) -> Iterator[tuple[str, Path]]:
        """Every file that is named, with the key that names it."""
        named = {
            "nats_credentials_file": self.credentials_file,
            "nats_nkey_file": self.nkey_file,
            "nats_ca_file": self.ca_file,
            "nats_cert_file": self.cert_file,
            "nats_key_file": self.key_file,
        }
        yield from ((key, path) for key, path in named.items() if path is not None)


def text_of(key: str, path: Path) -> str:
    """What is in a file that a key names. Raises Refused."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise Refused(f"{key}: {path} cannot be read: {why}") from error
