"""``agent_config`` as flags of a command line."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Mapping
from typing import Any

from marshmallow import ValidationError

from ennio.config.fields import ConfigField, Json, MapField
from ennio.config.plugin_settings import read
from ennio.config.secrets import is_secret
from ennio.config.text_fields import StringField
from ennio.model.errors import ConfigError, Problem

_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_-]*\Z")


def fault(path: str, message: str) -> ConfigError:
    """The error for something wrong below ``agent_config``."""
    return ConfigError("configuration", [Problem(f"agent_config.{path}", message)])


class FlagNameField(StringField):
    """The name of a flag that Ennio does not set itself, and that is no secret's."""

    def __init__(self, reserved: Collection[str]) -> None:
        super().__init__("A flag of its command line, without dashes")
        self.reserved = reserved

    def judged(self, text: str) -> str:
        """The name when it may be one."""
        if not _KEY.match(text):
            raise ValidationError("is no name of a flag; use letters, digits, `_` and `-`")
        if is_secret(text):
            raise ValidationError(
                "looks like a secret, and everybody can read a command line; put it into the "
                "project's `env`"
            )
        if text.replace("_", "-") in self.reserved:
            raise ValidationError("is set by Ennio itself; remove it")
        return text

    def json(self) -> Json:
        """The pattern of names."""
        return {"type": "string", "pattern": "^[A-Za-z][A-Za-z0-9_-]*$"}


class FlagValueField(ConfigField[Any]):
    """What a flag is given: a text, a number, true for the flag alone, or a list of those;
    false and null leave it out.
    """

    kind = "text, number, true or false, or a list"

    def read(self, value: Any) -> Any:
        """The value itself."""
        for single in value if isinstance(value, (list, tuple)) else (value,):
            if single is not None and not isinstance(single, (str, int, float)):
                kind = type(single).__name__
                raise ValidationError(
                    f"is a {kind}; a flag takes a text, a number, true, or a list of those"
                )
        return value

    def json(self) -> Json:
        """One of those, or an array of them."""
        single: Json = {"type": ["string", "number", "boolean", "null"]}
        return {"anyOf": [single, {"type": "array", "items": single}]}


def settings(reserved: Collection[str] = ()) -> MapField:
    """What an agent whose ``passthrough`` are flags lets itself be told; ``reserved`` are
    those Ennio sets itself.
    """
    return MapField(
        "Flags of its command line", FlagValueField("", none=True), names=FlagNameField(reserved)
    )


def of_passthrough(given: Mapping[str, Any], reserved: Collection[str] = ()) -> tuple[str, ...]:
    """``max_turns: 200`` as ``--max-turns 200``, true as the flag alone, a
    list as the flag repeated.

    False and null leave the flag out; a key of one letter is a short flag. Raises ConfigError with
    everything that ``settings`` does not take.
    """
    argv: list[str] = []
    for key, value in read(
        settings(reserved), given, "configuration", "agent_config.passthrough"
    ).items():
        for single in value if isinstance(value, (list, tuple)) else (value,):
            argv += _flag(key, single)
    return tuple(argv)


def of_permissions(permissions: str | None, mode_flag: str | None) -> tuple[str, ...]:
    """Permissions as flags: a line of flags is split into words, a single word
    is the agent's own mode.

    Raises ConfigError for a line that does not split, or a mode where the agent has none.
    """
    try:
        words = tuple(shlex.split(permissions or ""))
    except ValueError as error:
        raise fault(
            "permissions",
            f"cannot be split into flags ({error}): {permissions!r}; balance the quotes",
        ) from error
    if not words or words[0].startswith("-"):
        return words
    if mode_flag is None or len(words) > 1:
        raise fault(
            "permissions",
            f"{permissions!r} is no flag of this agent; write its flags, each with its dashes",
        )
    return (mode_flag, words[0])


def _flag(key: str, value: object) -> list[str]:
    flag = f"-{key}" if len(key) == 1 else "--" + key.replace("_", "-")
    if value is None or value is False:
        return []
    if value is True:
        return [flag]
    # a value that begins with a dash would be read as the next flag
    return [f"{flag}={value}"] if str(value).startswith("-") else [flag, str(value)]
