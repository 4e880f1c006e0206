"""What a survey says of agents' processes. A failed look is never proof of death.

A process is looked up on the machine where the terminal is, all that have to be by one request.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from ennio.machine.interface import Machine
from ennio.model.facts import Presence, ProcessSeen
from ennio.model.session import RuntimeHandle
from ennio.plugins.runtime.interface import Pane

UNTETHERED = "its process runs, but its terminal is gone"


def process_of(handle: RuntimeHandle) -> tuple[int | None, str]:
    """The pid and start that a handle remembers."""
    pid = handle.data.get("pid", "")
    return (int(pid) if pid.isdigit() else None), handle.data.get("started", "")


def judged(
    machine: Machine,
    handles: Mapping[str, RuntimeHandle | None],
    panes: Mapping[str, Pane],
    source: str,
    now: datetime,
) -> dict[str, ProcessSeen]:
    """Whether each of these agents is alive or gone, or nobody can say, after a survey that
    has found these terminals.

    A terminal that ended without a word counts as gone only once the process of
    the handle is gone as well.
    """
    terminals = {name: _own(handle, panes.get(name)) for name, handle in handles.items()}
    open_ones = [
        handle
        for name, handle in handles.items()
        if handle is not None and not _tells(terminals[name])
    ]
    alive = _alive(machine, [process_of(handle) for handle in open_ones])
    return {
        name: _verdict(handle, terminals[name], source, now, alive)
        for name, handle in handles.items()
    }


def judge(
    machine: Machine,
    handle: RuntimeHandle | None,
    pane: Pane | None,
    surveyed: bool,
    source: str,
    now: datetime,
) -> ProcessSeen:
    """The same of one. ``surveyed`` False means that the survey failed;
    ``pane`` is then not looked at.
    """
    if surveyed:
        return judged(machine, {"": handle}, {"": pane} if pane is not None else {}, source, now)[
            ""
        ]
    pid = process_of(handle)[0] if handle is not None else None
    return ProcessSeen(
        Presence.UNKNOWN, now, source, pid=pid, detail="the runtime could not be asked"
    )


def _own(handle: RuntimeHandle | None, pane: Pane | None) -> Pane | None:
    """The terminal, unless it is that of another launch."""
    if (
        pane is None
        or handle is None
        or handle.data.get("number", str(pane.number)) == str(pane.number)
    ):
        return pane
    return None


def _tells(pane: Pane | None) -> bool:
    """Whether a terminal says by itself what became of its agent."""
    return pane is not None and (
        not pane.dead or pane.exit_code is not None or pane.signal is not None
    )


def _alive(
    machine: Machine, processes: list[tuple[int | None, str]]
) -> frozenset[tuple[int | None, str]]:
    """Those that still run; without a known start nothing is claimed."""
    known = [(pid, born) for pid, born in processes if pid is not None and born]
    found = machine.processes([pid for pid, _ in known]) if known else {}
    return frozenset(
        (pid, born)
        for pid, born in known
        if pid in found and not found[pid].ended and found[pid].id.born == born
    )


def _verdict(
    handle: RuntimeHandle | None,
    pane: Pane | None,
    source: str,
    now: datetime,
    alive: frozenset[tuple[int | None, str]],
) -> ProcessSeen:
    if pane is not None and _tells(pane):
        return _seen(Presence.GONE if pane.dead else Presence.ALIVE, pane, source, now)
    process = process_of(handle) if handle is not None else (None, "")
    if process in alive:
        return ProcessSeen(Presence.UNKNOWN, now, source, pid=process[0], detail=UNTETHERED)
    if pane is not None:
        return _seen(Presence.GONE, pane, source, now, "it ended without an exit code")
    return ProcessSeen(
        Presence.GONE,
        now,
        source,
        pid=process[0],
        detail="its terminal is gone and so is its process",
    )


def _seen(
    presence: Presence, pane: Pane, source: str, now: datetime, detail: str = ""
) -> ProcessSeen:
    return ProcessSeen(
        presence,
        now,
        source,
        pane.pid,
        pane.exit_code,
        pane.signal,
        pane.output_at,
        pane.title,
        detail,
        pane.number,
    )
