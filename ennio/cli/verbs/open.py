"""Attach to an agent's terminal; where there is no terminal to attach with,
print the command that does.
"""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from ennio.cli.command_result import CommandResult
from ennio.cli.context import path
from ennio.model.errors import Refused

if TYPE_CHECKING:
    from ennio.cli.context import CliContext
    from ennio.cli.parser import Parser

_USUAL = "xterm-256color"
EXAMPLES = """\
  ennio open ma-1a2b3c4d
  ennio open ma-1a2b3c4d --print
"""


def configure(parser: Parser) -> None:
    """A session."""
    parser.add_argument("session", help="the session's id")
    parser.add_argument(
        "--print",
        action="store_true",
        dest="printed",
        help="print the command instead of running it",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """Become the attach command, or print it."""
    import shlex

    command = context.client().get(path("/sessions/{}/attach", options.session))
    if options.printed or context.json or not context.interactive:
        return CommandResult(
            {"session": options.session, "command": command}, [shlex.join(command)]
        )
    return _become(command, context)


def _is_known(term: str) -> bool:
    """Whether programs that draw know this type of terminal; else they refuse to begin."""
    import curses

    try:
        curses.setupterm(term)
    except curses.error:
        return False
    return bool(curses.tigetstr("clear"))


def _become(command: list[str], context: CliContext) -> CommandResult:
    # a terminal inside a terminal of the same multiplexer refuses to attach; ours
    # has a socket of its own
    environment = {name: value for name, value in os.environ.items() if name != "TMUX"}
    term = environment.get("TERM", "")
    if not _is_known(term):
        context.note(
            f"the terminal type {term!r} is not known here: it is taken for {_USUAL} (set TERM to "
            "change that)"
        )
        environment["TERM"] = _USUAL
    try:
        os.execvpe(command[0], command, environment)  # noqa: S606 - no shell is what is wanted
    except FileNotFoundError as error:
        raise Refused(
            f"{command[0]} is not installed here; ennio doctor tells how to get it"
        ) from error
