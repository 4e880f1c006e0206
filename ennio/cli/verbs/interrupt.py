"""Interrupt what an agent is doing right now; it stays alive and can be told what to do instead."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ennio.cli.command_result import CommandResult
from ennio.cli.context import path

if TYPE_CHECKING:
    from ennio.cli.context import CliContext
    from ennio.cli.parser import Parser

EXAMPLES = """\
  ennio interrupt ma-1a2b3c4d
"""


def configure(parser: Parser) -> None:
    """A session."""
    parser.add_argument("session", help="the session's id")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """Press the agent's key for that."""
    told = context.client().post(path("/sessions/{}/interrupt", options.session))
    return CommandResult(
        {"session": options.session, "result": told}, [f"interrupted {options.session}"]
    )
