"""What can be done to a session: the verbs of the API, and the key that each has on the board."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ennio.board.row import Row, words

KEYS: Mapping[str, str] = {
    "answer": "a",
    "tell": "s",
    "interrupt": "i",
    "approve": "A",
    "request-changes": "C",
    "merge": "m",
    "restore": "R",
    "cleanup": "c",
    "kill": "K",
    "end": "E",
    "seen": "u",
    "go-on": "O",
    "resume": "v",
    "raise": "B",
    "look": "l",
    "open": "⏎",
    "take-over": "⏎",
    "rerun": "t",
    "nudge": "!",
    "leave-queue": "L",
    "release": "h",
    "drop": "x",
    "move": "+",
}
LINES: Mapping[str, str] = {
    "answer": "answer",
    "tell": "tell the agent",
    "request-changes": "what should change",
    "raise": "raise by how many dollars",
}
"""What the line is called in which a verb's words are typed."""
_PLACE = re.compile(r"\{(\w+)\}")
_GIVEN = re.compile(r"\b[A-Z]{3,}\b")


@dataclass(frozen=True, slots=True)
class BoardVerb:
    """One verb: its operation, its command, what it asks before it is done.

    ``takes`` is the field that what a person types goes into, ``body`` what is sent besides,
    ``seen`` the fields for what the row showed then; ``once``: it is sent under a key.
    """

    name: str
    label: str
    method: str
    path: str
    line: str
    confirm: str = ""
    takes: str = ""
    body: Mapping[str, object] = field(default_factory=dict, hash=False)
    once: bool = False
    seen: Mapping[str, str] = field(default_factory=dict, hash=False)

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> BoardVerb:
        """The verb of one item of ``GET /verbs``."""
        body, seen = told.get("body"), told.get("seen")
        return cls(
            words(told.get("name")),
            words(told.get("label") or told.get("name")),
            words(told.get("method")),
            words(told.get("path")).removeprefix("/api/v1"),
            words(told.get("command")),
            words(told.get("confirm")),
            words(told.get("takes")),
            body if isinstance(body, Mapping) else {},
            told.get("once") is True,
            seen if isinstance(seen, Mapping) else {},
        )

    @property
    def asks_words(self) -> bool:
        """Whether a line is typed for it; a place in the queue comes of the key."""
        return bool(self.takes) and self.name != "move"

    def target(self, row: Row) -> str:
        """The path of its operation for a session."""
        return _filled(self.path, row, quoted=True)

    def command(self, row: Row, given: str = "") -> str:
        """The line of the command for a session; what only a person knows stays in capitals."""
        line = _filled(self.line, row)
        return _GIVEN.sub(lambda _: shlex.quote(given), line) if given else line

    def question(self, row: Row) -> str:
        """What is asked before it is done, about a session."""
        asked = _filled(self.confirm, row)
        expected = row.clashes if self.name == "merge" else ""
        return f"A {expected} is expected. {asked}" if expected else asked

    def with_words(self, given: object, row: Row) -> Mapping[str, object]:
        """The body of its operation, for a session as it was when they were begun."""
        shown = {name: row.document.get(field) for name, field in self.seen.items()}
        seen = {name: value for name, value in shown.items() if value is not None}
        return {**self.body, **seen, **({self.takes: given} if self.takes else {})}


def _filled(text: str, row: Row, *, quoted: bool = False) -> str:
    return _PLACE.sub(
        lambda found: _segment(_value(found[1], row)) if quoted else _value(found[1], row), text
    )


def _segment(value: str) -> str:
    from urllib.parse import quote  # noqa: PLC0415 - the first frame fills no path

    return quote(value, safe="")


def _value(name: str, row: Row) -> str:
    return {"session_id": row.id, "project_id": row.project}.get(name, str(row.pr or ""))


@dataclass(frozen=True, slots=True)
class VerbTable:
    """All verbs by name."""

    verbs: Mapping[str, BoardVerb] = field(default_factory=dict)

    @classmethod
    def of(cls, told: Iterable[Mapping[str, Any]]) -> VerbTable:
        """The table of ``GET /verbs``."""
        return cls({verb.name: verb for verb in map(BoardVerb.of, told)})

    def get(self, name: str) -> BoardVerb | None:
        """The verb of this name."""
        return self.verbs.get(name)

    def by_key(self, key: str, row: Row) -> BoardVerb | None:
        """What a key does to a session: of two verbs with one key, the one that is wanted."""
        found = [name for name, own in KEYS.items() if own == key and name in self.verbs]
        wanted = [name for name in found if name in row.wants]
        name = next(iter(wanted or found), None)
        return self.verbs[name] if name else None


NO_VERBS = VerbTable()
