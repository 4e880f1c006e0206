"""What runs: the supervisor, what it left behind, terminals nobody knows."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ennio.cli.doctor.finding import Finding, broken, fine, warning
from ennio.config.database import shown
from ennio.machine.untrusted import json_file

if TYPE_CHECKING:
    from ennio.config.model import Config
    from ennio.machine.home import Home

_RECORD = "session.json"  # what ``ennio.actors.adoption`` notes of each launch
_MOST_BYTES = 4 * 1024 * 1024


def supervisor(url: str | None, trouble: str) -> Finding:
    """Whether the supervisor runs and answers."""
    if url is None:
        return fine("no supervisor runs (ennio start begins one)")
    if trouble:
        return warning(
            f"the supervisor at {url} does not answer: {trouble}",
            "ennio stop && ennio start --detach",
        )
    return fine(f"the supervisor answers at {url}")


def unreachable(executables: Mapping[str, str], pid: int) -> Iterator[Finding]:
    """Agents (by name, with their program) that are found here, but not on the PATH the
    supervisor was started with.
    """
    path = _path_of(pid)
    for name, program in executables.items():
        if path is not None and shutil.which(program) and not shutil.which(program, path=path):
            what = (
                f"agent {name} is found by this shell, but not by the supervisor: its PATH is "
                f"{path}"
            )
            yield broken(what, "ennio stop && ennio start --detach  (from this shell)")


def _path_of(pid: int) -> str | None:
    import psutil

    try:
        return psutil.Process(pid).environ().get("PATH", os.defpath)
    except (psutil.Error, OSError):
        return None  # not ours to see


def database(problem: str | None) -> Finding | None:
    """A database that was taken away under the running supervisor."""
    if not problem:
        return None
    what, _, way = problem.partition("; to go on with it: ")
    return broken(what, way or "ennio stop && ennio start --detach")


def leftover(directory: Path, *, running: bool) -> Finding | None:
    """An address without a supervisor: it ended without a word."""
    from ennio.http.address import ADDRESS

    left = directory / ADDRESS
    if running or not left.exists():
        return None
    return warning(
        "the last supervisor ended without tidying up; nothing is lost", "ennio start --detach"
    )


def sources(status: Mapping[str, Any]) -> Iterator[Finding]:
    """What the supervisor cannot see just now: a forge, a tracker, a runtime."""
    for name, health in sorted(status.get("sources", {}).items()):
        if not health["ok"]:
            why = health["detail"] or "it does not answer"
            yield warning(
                f"no signal from {name}: {why}",
                "ennio status  (it is looked at again all the time)",
            )


def metering(status: Mapping[str, Any]) -> Finding | None:
    """The metering proxy, where there is one and it runs; what is not well with it is told of
    with the other sources.
    """
    found = status.get("metering")
    if not found or not found["address"]:
        return None
    return fine(
        f"the metering proxy at {found['address']} (version {found['version']}) counts for "
        f"{len(found['sessions'])} session(s)"
    )


def degraded(status: Mapping[str, Any]) -> Iterator[Finding]:
    """What else of the supervisor is not well: an actor, a channel, the disk."""
    for each in status.get("degraded", []):
        if each["part"] in ("actor", "channel", "disk"):
            yield warning(f"{each['name']}: {each['detail']}", "ennio logs  (what led to it)")


def orphans(terminals: Collection[str], known: Collection[str], socket: str) -> Finding | None:
    """Terminals of agents that no session stands for; ``known`` are those of sessions, here
    and of other supervisors.
    """
    strays = sorted(set(terminals) - set(known))
    if not strays:
        return None
    shown = ", ".join(strays[:5]) + (f" and {len(strays) - 5} more" if len(strays) > 5 else "")
    return warning(
        f"{len(strays)} terminal(s) belong to no session known here: {shown}",
        f"tmux -L {socket} kill-session -t ={strays[0]}",
    )


def of_others(terminals: Collection[str], home: Home, config: Config) -> set[str]:
    """The terminals that another supervisor of this home launched, by the records of their
    launches: one socket serves them all.
    """
    return {name for name in terminals if _another(home.session(name) / _RECORD, config)}


def _another(record: Path, config: Config) -> bool:
    try:
        found = json_file(record, _MOST_BYTES)
        return bool(
            found["config"] != str(config.source)
            and found["database"] != shown(config.database_url)
        )
    except (OSError, ValueError, TypeError, KeyError):
        return False


def terminals(socket: str) -> tuple[str, ...]:
    """The names of the terminals on our tmux socket; none when there is no server (or no tmux)."""
    command = ["tmux", "-L", socket, "list-sessions", "-F", "#{session_name}"]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=10,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return tuple(done.stdout.split())
