"""Show the last lines of an agent's terminal; control characters in them
are shown by their number.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ennio.board.printing import screen
from ennio.cli.command_result import CommandResult
from ennio.cli.context import path

if TYPE_CHECKING:
    from ennio.cli.context import CliContext
    from ennio.cli.parser import Parser

EXAMPLES = """\
  ennio output ma-1a2b3c4d
  ennio output ma-1a2b3c4d --lines 1000 | less
"""


def configure(parser: Parser) -> None:
    """A session and how much of it."""
    parser.add_argument("session", help="the session's id")
    parser.add_argument("-n", "--lines", type=int, default=50, help="how many lines (default 50)")
    parser.add_argument(
        "--raw",
        action="store_true",
        help="exactly as the terminal holds it, control characters and all",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """What the terminal shows."""
    text = context.client().get(path("/sessions/{}/output", options.session), lines=options.lines)
    if options.raw and not context.json:
        screen(f"{text}\n" if text and not text.endswith("\n") else text)
        return CommandResult(spoken=True)
    return CommandResult(
        {"session": options.session, "output": text}, str(text).rstrip("\n").splitlines()
    )
