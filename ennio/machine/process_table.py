"""The processes of this machine, by their numbers and births.

Where there is ``/proc`` it is read; elsewhere ``ps`` is asked, once for all. The daemon of
terminals looks here too, which has the standard library alone.
"""

from __future__ import annotations

import contextlib
import functools
import os
import subprocess
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from ennio.machine.interface import ProcessEntry, ProcessId

_PROC = Path("/proc")
PS_FIELDS = "pid=,ppid=,pgid=,state=,lstart=,ucomm="
_BIRTH = 24  # letters of a time as ``ps`` writes it: Thu Jan  1 00:00:00 1970
_ENDED = frozenset("ZX")


def start_of(pid: int) -> str:
    """The kernel's start time of a living process as text, empty when it is gone or a zombie.

    Clock ticks since boot where there is ``/proc``, else what ``ps`` calls ``lstart``;
    only good for comparing.
    """
    found = entry(pid)
    return "" if found is None or found.ended else found.id.born


def is_alive(pid: int | None, born: str) -> bool:
    """Whether this very process still runs; without a known start nothing is claimed."""
    return pid is not None and bool(born) and start_of(pid) == born


def entry(pid: int) -> ProcessEntry | None:
    """One process as it is listed now; None when there is none of that number."""
    return entries([pid]).get(pid)


def entries(pids: Iterable[int]) -> Mapping[int, ProcessEntry]:
    """Those of these that there are."""
    if not _has_proc():
        return _by_ps("-p", ",".join(map(str, pids)))
    return {pid: found for pid in pids if (found := _by_proc(pid)) is not None}


def others() -> tuple[ProcessEntry, ...]:
    """All living processes but this one and its ancestors."""
    known = entries(_pids()) if _has_proc() else _by_ps("-ax")
    mine = _mine(known)
    return tuple(one for pid, one in known.items() if pid not in mine and not one.ended)


def marked(variable: str) -> tuple[tuple[ProcessEntry, str], ...]:
    """The others that this variable was given to, with its value; those of
    other users do not tell.
    """
    told = [(pid, value) for pid in _pids() if (value := _given(pid, variable)) is not None]
    known = entries(pid for pid, _ in told) if told else {}
    mine = _mine(known) if known else frozenset()
    return tuple(
        (known[pid], value)
        for pid, value in told
        if pid in known and pid not in mine and not known[pid].ended
    )


@functools.cache
def _has_proc() -> bool:
    return (_PROC / "self/stat").exists()


def _pids() -> Iterable[int]:
    return (
        [int(name) for name in os.listdir(_PROC) if name.isdigit()]
        if _has_proc()
        else [*_by_ps("-ax")]
    )


def _by_proc(pid: int) -> ProcessEntry | None:
    try:
        text = (_PROC / str(pid) / "stat").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None  # one that may not be looked at is none that we started
    return from_stat(pid, text)


def from_stat(pid: int, text: str) -> ProcessEntry:
    """A process as the kernel lists it in ``/proc``. Raises ValueError, IndexError."""
    # the name of the program stands in brackets and may hold anything, so count from the last one
    before, _, after = text.rpartition(")")
    state, parent, group, session, *rest = after.split()
    name = before.partition("(")[2]
    return ProcessEntry(
        ProcessId(pid, rest[15]), int(parent), int(group), int(session), name, state in _ENDED
    )


def _by_ps(*which: str) -> Mapping[int, ProcessEntry]:
    asked = ["ps", "-o", PS_FIELDS, *which]
    done = subprocess.run(
        asked, capture_output=True, text=True, errors="replace", timeout=5, check=False, env=_PLAIN
    )
    return {
        found.id.pid: found
        for line in done.stdout.splitlines()
        if (found := from_ps(line, os.getsid)) is not None
    }


_PLAIN = {
    "PATH": os.environ.get("PATH", os.defpath),
    "LC_ALL": "C",
}  # times are compared, so they are always written alike


def from_ps(line: str, session_of: Callable[[int], int]) -> ProcessEntry | None:
    """A process as ``ps`` lists it with ``PS_FIELDS``; who can tell its session does."""
    try:
        pid, parent, group, state, rest = line.split(None, 4)
    except ValueError:
        return None
    born, name = rest[:_BIRTH].strip(), rest[_BIRTH:].strip()
    session = 0
    with contextlib.suppress(OSError):
        session = session_of(int(pid))
    return ProcessEntry(
        ProcessId(int(pid), born), int(parent), int(group), session, name, state[0] in _ENDED
    )


def _mine(known: Mapping[int, ProcessEntry]) -> frozenset[int]:
    """This process and its ancestors."""
    mine, pid = set[int](), os.getpid()
    while pid > 0 and pid not in mine:
        mine.add(pid)
        found = known.get(pid) or entry(pid)
        pid = found.parent if found is not None else 0
    return frozenset(mine)


def _given(pid: int, variable: str) -> str | None:
    """What it was given as this variable at its start, None when it was not or does not say."""
    if not _has_proc():
        import psutil  # noqa: PLC0415 - only where there is no /proc, and never in the daemon of terminals

        with contextlib.suppress(psutil.Error, OSError):
            return psutil.Process(pid).environ().get(variable)
        return None
    try:
        raw = (_PROC / str(pid) / "environ").read_bytes()
    except OSError:
        return None
    name = os.fsencode(variable) + b"="
    found = (
        next((entry for entry in raw.split(b"\0") if entry.startswith(name)), None)
        if name in raw
        else None
    )
    return os.fsdecode(found[len(name) :]) if found is not None else None
