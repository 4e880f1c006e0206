"""The machines on which agents work: how they are, and the way to those that are elsewhere."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from ennio.board.quantities import age, local, size
from ennio.board.table import Column, table
from ennio.cli.command_result import CommandResult
from ennio.cli.context import path
from ennio.cli.number_argument import count
from ennio.model.errors import Refused, TimedOut, Unreachable
from ennio.model.plural import number_of
from ennio.model.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ennio.cli.context import CliContext
    from ennio.cli.parser import Parser
    from ennio.http.client import ApiClient

EXAMPLES = """\
  ennio node list
  ennio node status
  ennio node status build-server
  ennio node connect remote-project
  ennio node disconnect remote-project
  ennio node logs remote-project --lines 50
"""
COLUMNS = (
    Column("NODE"),
    Column("STATE"),
    Column("VERSION"),
    Column("UP", right=True),
    Column("ROUND TRIP", right=True),
    Column("SESSIONS", right=True),
    Column("MEMORY", right=True),
    Column("TROUBLE", elastic=True),
)
_RESTS = "idle"
"""The state of one that nobody needs, which is no trouble."""
_UNDER_WAY = ("connecting", "deploying")
_PAUSE, _FRESH, _PATIENCE = 0.3, 5.0, 600.0


def configure(parser: Parser) -> None:
    """The five sub-verbs."""
    subs = parser.verbs(
        list=(listed, "list the machines on which agents work"),
        status=(status, "show how a machine is, and what is looked at there"),
        connect=(connect, "connect to a project's machine, and start its node"),
        disconnect=(disconnect, "shut a project's node down; its sessions go on there"),
        logs=(logs, "show the end of the log of a project's node"),
    )
    subs["status"].add_argument("host", nargs="?", help="only this machine, or that of a project")
    for name in ("connect", "disconnect", "logs"):
        subs[name].add_argument("project", help="the project's id or name, or its machine")
    subs["logs"].add_argument("--lines", type=count, default=100, help="how many (100)")


def listed(_options: argparse.Namespace, context: CliContext) -> CommandResult:
    """The table of machines."""
    from datetime import UTC, datetime

    found, now = context.client().get("/nodes"), datetime.now(UTC)
    rows = [
        (
            one["name"],
            one["state"],
            one["version"] or _unknown(one),
            age(one["since"], now) or _unknown(one),
            _milliseconds(one["round_trip"]),
            str(one["sessions"]),
            "?" if one["free_memory"] is None else size(one["free_memory"]),
            "" if one["state"] == _RESTS else one["error"] or "",
        )
        for one in found
    ]
    return CommandResult(found, table(COLUMNS, rows, context.width))


def status(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """Each machine with what is looked at there, as it is now."""
    client = context.client()
    names = [options.host] if options.host else [_key(one) for one in client.get("/nodes")]
    chosen = [_fresh(client, name) for name in names]
    lines: list[str] = []
    for one in chosen:
        lines += [*([""] if lines else []), *_told(one, context.width)]
    return CommandResult(chosen, lines)


def connect(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """Connect, and say each step as it ends."""
    client = context.client()
    client.post(path("/nodes/{}/connect", options.project))
    node = _settled(client, options.project, context)
    if node["state"] == "connected":
        words = f"connected to {node['name']}: {_milliseconds(node['round_trip'])} there and back"
        version = f", ennio-node {node['version']}" if node["version"] else ""
        return CommandResult(node, [f"{words}{version}"])
    kind = Refused if node["state"] == "refused" else Unreachable
    if node["state"] in _UNDER_WAY:
        kind = TimedOut
    raise kind(f"{node['name']} is {node['state']}: {node['error'] or 'no answer yet'}")


def disconnect(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """Shut its daemon down."""
    parted = context.client().post(path("/nodes/{}/disconnect", options.project))
    many = parted["sessions"]
    some = f"{number_of(many, 'session goes', 'sessions go')} on there, unseen"
    goes_on = some if many else "no session is there"
    lines = [
        f"disconnected {parted['host']}: {goes_on}",
        f"ennio node connect {options.project} connects again",
    ]
    return CommandResult(parted, lines)


def logs(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """The end of the log."""
    told = context.client().get(path("/nodes/{}/logs", options.project))
    lines = told["text"].splitlines()[-options.lines :]
    note = f"{told['host']}:{told['path']}"
    return CommandResult(told, [printable(line) for line in lines], notes=[note])


def _unknown(node: Mapping[str, Any]) -> str:
    """What stands for the version and the age of an Ennio that nobody knows; a machine that is
    asked over plain ssh has none.
    """
    return "" if node["kind"] == "ssh" else "?"


def _key(node: Mapping[str, Any]) -> str:
    return str(node["host"] or "here")


def _fresh(client: ApiClient, name: str) -> Mapping[str, Any]:
    """A machine as it answers now: to look at it has it asked, which takes a moment."""
    import time

    node: Mapping[str, Any] = client.get(path("/nodes/{}", name))
    until, before = time.monotonic() + _FRESH, node["seen_at"]
    while node["kind"] in ("ssh", "daemon") and time.monotonic() < until:
        if node["state"] not in ("unknown", "connected", *_UNDER_WAY):
            break
        if node["seen_at"] != before or _is_new(node["seen_at"]):
            break
        time.sleep(_PAUSE)
        node = client.get(path("/nodes/{}", name))
    return node


def _is_new(seen_at: str | None) -> bool:
    from datetime import UTC, datetime

    if seen_at is None:
        return False
    return (datetime.now(UTC) - datetime.fromisoformat(seen_at)).total_seconds() < _FRESH


def _settled(client: ApiClient, name: str, context: CliContext) -> Mapping[str, Any]:
    """The machine once nobody is connecting any more; each step is said meanwhile."""
    import time

    said, until = 0, time.monotonic() + _PATIENCE
    while True:
        node: Mapping[str, Any] = client.get(path("/nodes/{}", name))
        for step in node["steps"][said:]:
            context.note(_step(step))
        said = len(node["steps"])
        if node["state"] not in _UNDER_WAY or time.monotonic() >= until:
            return node
        time.sleep(_PAUSE)


def _step(step: Mapping[str, Any]) -> str:
    return printable(f"{'ok' if step['ok'] else 'failed':6} {step['name']:8} {step['detail']}")


def _told(node: Mapping[str, Any], width: int | None) -> Iterator[str]:
    none = "over ssh, without an ennio-node" if node["kind"] == "ssh" else "version unknown"
    yield f"{node['name']}  {node['state']}  {node['version'] or none}"
    if node["since"]:
        yield f"since        {local(node['since'])}"
    if node["round_trip"] is not None:
        yield f"round trip   {_milliseconds(node['round_trip'])}"
    if node["seen_at"]:
        yield f"last seen    {local(node['seen_at'])}"
    if node["projects"]:
        yield f"projects     {', '.join(node['projects'])}"
    by = ", ".join(f"{many} of {project}" for project, many in node["of_projects"].items())
    yield f"sessions     {node['sessions']}{f' ({by})' if by else ''}"
    for key, label in (("free_memory", "free memory"), ("free_disk", "free disk")):
        if node[key] is not None:
            yield f"{label:12} {size(node[key])}"
    if node["error"]:
        label = "why" if node["state"] == _RESTS else "trouble"
        yield f"{label:12} {printable(node['error'])}"
    yield from _failed(node["steps"])
    columns = (
        *(Column("LOOKS AT"), Column("TOOK", right=True), Column("WATCHED", right=True)),
        *(Column("LAST"), Column("WHY", elastic=True)),
    )
    rows = [
        (name, _took(one), str(one["watched"]), local(one["at"]), one["detail"])
        for name, one in node["sources"].items()
    ]
    if rows:
        yield from table(columns, rows, width)


def _failed(steps: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The step that went wrong, with what the program over there said."""
    for step in steps:
        if not step["ok"]:
            yield f"failed at    {step['name']}: {printable(step['detail'])}"
            yield from (f"             {printable(line)}" for line in step["output"].splitlines())


def _took(source: Mapping[str, Any]) -> str:
    """How long the last look took, if there was one."""
    return "" if source["at"] is None else _milliseconds(source["took"])


def _milliseconds(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f"{seconds:.1f}s" if seconds >= 1 else f"{seconds * 1000:.0f}ms"
