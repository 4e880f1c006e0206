"""``agent_config`` as flags of a command line."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Mapping
from typing import Any

from ennio.config.secrets import is_secret
from ennio.model.errors import ConfigError, Problem

_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_-]*\Z")


def fault(path: str, message: str) -> ConfigError:
    """The error for something wrong below ``agent_config``."""
    return ConfigError("configuration", [Problem(f"agent_config.{path}", message)])


def of_passthrough(settings: Mapping[str, Any], reserved: Collection[str] = ()) -> tuple[str, ...]:
    """``max_turns: 200`` as ``--max-turns 200``, true as the flag alone, a list as the flag repeated.

    False and null leave the flag out; a key of one letter is a short flag. ``reserved`` are those
    Ennio sets itself. Raises ConfigError.
    """
    argv: list[str] = []
    for key, value in settings.items():
        _check(key, reserved)
        for single in value if isinstance(value, list | tuple) else (value,):
            argv += _flag(key, single)
    return tuple(argv)


def of_permissions(permissions: str | None, mode_flag: str | None) -> tuple[str, ...]:
    """Permissions as flags: a line of flags is split into words, a single word is the agent's own mode.

    Raises ConfigError for a line that does not split, or a mode where the agent has none.
    """
    try:
        words = tuple(shlex.split(permissions or ""))
    except ValueError as error:
        raise fault("permissions", f"cannot be split into flags ({error}): {permissions!r}; balance the quotes") from error
    if not words or words[0].startswith("-"):
        return words
    if mode_flag is None or len(words) > 1:
        raise fault("permissions", f"{permissions!r} is no flag of this agent; write its flags, each with its dashes")
    return (mode_flag, words[0])


def _check(key: str, reserved: Collection[str]) -> None:
    if not _KEY.match(key):
        raise fault(f"passthrough.{key}", "is no name of a flag; use letters, digits, `_` and `-`")
    if is_secret(key):
        raise fault(f"passthrough.{key}", "looks like a secret, and everybody can read a command line; put it into the project's `env`")
    if key.replace("_", "-") in reserved:
        raise fault(f"passthrough.{key}", "is set by Ennio itself; remove it")


def _flag(key: str, value: object) -> list[str]:
    flag = f"-{key}" if len(key) == 1 else "--" + key.replace("_", "-")
    if value is None or value is False:
        return []
    if value is True:
        return [flag]
    if not isinstance(value, str | int | float):
        raise fault(f"passthrough.{key}", f"is a {type(value).__name__}; a flag takes a text, a number, true, or a list of those")
    # a value that begins with a dash would be read as the next flag
    return [f"{flag}={value}"] if str(value).startswith("-") else [flag, str(value)]
