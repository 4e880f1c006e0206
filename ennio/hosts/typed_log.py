"""What was typed to an agent, kept beside it: written before a key is pressed, and
what became of it after.

A caller that lost its connection asks for the same message again. By this it is found out what
became of it, and not typed twice. Each launch begins anew: what an agent took in an earlier life
says nothing of this one.
"""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from ennio.machine.interface import FileSpan, Machine
from ennio.model.clock import parse_time, rfc3339

_MOST = 64 << 20  # bytes: a line for each message of a session's life


class Typing(StrEnum):
    """How far a message came."""

    BEGUN = "begun"  # keys may have been pressed for it
    TAKEN = "taken"  # the agent took it
    MISSING = "missing"  # it was looked for and is not there


@dataclass(frozen=True, slots=True)
class TypedMessage:
    """The last that was written of a message: how far it came, and when its typing began."""

    typing: Typing
    at: datetime


class TypedLog:
    """One line for each thing that happened. Lines of an older version are ids alone:
    begun, nobody knows when.
    """

    def __init__(self, machine: Machine, path: Path) -> None:
        self._machine = machine
        self._path = path

    @property
    def span(self) -> FileSpan:
        """What is read of it."""
        return FileSpan(self._path, most=_MOST)

    def ahead(self) -> AbstractContextManager[None]:
        """While the block lasts, what is noted may wait for what is asked of the machine next, and
        is written before that.
        """
        return self._machine.gathered()

    def launched(self, number: int, owes: str | None = None) -> None:
        """This launch is about to begin; nothing when it has begun already. From now on what is
        not written down was not typed.

        ``owes``: its agent remembers nothing, and the first words of its session go with the
        message of this id, or, where that is empty, with the first that is typed.
        """
        launches = [
            line["launch"]
            for line in self._lines() or ()
            if isinstance(line, dict) and "launch" in line
        ]
        if launches[-1:] != [number]:
            self._append({"launch": number} | ({} if owes is None else {"owes": owes}))

    def note(self, message_id: str, typing: Typing, at: datetime) -> None:
        """Write it down."""
        self._append({"id": message_id, "typing": typing, "at": rfc3339(at)})

    def may_have_typed(self, message_id: str) -> bool:
        """Whether a key may ever have been pressed for it; also where nothing was
        kept, as by an older version.
        """
        lines = self._lines()
        return lines is None or any(
            line == message_id or (isinstance(line, dict) and line.get("id") == message_id)
            for line in lines
        )

    def of_this_launch(self, message_id: str) -> TypedMessage | None:
        """What is known of it in this life of the agent; None when it was not typed in it."""
        found = None
        for line in self._lines() or ():
            if isinstance(line, dict) and "launch" in line:
                found = None
            elif isinstance(line, dict) and line.get("id") == message_id:
                found = _message(line) or found
        return found

    @property
    def begins_anew(self) -> bool:
        """Whether the agent of this launch remembers nothing, and is told by a message."""
        launches = [line for line in self._lines() or () if _is_launch(line)]
        return bool(launches) and "owes" in launches[-1]

    def goes_with_the_first(self, message_id: str) -> bool:
        """Whether the first words of the session go with this message in this launch."""
        owes, had = None, dict[str, str]()
        for line in self._lines() or ():
            if _is_launch(line):
                owes, had = line.get("owes"), {}
            elif isinstance(line, dict):
                had[str(line.get("id"))] = str(line.get("typing"))
        if owes != "":
            return owes == message_id
        typed = [one for one, typing in had.items() if typing != Typing.MISSING]
        return typed[:1] in ([], [message_id])

    def _lines(self) -> list[Any] | None:
        (part,) = self._machine.read([self.span])
        if isinstance(part, FileNotFoundError):
            return None
        if isinstance(part, OSError):
            raise part
        return [line for line in map(_read, part.data.decode().splitlines()) if line is not None]

    def _append(self, line: dict[str, Any]) -> None:
        with self._machine.gathered():
            self._machine.make_folder(self._path.parent, private=True)
            # a line that a crash cut off spoils no other
            self._machine.append(self._path, f"\n{json.dumps(line)}\n".encode())


def _is_launch(line: Any) -> bool:
    return isinstance(line, dict) and "launch" in line


def _read(line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None  # a crash, or a full disk, cut it off


def _message(line: dict[str, Any]) -> TypedMessage | None:
    try:
        return TypedMessage(Typing(line["typing"]), parse_time(line["at"]))
    except (KeyError, TypeError, ValueError):
        return None
