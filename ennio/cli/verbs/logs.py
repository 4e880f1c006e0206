"""Show the supervisor's log (written when it runs in the background)."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ennio.board.printing import out
from ennio.cli.command_result import CommandResult
from ennio.cli.number_argument import count
from ennio.model.errors import NotFound

if TYPE_CHECKING:
    from pathlib import Path

    from ennio.cli.context import CliContext
    from ennio.cli.parser import Parser

EXAMPLES = """\
  ennio logs
  ennio logs -n 500
  ennio logs -f
"""


def configure(parser: Parser) -> None:
    """How much of it."""
    parser.add_argument(
        "-n", "--lines", type=count, default=100, help="how many lines (default 100)"
    )
    parser.add_argument("-f", "--follow", action="store_true", help="go on with what is written")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """The end of the log."""
    from ennio.cli.logfile import tail
    from ennio.http.logfile import LOG, predecessor

    log = context.run_directory() / LOG
    if not log.exists():
        raise NotFound(
            f"no log at {log}: it is written by ennio start --detach; in the foreground the log "
            "goes to its terminal"
        )
    # both halves meet at the same byte: what is written in between is shown once
    end = log.stat().st_size
    lines = tail(log, options.lines, end)
    if len(lines) < options.lines and predecessor(log).exists():
        lines = tail(predecessor(log), options.lines - len(lines)) + lines
    if options.follow:
        return _follow(log, lines, end)
    return CommandResult({"file": str(log), "lines": lines}, lines)


def _follow(log: Path, lines: list[str], end: int) -> CommandResult:
    from ennio.cli.logfile import grown

    for line in lines:
        out(line)
    for text in grown(log, end):
        out(text, end="")
    return CommandResult(spoken=True)
