"""Which values of a configuration are secret, and what it looks like without them.

A value is secret by its place (``api_token``, ``auth_token``, a password) or by the name of its key
in a plugin's settings, ``passthrough`` or ``env`` (``token``, ``webhook_url``,
``AWS_SECRET_ACCESS_KEY``); in a URL, the password in front of the host is; and so is the value of a
variable of such a name, wherever it is put.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from enum import Enum
from typing import Any
from urllib.parse import unquote

from ennio.config.model import Config, NotifierConfig, Project
from ennio.model.printable import MASK, SHORTEST_SECRET

_ENDINGS = (
    "token",
    "secret",
    "secrets",
    "password",
    "passwords",
    "passwd",
    "passphrase",
    "pwd",
    "apikey",
    "privatekey",
    "secretkey",
    "accesskey",
    "signingkey",
    "credential",
    "credentials",
    "authorization",
    "cookie",
    "webhookurl",
    "dsn",
)
_WORDS = ("tokens", "auth", "bearer", "apikeys")
_NOTIFIER_URLS = ("url", "webhook", "hook", "topic")
_USERINFO = re.compile(
    r"(?P<scheme>\b[A-Za-z][A-Za-z0-9+.-]*://)(?P<user>[^/@:\s]*)(?P<password>:[^/@\s]*)?@"
)


def is_secret(key: str) -> bool:
    """Whether what stands under a key of this name is a secret."""
    word = re.sub(r"[^a-z0-9]", "", key.lower())
    return word.endswith(_ENDINGS) or word in _WORDS


def secrets(config: Config) -> frozenset[str]:
    """Every secret value of a configuration, for whoever redacts texts; none is empty."""
    return (
        frozenset(
            text for text in _secrets(replace(config, demands=(), origins={}), secret=False) if text
        )
        | config.hidden
    )


def masked(config: Config) -> dict[str, Any]:
    """The configuration as JSON-able values under the model's names, every secret as ``***``.

    Of ``env`` only the names are shown.
    """
    shown: dict[str, Any] = _without(_plain(replace(config, origins={})), config.hidden)
    for ours in ("hidden", "demands", "budget_lines", "origins", "port_chosen"):
        del shown[ours]
    for project in shown["projects"]:
        project["env"] = dict.fromkeys(project["env"], MASK)
    return shown


def veiled(text: str) -> str:
    """The text without the passwords of the URLs in it."""
    return _USERINFO.sub(_hide, text)


def config_hash(project: Project) -> str:
    """Twelve hex digits that change when the project's resolved configuration does,
    but not with its secrets.
    """
    plain = _plain(project)
    del plain["config_hash"]
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _items(value: Any) -> Iterator[tuple[str, Any, bool]]:
    """The parts of a value by name, each with whether it is a secret."""
    if dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield (
                field.name,
                getattr(value, field.name),
                is_secret(field.name) and field.name != "auth",
            )
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield str(key), item, is_secret(str(key))


def _parts(value: Any, secret: bool) -> Iterator[tuple[str, Any, bool]]:
    """Like ``_items``, where what is in a secret is secret and a
    channel's address is a key to it.
    """
    for name, item, own in _items(value):
        inner = _channel(item) if isinstance(value, NotifierConfig) and name == "config" else item
        yield name, inner, secret or own


@dataclasses.dataclass(frozen=True, slots=True)
class _Hidden:
    """A text that is secret wherever it stands."""

    text: str


def _channel(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: _Hidden(item) if key.lower() in _NOTIFIER_URLS and isinstance(item, str) else item
        for key, item in settings.items()
    }


def _secrets(value: Any, *, secret: bool) -> Iterator[str]:
    match value:
        case _Hidden(text):
            yield text
        case bool() | None:
            return
        case str() if secret:
            yield value
        case str():
            yield from _in_urls(value)
        case int() | float() if secret:
            yield str(value)
        case list() | tuple():
            for item in value:
                yield from _secrets(item, secret=secret)
        case _:
            for _, item, inner in _parts(value, secret):
                yield from _secrets(item, secret=inner)


def _in_urls(text: str) -> Iterator[str]:
    for match in _USERINFO.finditer(text):
        word = match["password"][1:] if match["password"] else _lone(match)
        yield from {word, unquote(word)}


def _lone(match: re.Match[str]) -> str:
    """The user of a URL without a password is a name, but on NATS it is a token."""
    return match["user"] if match["scheme"].lower() in ("nats://", "tls://") else ""


def _hide(match: re.Match[str]) -> str:
    if match["password"]:
        return f"{match['scheme']}{match['user']}:{MASK}@"
    return f"{match['scheme']}{MASK}@" if _lone(match) else match[0]


def _plain(value: Any, *, secret: bool = False) -> Any:
    match value:
        case list() | tuple():
            return [_plain(item, secret=secret) for item in value]
        case _ if not isinstance(value, _Hidden) and (
            dataclasses.is_dataclass(value) or isinstance(value, Mapping)
        ):
            return {name: _plain(item, secret=inner) for name, item, inner in _parts(value, secret)}
    return _leaf(value, secret)


def _without(value: Any, words: Collection[str]) -> Any:
    """The value with these words masked in all its texts."""
    words = [word for word in words if len(word) >= SHORTEST_SECRET]
    match value:
        case dict():
            return {key: _without(item, words) for key, item in value.items()}
        case list():
            return [_without(item, words) for item in value]
        case str():
            return functools.reduce(
                lambda text, word: text.replace(word, MASK),
                sorted(words, key=len, reverse=True),
                value,
            )
    return value


def _leaf(value: Any, secret: bool) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if secret or isinstance(value, _Hidden):
        return MASK
    if isinstance(value, Enum):
        return value.value
    return value if isinstance(value, (int, float)) else veiled(str(value))
