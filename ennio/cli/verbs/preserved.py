"""What clean-ups saved of working copies: list it, look into one, bring one back."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from ennio.board.quantities import age
from ennio.board.table import Column, table
from ennio.cli.command_result import CommandResult
from ennio.cli.context import path
from ennio.model.errors import EnnioError, Invalid, NotFound, Unreachable
from ennio.model.printable import one_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from ennio.cli.context import CliContext
    from ennio.cli.parser import Parser
    from ennio.http.client import ApiClient

EXAMPLES = """\
  ennio preserved list
  ennio preserved show ma-1a2b3c4d
  ennio preserved restore ma-1a2b3c4d --branch second-try
"""
COLUMNS = (
    Column("ID"),
    Column("PROJECT"),
    Column("AGE", right=True),
    Column("COMMIT"),
    Column("WHAT", elastic=True),
    Column("PLACE", elastic=True),
)
_SHOWN = 5
PATIENCE = 120.0  # seconds: every project's repository is asked


def configure(parser: Parser) -> None:
    """The three sub-verbs."""
    subs = parser.verbs(
        list=(listed, "list what was saved, the latest first"),
        show=(show, "show the commits and files of one"),
        restore=(restore, "bring one back, on a new branch of the project's repository"),
    )
    subs["list"].add_argument("--project", help="only this project (id or name)")
    for name in ("show", "restore"):
        subs[name].add_argument(
            "id", help="its id, as `ennio preserved list` shows it, or how that begins"
        )
    subs["restore"].add_argument("-b", "--branch", help="the branch to make (default: restored/ID)")


def listed(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """All of it as a table."""
    from datetime import UTC, datetime

    query = {"project_id": context.project_id(options.project)} if options.project else {}
    items, away = _items(context.client(PATIENCE), query)
    now = datetime.now(UTC)
    rows = [
        (
            one["id"],
            one["project_id"],
            age(one["at"], now),
            one["commit"][:10],
            one["subject"],
            one["place"],
        )
        for one in items
    ]
    for error in away:
        context.note(f"not shown, since it cannot be asked: {error}")
    found = table(COLUMNS, rows, context.width) if rows else ["nothing was saved so far"]
    return CommandResult(items, found if rows or not away else [], code=1 if away else 0)


def _items(
    client: ApiClient, query: dict[str, Any]
) -> tuple[list[dict[str, Any]], list[EnnioError]]:
    """All of it; where a machine is away, that of the others, and what was said of it."""
    try:
        return client.get("/preserved", **query), []
    except Unreachable:
        names = [one["name"] for one in client.get("/nodes")]
    found: list[dict[str, Any]] = []
    away: list[EnnioError] = []
    for at, name in enumerate(names):  # the first is the supervisor's own
        try:
            found += client.get("/preserved", host="here" if at == 0 else name, **query)
        except EnnioError as error:
            away.append(error)
    return sorted(found, key=lambda one: str(one["at"]), reverse=True), away


def show(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """One of it."""
    client = context.client(PATIENCE)
    told = _found(client, options.id, lambda one: client.get(path("/preserved/{}", one)))
    item = told["item"]
    lines = [f"{item['id']} of {item['project_id']}, saved {item['at']} as {item['place']}", ""]
    lines += (
        ["Commits that no branch has:", *_indented(told["commits"]), ""] if told["commits"] else []
    )
    lines += ["Files in the last one:", *_indented(told["files"]), ""] if told["files"] else []
    lines += ["... and more"] if told["more"] else []
    return CommandResult(told, [*lines, *_ways(item)])


def restore(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """Bring it back."""
    client, order = context.client(PATIENCE), {"branch": options.branch} if options.branch else {}
    told = _found(
        client, options.id, lambda one: client.post(path("/preserved/{}/restore", one), order)
    )
    branch, source = told["branch"], told["item"]["source"]
    return CommandResult(
        told, [f"it is on the branch {branch} of {source} now: git -C {source} log -p {branch}"]
    )


def _found(client: ApiClient, word: str, ask: Callable[[str], Any]) -> Any:
    """What is answered of the one that is called so, or whose id alone begins so. Raises
    NotFound, Invalid when several begin so.
    """
    try:
        return ask(word)
    except NotFound:
        items, _ = _items(client, {})
        begun = [str(one["id"]) for one in items if str(one["id"]).startswith(word)]
        if not begun or word in begun:
            raise
    if len(begun) > 1:
        raise Invalid(
            f"{len(begun)} begin with {word!r}: {', '.join(begun[:_SHOWN])}"
            f"{' and more' if len(begun) > _SHOWN else ''}; write more of the one you mean"
        )
    return ask(begun[0])


def _indented(lines: list[str]) -> list[str]:
    return [f"  {one_line(line)}" for line in lines]


def _ways(item: dict[str, Any]) -> list[str]:
    seen = (
        []
        if item["place"].startswith("/")
        else [f"the changes: git -C {item['source']} show {item['place']}"]
    )
    return [*seen, f"back on a branch: ennio preserved restore {item['id']}"]
