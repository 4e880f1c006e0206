"""What Ennio's files take on a machine, and old logs among them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from pathlib import Path

from ennio.machine.home import Home
from ennio.machine.interface import Command, FileKind, FileState, Machine
from ennio.model.errors import Unreachable

KINDS = ("worktrees", "clones", "sessions", "forge", "run", "databases")
"""The folders below ``ENNIO_HOME``."""
_PATIENCE = 300.0
_KIB = 1024
_BILLION = 10**9


def usage(machine: Machine, home: Home) -> Mapping[str, int]:
    """Bytes on the disk by folder; by one command, whatever lies in them. Raises Unreachable."""
    there = [kind for kind in KINDS if not isinstance(_state(machine, home.root / kind), OSError)]
    if not there:
        return {}
    folders = [str(home.root / kind) for kind in there]
    done = machine.run(Command(("du", "-sk", *folders), timeout=_PATIENCE))
    # a file that went meanwhile makes it fail, and the sums are there all the same
    sums = dict(zip(there, done.stdout.decode(errors="replace").splitlines(), strict=False))
    if done.overdue is not None or len(sums) < len(there):
        raise Unreachable(f"du did not tell what {home.root} takes")
    return {kind: int(line.split()[0]) * _KIB for kind, line in sums.items()}


def forget_logs(
    machine: Machine, home: Home, session_ids: Collection[str], before: datetime
) -> int:
    """Remove the logs of these sessions that were written to before that only; how many."""
    try:
        there = set(machine.list(home.root / "sessions")) & set(session_ids)
    except OSError:
        return 0
    logs = [path for name in sorted(there) for path in _logs(machine, home.session(name))]
    old = [
        path
        for path, state in zip(logs, machine.stat(logs, follow=False), strict=True)
        if isinstance(state, FileState)
        and state.kind is FileKind.FILE
        and state.modified < before.timestamp() * _BILLION
    ]
    machine.remove(old)
    return len(old)


def _logs(machine: Machine, folder: Path) -> list[Path]:
    try:
        return [folder / name for name in machine.list(folder) if name.endswith(".log")]
    except OSError:
        return []


def _state(machine: Machine, path: Path) -> FileState | OSError:
    return machine.stat([path])[0]
