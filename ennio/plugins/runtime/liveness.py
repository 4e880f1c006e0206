"""What a survey says of one agent's process. A failed look is never proof of death."""

from __future__ import annotations

from datetime import datetime

from ennio.model.facts import Presence, ProcessSeen
from ennio.model.session import RuntimeHandle
from ennio.plugins.process_start import is_alive, process_of
from ennio.plugins.runtime.interface import Pane

UNTETHERED = "its process runs, but its terminal is gone"


def judge(
    handle: RuntimeHandle | None, pane: Pane | None, surveyed: bool, source: str, now: datetime
) -> ProcessSeen:
    """Whether the agent is alive, gone, or nobody can say.

    ``surveyed`` False means that the survey failed; ``pane`` is then not looked at. A terminal that
    ended without a word counts as gone only once the process of the handle is gone as well.
    """
    pid, born = process_of(handle) if handle is not None else (None, "")
    if not surveyed:
        return ProcessSeen(
            Presence.UNKNOWN, now, source, pid=pid, detail="the runtime could not be asked"
        )
    if pane is not None and _is_other_launch(handle, pane):
        pane = None
    if pane is not None and not pane.dead:
        return _seen(Presence.ALIVE, pane, source, now)
    if pane is not None and (pane.exit_code is not None or pane.signal is not None):
        return _seen(Presence.GONE, pane, source, now)
    if is_alive(pid, born):
        return ProcessSeen(Presence.UNKNOWN, now, source, pid=pid, detail=UNTETHERED)
    if pane is not None:
        return _seen(Presence.GONE, pane, source, now, "it ended without an exit code")
    return ProcessSeen(
        Presence.GONE, now, source, pid=pid, detail="its terminal is gone and so is its process"
    )


def _is_other_launch(handle: RuntimeHandle | None, pane: Pane) -> bool:
    return handle is not None and handle.data.get("number", str(pane.number)) != str(pane.number)


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
