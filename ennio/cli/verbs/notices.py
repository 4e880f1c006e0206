"""Show what people were told, over which channels, and what did not arrive."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from ennio.board.quantities import local
from ennio.board.table import Column, table
from ennio.cli.command_result import CommandResult

if TYPE_CHECKING:
    from ennio.cli.context import CliContext
    from ennio.cli.parser import Parser

EXAMPLES = """\
  ennio notices
  ennio notices --failed
  ennio notices --json | jq -r '.[] | select(.resolved_at == null) | .message'
"""
COLUMNS = (
    Column("AT"),
    Column("PRIORITY"),
    Column("SESSION"),
    Column("STATE"),
    Column("TOLD ON"),
    Column("MESSAGE", elastic=True),
)


def configure(parser: Parser) -> None:
    """How many, and which."""
    parser.add_argument(
        "--failed", action="store_true", help="those that some channel did not take"
    )
    parser.add_argument("-n", "--limit", type=int, default=50, help="how many at most (50)")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """The latest first, with what channels said that did not take them."""
    query = {"failed": True} if options.failed else {}
    found = context.client().get("/notifications", limit=options.limit, **query)
    if not found:
        nothing = "nobody was told anything"
        every = "every channel took what it was told"
        return CommandResult(found, [every if options.failed else nothing])
    lines = table(COLUMNS, [_row(one) for one in found], context.width)
    lines += [line for one in found for line in _reasons(one)]
    return CommandResult(found, lines)


def _row(notice: dict[str, Any]) -> tuple[str, ...]:
    sent = ", ".join(name for name in notice["sent"] if name != "events") or "-"
    message = " ".join(notice["message"].split())  # the cause may stand on a later line
    at, session = local(notice["at"]), notice["session_id"] or "-"
    return at, notice["priority"], session, _state(notice), sent, message


def _state(notice: dict[str, Any]) -> str:
    if notice["resolved_at"]:
        return "resolved"
    if not notice["done_at"]:
        return "waiting"
    if notice["failed"]:
        return "failed"
    return "told" if set(notice["sent"]) - {"events"} else "events"


def _reasons(notice: dict[str, Any]) -> list[str]:
    about = f"{local(notice['at'])} {notice['session_id'] or 'Ennio'}"
    return [f"{about}, on {name}: {why}" for name, why in notice["failed"].items()]
