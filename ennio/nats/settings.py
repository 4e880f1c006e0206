"""How the NATS server is reached, and as whom."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from ennio.config.model import Config
from ennio.config.secrets import veiled

PORT = 4222


@dataclass(frozen=True, slots=True)
class NatsSettings:
    """Where it is, and who we are to it."""

    url: str = field(repr=False)
    instance: str = ""

    @classmethod
    def of(cls, config: Config) -> NatsSettings | None:
        """Those of a configuration; None where it wants no NATS."""
        if not config.nats_url:
            return None
        return cls(config.nats_url)

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
