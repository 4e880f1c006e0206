"""The channels to people: list them, or test one."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from ennio.board.quantities import local
from ennio.board.table import Column, table
from ennio.cli.command_result import CommandResult
from ennio.cli.context import path

if TYPE_CHECKING:
    from ennio.cli.context import CliContext
    from ennio.cli.parser import Parser

EXAMPLES = """\
  ennio notify list
  ennio notify test local
"""
COLUMNS = (
    Column("CHANNEL"),
    Column("PLUGIN"),
    Column("WAITING", right=True),
    Column("WHY", elastic=True),
)


def configure(parser: Parser) -> None:
    """The two sub-verbs."""
    subs = parser.verbs(
        list=(listed, "list the channels, and what waits for them"),
        test=(test, "tell a channel a test, at once"),
    )
    subs["test"].add_argument("name", help="the channel's name")


def listed(_options: argparse.Namespace, context: CliContext) -> CommandResult:
    """The table of channels."""
    found = context.client().get("/notifiers")
    rows = [(one["name"], one["plugin"], str(one["waiting"]), _why(one)) for one in found]
    none = ["no channel is configured: docs/notices.md says how"]
    return CommandResult(found, table(COLUMNS, rows, context.width) if rows else none)


def _why(channel: dict[str, Any]) -> str:
    if channel["error"]:
        return str(channel["error"])
    return f"quiet until {local(channel['quiet_until'])}" if channel.get("quiet_until") else ""


def test(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """Have the supervisor tell it, where its surroundings are."""
    told = context.client().post(path("/notifiers/{}/test", options.name))
    words = f"told {options.name} a test; see whether it arrived"
    return CommandResult({"channel": options.name, "result": told}, [words])
