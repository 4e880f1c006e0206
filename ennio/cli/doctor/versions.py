"""What outlives an update of Ennio, and how this version gets along with each: the database, the
supervisor and the terminal daemon that run, nodes on other machines.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ennio import __version__
from ennio.cli.doctor.finding import Finding, broken, fine, warning
from ennio.model.plural import number_of
from ennio.plugins.runtime.ptyd import protocol

_PATIENCE = 60.0
_UPDATE = "update Ennio (docs/install.md)"


def database(url: str, *, running: bool = False) -> Finding:
    """The tables of the database, looked at by a process of its own. ``running``: a supervisor
    writes to it.
    """
    asked = subprocess.run(
        [sys.executable, "-m", "ennio.store.schema_version"],
        input=url,
        capture_output=True,
        text=True,
        timeout=_PATIENCE,
        check=False,
    )
    try:
        told = json.loads(asked.stdout)
    except ValueError:
        told = {"error": asked.stderr.strip().rpartition("\n")[2]}
    if "error" in told:
        return broken(f"the database cannot be looked at: {told['error']}", "ennio doctor")
    return of_schema(told, running=running)


def of_schema(told: Mapping[str, Any], *, running: bool = False) -> Finding:
    """What a start makes of a database at this step."""
    name, schema, newest = told["database"], told["schema"], told["newest"]
    if schema is None and running:
        what = f"the database {name} is gone, and a supervisor runs on it"
        return broken(what, "ennio doctor  (tells how what it held is gone on with)")
    if schema is None:
        return fine(f"there is no database {name} yet; the next start makes it")
    if schema > newest:
        return broken(
            f"the database {name} is of a newer Ennio (schema {schema}, this one knows {newest}): "
            "no start touches it; agents that run go on, unwatched, until one can",
            f"{_UPDATE}, or restore the copy made before the newer one began",
        )
    if schema == newest:
        return fine(f"the database {name} is of this version (schema {schema})")
    steps = told["steps"]
    many = number_of(len(steps), "step")
    return warning(
        f"the database {name} is of an earlier Ennio (schema {schema or 'of 0.1'}); the next start "
        f"brings it to {newest} in {many}, all or none ({_some(steps)}): sessions, history and "
        "messages stay, agents that run go on; the earlier Ennio cannot open it afterwards",
        _copy(name, running=running),
    )


def _some(steps: Sequence[str]) -> str:
    shown = ", ".join(steps[-3:])
    return shown if len(steps) <= 3 else f"..., {shown}"


def _copy(name: str, *, running: bool) -> str:
    if not name.startswith("sqlite:"):
        return f"to be able to go back, save it first: pg_dump {name}"
    file = name.removeprefix("sqlite:")
    stop = "ennio stop && " if running else ""  # where none runs it fails, and nothing were saved
    saved = f"cp {shlex.quote(file)} {shlex.quote(f'{file}.before')}"
    return f"to be able to go back, save it first: {stop}{saved}"


def supervisor(version: str | None) -> Finding:
    """The supervisor that runs; None where none does."""
    if version is None:
        return fine("no supervisor runs; the next start is of this version")
    if version == __version__:
        return fine(f"the supervisor that runs is of this version ({version})")
    return warning(
        f"the supervisor that runs is Ennio {version}, this is {__version__}: it goes on as it is, "
        "and commands may find that it does not know them",
        "ennio stop && ennio start --detach  (agents go on, and the next start finds them)",
    )


def terminals(directory: Path) -> Finding | None:
    """The daemon of terminals (``runtime: process``), where one runs."""
    if not protocol.is_running(directory):
        return None
    try:
        with protocol.connect(directory, _PATIENCE) as connection:
            told, _ = protocol.ask(connection, {"op": "list"})
    except (OSError, ValueError) as error:
        what = f"the terminal daemon in {directory} lives, but does not answer ({error})"
        return warning(what, "its agents go on; try again in a while")
    return of_daemon(told)


def of_daemon(told: Mapping[str, Any]) -> Finding:
    """How a terminal daemon that describes itself so, or does not, is met."""
    spoken = told.get("protocol")
    if spoken == protocol.PROTOCOL:
        living = sum(not pane["dead"] for pane in told["panes"])
        return fine(f"the terminal daemon speaks as this version does ({living} living)")
    if spoken is None or spoken < protocol.PROTOCOL:
        return warning(
            "the terminal daemon is of an earlier Ennio: its agents go on and are looked after as "
            "before; their terminals are shown in a browser by looking again and again",
            "nothing; it ends by itself a minute after the last of its agents, and the next one is "
            "of this version",
        )
    return warning(
        f"the terminal daemon is of a newer Ennio ({told.get('version', '?')}): its agents go on, "
        "and what this version asks of it, it understands",
        _UPDATE,
    )


def nodes(found: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    """Nodes on other machines, as the running supervisor knows them."""
    for node in found:
        version = node.get("version")
        if not node.get("host") or version is None or version == __version__:
            continue
        project = next(iter(node.get("of_projects") or ()), node["name"])
        yield warning(
            # one that does not understand this version is replaced, or refused, as it is met
            f"the node on {node['name']} is Ennio {version}, this is {__version__}: it understands "
            "what this one asks of it, and its agents go on",
            f"ennio node disconnect {project} && ennio node connect {project}  (its sessions go "
            "on, and the new node finds them)",
        )
