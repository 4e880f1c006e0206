"""Show what was said to an agent, by whom, and whether it arrived."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from ennio.board.quantities import local
from ennio.board.table import Column, table
from ennio.cli.command_result import CommandResult
from ennio.cli.context import path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ennio.cli.context import CliContext
    from ennio.cli.parser import Parser

EXAMPLES = """\
  ennio messages ma-1a2b3c4d
  ennio messages ma-1a2b3c4d --json | jq -r '.[-1].text'
"""
COLUMNS = (
    Column("AT"),
    Column("FROM"),
    Column("STATE"),
    Column("WHY", elastic=True),
    Column("TEXT", elastic=True),
)


def configure(parser: Parser) -> None:
    """A session."""
    parser.add_argument("session", help="the session's id")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """Every message of the session, oldest first."""
    messages = context.client().get(path("/sessions/{}/messages", options.session))
    return CommandResult(
        messages,
        message_table(messages, context.width)
        if messages
        else [f"nothing was said to {options.session} yet"],
    )


def message_table(messages: Sequence[dict[str, Any]], width: int | None) -> list[str]:
    """The messages below one another, each on one line."""
    return table(COLUMNS, [_row(message) for message in messages], width)


def _row(message: dict[str, Any]) -> tuple[str, ...]:
    why = message.get("error") or message.get("detail") or ""
    return (
        local(message["created_at"]),
        message.get("reaction") or message["origin"],
        message["state"],
        why,
        message["text"],
    )
