"""What passed: a line when a request begins, and one when its answer has ended.

The lines of a session lie in a file of its own, which is read on from a cursor. A request that
began and never ended was cut off with the process that passed it on: what it used is not known.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from ennio.machine.untrusted import json_value, opened
from ennio.proxy.apis import Measured
from ennio.proxy.directory import ProxyDirectory

_MOST = 1 << 20  # bytes that are read at once
_LINE = 4096


@dataclass(frozen=True, slots=True)
class Begun:
    """A request was passed on. ``at`` is in epoch seconds, ``by`` the process that passes it on:
    once that has ended, so has the request.
    """

    id: str
    launch: int
    protocol: str
    at: float
    by: int = 0


@dataclass(frozen=True, slots=True)
class Ended:
    """The answer to the request of this id has ended. ``status`` is that of HTTP, None where there
    was no answer; ``whole`` is whether it came to its end.
    """

    id: str
    launch: int
    protocol: str
    at: float
    status: int | None
    whole: bool
    measured: Measured


Passed = Begun | Ended
_NAMES = {kind: tuple(one.name for one in fields(kind)) for kind in (Begun, Ended, Measured)}
_ENCODER = json.JSONEncoder(separators=(",", ":"))


def _plain(value: Passed | Measured) -> dict[str, Any]:
    """The same as a mapping; what is None is left out."""
    found = ((name, getattr(value, name)) for name in _NAMES[type(value)])
    return {
        name: _plain(one) if isinstance(one, Measured) else one
        for name, one in found
        if one is not None
    }


def path_of(directory: ProxyDirectory, session_id: str) -> Path:
    """Where what passed of a session is written down."""
    return Path(directory.usage_file(session_id))


def note(directory: ProxyDirectory, session_id: str, passed: Passed) -> None:
    """Write a line down. Raises OSError."""
    line = _ENCODER.encode({"kind": type(passed).__name__.lower(), **_plain(passed)}) + "\n"
    number = os.open(
        directory.usage_file(session_id),
        os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC,
        0o600,
    )
    try:
        os.write(number, line.encode())  # one call: lines of two requests never mix
    finally:
        os.close(number)


def read(directory: ProxyDirectory, session_id: str, cursor: int) -> tuple[Sequence[Passed], int]:
    """What was written behind a cursor, and the cursor behind that; half a line is left for later.

    Raises OSError but for a file that is not there: nothing has passed yet.
    """
    try:
        with opened(path_of(directory, session_id)) as file:
            file.seek(cursor)
            raw = file.read(_MOST)
    except FileNotFoundError:
        return (), cursor
    end = raw.rfind(b"\n") + 1
    found = (_parsed(line) for line in raw[:end].splitlines() if len(line) <= _LINE)
    return [one for one in found if one is not None], cursor + end


def forget(directory: ProxyDirectory, session_id: str) -> None:
    """Remove what is known of a session; fine if there is nothing."""
    path_of(directory, session_id).unlink(missing_ok=True)


def _parsed(line: bytes) -> Passed | None:
    try:
        data: dict[str, Any] = json_value(line)
        kind = data.pop("kind")
        if kind == "begun":
            return Begun(**data)
        measured = data.pop("measured")
        known = {one.name for one in fields(Measured)}
        measured = Measured(**{key: measured[key] for key in known & set(measured)})
        return Ended(**{"status": None, **data}, measured=measured)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
