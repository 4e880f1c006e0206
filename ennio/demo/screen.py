"""How the demo is shown: live at a terminal, else a line per event."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ennio.board.table import Column, clean, cut, table

if TYPE_CHECKING:
    from ennio.demo.director import Director

WIDE = 9
COLUMNS = (Column("ROLE"), Column("STATUS"), Column("ACTIVITY"), Column("PR"), Column("WHY", elastic=True))
QUIET = frozenset({"session_queued", "activity_changed", "notification_sent"})


class Screen:
    """Shows what happens. ``quiet``: nothing at all."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._live = not quiet and sys.stdout.isatty()
        self._begun = time.monotonic()
        self._lines: deque[str] = deque(maxlen=200)
        self._sessions: Sequence[Mapping[str, Any]] = ()
        self._terminal: Any = None

    def __enter__(self) -> Screen:
        if self._live:
            from blessed import Terminal  # noqa: PLC0415 - only for people who look

            self._terminal = Terminal()
            sys.stdout.write(self._terminal.enter_fullscreen + self._terminal.hide_cursor)
        return self

    def __exit__(self, *_: object) -> None:
        if self._terminal is not None:
            sys.stdout.write(self._terminal.exit_fullscreen + self._terminal.normal_cursor)
            sys.stdout.flush()
            for line in self._lines:
                print(line)

    def say(self, who: str, words: str) -> None:
        """Something the director does."""
        self._add(f"> {who}", words)

    def event(self, event: Mapping[str, Any], director: Director) -> None:
        """Something that happened."""
        part = director.parts.get(event["session_id"])
        if event["event_type"] in QUIET and self._live:
            return
        self._add(part.role if part else event["session_id"], f"{event['event_type']}: {event['message']}")

    def show(self, sessions: Sequence[Mapping[str, Any]]) -> None:
        """The sessions as they stand; at a terminal only."""
        self._sessions = sessions
        if self._live:
            self._paint()

    def _add(self, who: str, words: str) -> None:
        line = f"{time.monotonic() - self._begun:6.1f} s  {who:<{WIDE}} {clean(words)}"
        self._lines.append(line)
        if self._live:
            self._paint()
        elif not self._quiet:
            print(line, flush=True)

    def _paint(self) -> None:
        terminal = self._terminal
        width, height = terminal.width, terminal.height
        head = [f"ennio demo   {time.monotonic() - self._begun:5.1f} s", ""]
        rows = table(COLUMNS, [_row(session) for session in self._sessions], width)
        room = max(0, height - len(head) - len(rows) - 2)
        lines = [*head, *rows, "", *list(self._lines)[-room:]]
        painted = [terminal.home] + [cut(line, width) + terminal.clear_eol + "\n" for line in lines[: height - 1]]
        sys.stdout.write("".join(painted) + terminal.clear_eos)
        sys.stdout.flush()


def _row(session: Mapping[str, Any]) -> tuple[str, ...]:
    number = session.get("pr_number")
    return (
        str(session.get("role", "")),
        str(session.get("status", "")),
        str(session.get("activity") or "-"),
        f"#{number}" if number else "-",
        str(session.get("reason") or ""),
    )
