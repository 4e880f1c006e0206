"""Send a message to an agent; it is delivered as soon as the agent can take it."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ennio.cli.command_result import CommandResult
from ennio.cli.context import path
from ennio.cli.text import text_of

if TYPE_CHECKING:
    from ennio.cli.context import CliContext
    from ennio.cli.parser import Parser

EXAMPLES = """\
  ennio send ma-1a2b3c4d "Also add unit tests"
  git diff | ennio send ma-1a2b3c4d -
"""


def configure(parser: Parser) -> None:
    """A session and the words."""
    parser.add_argument("session", help="the session's id")
    parser.add_argument("message", nargs="+", type=str, help="the words; - reads standard input")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """Queue the message."""
    message = text_of(" ".join(options.message))
    status = context.client().get(path("/sessions/{}", options.session))["status"]
    told = context.order(
        path("/sessions/{}/send", options.session), {"message": message}, once=True
    )
    line = f"queued for {options.session}; whether it arrived: ennio messages {options.session}"
    if status == "exited":
        line = (
            f"queued, but {options.session} has exited and nobody reads it before: ennio session "
            f"restore {options.session}"
        )
    return CommandResult({"session": options.session, "result": told}, [line])
