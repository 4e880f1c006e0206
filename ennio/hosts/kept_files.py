"""What Ennio's files take on a machine, and old logs among them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from ennio.machine.home import Home
from ennio.machine.interface import Command, FileState, Machine
from ennio.model.errors import Unreachable

KINDS = ("worktrees", "clones", "sessions", "forge", "run", "databases")
"""The folders below ``ENNIO_HOME``."""
_PATIENCE = 300.0
_KIB = 1024
_FORGET = r"""
cd -- "$1" 2>/dev/null || exit 0
at=$2; shift 2
for id do shift
  if [ -d "$id" ] && ! [ -L "$id" ]; then set -- "$@" "./$id/."; fi
done
[ $# -gt 0 ] || exit 0
mark=./.before.$$
trap 'rm -f "$mark"' 0
TZ=UTC0 touch -t "$at" "$mark" || exit 1
find "$@" ! -name . -prune -type f -name '*.log' ! -newer "$mark" -print -exec rm -f {} +
exit 0
"""
"""What is there of these sessions, and no deeper; a log that goes meanwhile is no fault."""


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


def forget_logs(machine: Machine, home: Home, session_ids: Sequence[str], before: datetime) -> int:
    """Remove the logs of these sessions that were written to before that only; how many. By one
    command, whatever lies there. Raises Unreachable.
    """
    at = before.astimezone(UTC).strftime("%Y%m%d%H%M.%S")
    words = ("sh", "-c", _FORGET, "ennio", str(home.root / "sessions"), at, *session_ids)
    done = machine.run(Command(words, timeout=_PATIENCE))
    if done.code != 0 or done.overdue is not None:
        why = done.stderr.decode(errors="replace").strip() or "no answer in time"
        raise Unreachable(f"old logs below {home.root} could not be removed: {why}")
    return len(done.stdout.splitlines())


def _state(machine: Machine, path: Path) -> FileState | OSError:
    return machine.stat([path])[0]
