"""What an agent leaves running when its terminal closes: found by its mark, and ended.

Every process an agent starts inherits ``ENNIO_SESSION_ID``, however often it forks and whatever
session it moves to; a session id is unique, so the mark belongs to nobody else. It is looked for on
the machine where the agent is.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterable

from ennio.machine.interface import Machine, ProcessEntry, ProcessId
from ennio.machine.questions import Questions
from ennio.model.errors import Unreachable

MARK = "ENNIO_SESSION_ID"
_KILL_WITHIN = 5.0


def find(machine: Machine, session_id: str) -> list[ProcessId]:
    """The living processes that carry the session's mark; never this one or its ancestors."""
    return carrying(machine, MARK, session_id.__eq__)


def carrying(machine: Machine, mark: str, accepts: Callable[[str], bool]) -> list[ProcessId]:
    """The living processes that were given this variable with a value that is accepted; never
    this one or its ancestors.
    """
    return [found.id for found, value in machine.marked(mark) if accepts(value)]


def family(machine: Machine, pid: int | None, born: str) -> list[ProcessId]:
    """An agent, its descendants and all of its kernel session, marked or not.

    Empty when the pid belongs to another process by now. Ask before the agent ends: afterwards
    nobody knows the kinship.
    """
    if pid is None or not born:
        return []
    known = machine.processes([pid]).get(pid)
    if known is None or known.ended or known.id.born != born:
        return []
    others = machine.others()
    kin = _descendants(pid, others)
    return [other.id for other in others if other.id.pid in kin or other.session == pid]


def _descendants(pid: int, others: Iterable[ProcessEntry]) -> frozenset[int]:
    """A process and those it started, and so on."""
    children: dict[int, list[int]] = {}
    for other in others:
        children.setdefault(other.parent, []).append(other.id.pid)
    kin, waiting = {pid}, [pid]
    while waiting:
        new = [child for child in children.get(waiting.pop(), ()) if child not in kin]
        kin.update(new)
        waiting += new
    return frozenset(kin)


def end(
    machine: Machine, session_id: str, grace: float = 5.0, known: Iterable[ProcessId] = ()
) -> None:
    """End everything that carries the mark, and the ``known``: TERM, and KILL after the grace.
    Blocks until they are gone.

    Raises Unreachable when some outlive even that.
    """
    end_carrying(machine, MARK, session_id.__eq__, known, grace, f"session {session_id}")


def end_carrying(
    machine: Machine,
    mark: str,
    accepts: Callable[[str], bool],
    known: Iterable[ProcessId],
    grace: float,
    what: str,
) -> None:
    """End what carries another mark, and the ``known``, as ``end`` does."""
    remembered = list(known)
    asked = Questions(pids=[one.pid for one in remembered], marked=[mark])

    def living() -> set[ProcessId]:
        with machine.foreseen(asked):
            return _living(machine, remembered) | set(carrying(machine, mark, accepts))

    _end(machine, living, grace, what)


def end_known(machine: Machine, known: Iterable[ProcessId], grace: float, what: str) -> None:
    """End these alone, as ``end`` does; ``what`` they are is for the error."""
    remembered = list(known)
    _end(machine, lambda: _living(machine, remembered), grace, what)


def _living(machine: Machine, known: list[ProcessId]) -> set[ProcessId]:
    """Those that still are who they were."""
    found = machine.processes([one.pid for one in known]) if known else {}
    return {
        one
        for one in known
        if one.pid in found and found[one.pid].id == one and not found[one.pid].ended
    }


def _end(machine: Machine, living: Callable[[], set[ProcessId]], grace: float, what: str) -> None:
    if _press(machine, living, signal.SIGTERM, grace) or _press(
        machine, living, signal.SIGKILL, _KILL_WITHIN
    ):
        return
    pids = ", ".join(str(process.pid) for process in living())
    raise Unreachable(f"processes of {what} did not end when killed: {pids}")


def _press(
    machine: Machine, living: Callable[[], set[ProcessId]], number: int, within: float
) -> bool:
    deadline = time.monotonic() + within
    pause = 0.02
    told: set[ProcessId] = set()
    while rest := living():
        machine.signal(rest - told, number)
        told |= rest
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
        pause = min(pause * 1.5, 0.25)
    return True
