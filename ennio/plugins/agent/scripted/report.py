"""The player's honest account of itself: one JSON line per thing that happened.
The standard library only.

Every line has ``t`` (seconds since 1970) and ``type``:

    ready         pid, ppid, launch (its number): it takes prompts from now on
    prompt        id, text, sha256, head (the first characters), answer (to a question of its own)
    turn_started  id (of the prompt), turn (number in the story, null when it has none for the
                  words), from_step (where it goes on, of one that was interrupted)
    activity      activity, text
    waiting       question, options
    usage         id, input, output, cost, model: cumulative per id, so a later line replaces an
                  earlier
    window        name, account, used, resets_at (seconds since 1970), refused: one of its plan
    helpers       count: of agents it has begun itself, and that are at work
    summary       text
    error         text
    background    pid of a process it left behind
    turn_ended    id, ok, interrupted, cut (the step to go on with, where it was interrupted), text
                  (what the story waits for, where it has no turn for the words)
    exit          code
"""

from __future__ import annotations

import json
import os
import time

from ennio.machine.untrusted import json_value

try:  # hashlib would load all of OpenSSL
    from _sha256 import sha256  # type: ignore[import-not-found,unused-ignore]
except ImportError:
    from hashlib import sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Report:
    """Appends to the transcript; whole lines only, each in one write."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.path = path

    def write(self, kind: str, **fields: Any) -> None:
        """Add one line."""
        line = json.dumps({"t": round(time.time(), 3), "type": kind, **fields}, ensure_ascii=False)
        self.raw(line.encode(errors="replace") + b"\n")

    def raw(self, data: bytes) -> None:
        """Add bytes as they are."""
        while data:
            data = data[os.write(self._file, data) :]

    def prompt(self, text: str, *, answer: bool = False) -> str:
        """Note that words were taken, and return the id they go by."""
        name = f"p{time.time_ns():x}"
        self.write("prompt", id=name, sha256=digest(text), head=text[:80], text=text, answer=answer)
        return name


class EarlierRun:
    """What an earlier start of the same session left in the transcript."""

    __slots__ = ("_turn", "cut", "last", "pending", "played", "prompts", "turns")

    def __init__(self, path: str) -> None:
        self.prompts = 0
        self.turns = 0
        self.last = ""
        self.played: dict[int, int] = {}
        self.pending: dict[str, str] = {}
        self.cut: tuple[int, int, str] | None = None
        """The turn that was interrupted, the step to go on with, and the words it is of."""
        self._turn: tuple[int, str, bool] | None = None
        try:
            with open(path, encoding="utf-8", errors="replace") as lines:
                for line in lines:
                    self._note(line)
        except FileNotFoundError:
            pass

    def _note(self, line: str) -> None:
        try:
            entry = json_value(line)
        except ValueError:
            return
        kind = entry.get("type") if isinstance(entry, dict) else None
        if kind == "prompt" and not entry.get("answer"):
            self.prompts += 1
            self.last = entry.get("sha256", "")
            self.pending[entry.get("id", "")] = entry.get("text", "")
        elif kind == "turn_started":
            self.turns += 1
            self._begin(entry, self.pending.pop(entry.get("id", ""), ""))
        elif kind == "turn_ended":
            self._end(entry.get("cut"))

    def _begin(self, entry: dict[str, Any], text: str) -> None:
        number, goes_on = entry.get("turn"), "from_step" in entry
        self._turn = None
        if isinstance(number, int):
            words = self.cut[2] if goes_on and self.cut is not None else text
            self._turn = (number, words, goes_on)
            if not goes_on:
                self.played[number] = self.played.get(number, 0) + 1

    def _end(self, step: Any) -> None:
        turn, self._turn = self._turn, None
        if turn is not None and isinstance(step, int):
            self.cut = (turn[0], step, turn[1])
        elif turn is not None and turn[2]:
            self.cut = None


def digest(text: str) -> str:
    """The sha256 of a text, in hex."""
    return str(sha256(text.encode(errors="replace")).hexdigest())
