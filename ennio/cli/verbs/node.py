"""The machines on which agents work: this one, and those that sessions name. Remote ones come with
a later version; until then `connect` and `disconnect` say so and fail.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from ennio.board.quantities import age, local, size
from ennio.board.table import Column, table
from ennio.cli.command_result import CommandResult
from ennio.model.errors import EnnioError, NotFound

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ennio.cli.context import CliContext
    from ennio.cli.parser import Parser

EXAMPLES = """\
  ennio node list
  ennio node status
  ennio node status build-server
"""
COLUMNS = (
    Column("NODE"),
    Column("STATE"),
    Column("VERSION"),
    Column("UP", right=True),
    Column("SESSIONS", right=True),
    Column("TROUBLE", elastic=True),
)


def configure(parser: Parser) -> None:
    """The four sub-verbs."""
    subs = parser.verbs(
        list=(listed, "list the machines on which agents work"),
        status=(status, "show how a machine is, and what is looked at there"),
        connect=(later, "connect to a project's node"),
        disconnect=(later, "disconnect a project's node and shut it down"),
    )
    subs["status"].add_argument("host", nargs="?", help="only this machine")
    for name in ("connect", "disconnect"):
        subs[name].add_argument("project", help="the project's id or name")


def listed(_options: argparse.Namespace, context: CliContext) -> CommandResult:
    """The table of machines."""
    from datetime import UTC, datetime

    found, now = context.client().get("/nodes"), datetime.now(UTC)
    rows = [
        (
            one["name"],
            one["state"],
            one["version"] or "?",
            age(one["since"], now) or "?",
            str(one["sessions"]),
            one["error"] or "",
        )
        for one in found
    ]
    return CommandResult(found, table(COLUMNS, rows, context.width))


def status(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """Each machine with what is looked at there."""
    found = context.client().get("/nodes")
    chosen = [one for one in found if options.host in (None, one["name"], one["host"] or "here")]
    if not chosen:
        there = ", ".join(one["name"] for one in found)
        raise NotFound(f"no session is on a machine called {options.host}; there are: {there}")
    lines: list[str] = []
    for one in chosen:
        lines += [*([""] if lines else []), *_told(one, context.width)]
    return CommandResult(chosen, lines)


def _told(node: Mapping[str, Any], width: int | None) -> Iterator[str]:
    yield f"{node['name']}  {node['state']}  {node['version'] or 'version unknown'}"
    if node["since"]:
        yield f"since        {local(node['since'])}"
    by = ", ".join(f"{many} of {project}" for project, many in node["of_projects"].items())
    yield f"sessions     {node['sessions']}{f' ({by})' if by else ''}"
    for key, label in (("free_memory", "free memory"), ("free_disk", "free disk")):
        if node[key] is not None:
            yield f"{label:12} {size(node[key])}"
    if node["error"]:
        yield f"trouble      {node['error']}"
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


def _took(source: Mapping[str, Any]) -> str:
    """How long the last look took, if there was one."""
    if source["at"] is None:
        return ""
    seconds = float(source["took"])
    return f"{seconds:.1f}s" if seconds >= 1 else f"{seconds * 1000:.0f}ms"


def later(options: argparse.Namespace, _context: CliContext) -> CommandResult:
    """Say that it cannot be done yet."""
    raise EnnioError(
        f"ennio node {options.sub}: remote nodes come with a later version; projects run on this "
        "machine until then"
    )
