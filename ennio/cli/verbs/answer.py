"""Answer the question an agent asks: a permission, or a choice; `ennio status` shows
which agents wait for one.
"""

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
  ennio answer ma-1a2b3c4d yes
  ennio answer ma-1a2b3c4d 3
"""


def configure(parser: Parser) -> None:
    """A session and the answer."""
    parser.add_argument("session", help="the session's id")
    parser.add_argument(
        "answer",
        nargs="+",
        type=str,
        help="yes, no, the number of a choice or its first whole words, or words of your own; "
        "- reads standard input",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """Have the agent's keys pressed for it."""
    words = text_of(" ".join(options.answer))
    told = context.order(path("/sessions/{}/answer", options.session), {"answer": words}, once=True)
    return CommandResult(
        {"session": options.session, "result": told}, [f"answered {options.session}: {words}"]
    )
