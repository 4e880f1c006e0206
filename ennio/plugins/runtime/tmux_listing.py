"""What tmux lists of its panes, line by line, and what of them an agent's terminal is."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from ennio.machine import single
from ennio.machine.interface import Machine
from ennio.machine.questions import PrintedPid, Questions
from ennio.plugins.runtime.interface import Pane

# The title stands last: it is the only field that may hold the separator.
_FIELDS = (
    "session_name", "@ennio_number", "pane_id", "@ennio_pane", "pid", "pane_pid", "pane_dead",
    "pane_dead_status", "pane_dead_signal", "window_activity", "pane_tty", "pane_title",
)  # fmt: skip
_SERVER_PID = _FIELDS.index("pid")
PROCESS = Questions(printed=PrintedPid("|", _FIELDS.index("pane_pid") + 1))
"""The program of the pane that is listed first."""
FORMAT = "|".join(f"#{{{field}}}" for field in _FIELDS)


@dataclass(frozen=True, slots=True)
class PaneRow:
    """An agent's pane: what tmux calls it, and what a survey tells of it."""

    pane_id: str
    pane: Pane


def is_listing(text: str) -> bool:
    """Whether this is what ``FORMAT`` makes of one pane or more. Of anything else nothing follows,
    least of all that a session is gone.
    """
    lines = _lines(text)
    return bool(lines) and all(line.count("|") >= len(_FIELDS) - 1 for line in lines)


def server_pid(listing: str) -> int:
    """The process of the server that listed them."""
    return int(listing.split("|", _SERVER_PID + 1)[_SERVER_PID])


def rows_of(machine: Machine, listing: str) -> list[PaneRow]:
    """The panes that are an agent's, as their lines tell."""
    rows: list[PaneRow] = []
    for line in _lines(listing):
        parts = line.split("|", len(_FIELDS) - 1)
        if len(parts) == len(_FIELDS) and parts[1].isdigit() and parts[2] == parts[3]:
            rows.append(PaneRow(parts[2], _read(machine, parts)))
    return rows


def _lines(listing: str) -> list[str]:
    """By newline alone: a title may hold what else Python takes for the end of a line."""
    return [line for line in listing.split("\n") if line]


def _read(machine: Machine, parts: Sequence[str]) -> Pane:
    name, number, _, _, server, pid, dead, status, killed_by, active, tty, title = parts
    ended = dead == "1"
    if ended and not status and not killed_by and machine.processes([int(pid)]):
        ended = False  # its terminal is closed, but nobody has seen it end
        _remind(machine, int(server))
    return Pane(
        name,
        int(number),
        int(pid) if pid.isdigit() else None,
        ended,
        int(status) if ended and status else None,
        _signal(killed_by) if ended and killed_by else None,
        datetime.fromtimestamp(int(active), UTC) if active else None,
        title,
        tty,
    )


def _remind(machine: Machine, server: int) -> None:
    """Make tmux wait for its children again: now and then it misses the end of one, and then
    never tells how it ended.
    """
    machine.signal([single.process(machine, server)], signal.SIGCHLD)


def _signal(text: str) -> int | None:
    """A signal as tmux tells it: a number, or a name with or without SIG, by platform."""
    if text.isdigit():
        return int(text)
    return {member.name.removeprefix("SIG"): int(member) for member in signal.Signals}.get(
        text.upper().removeprefix("SIG")
    )
