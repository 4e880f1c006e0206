"""See Ennio work on a repository made for it, with agents that need no key and no network."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ennio.cli.command_result import CommandResult

if TYPE_CHECKING:
    from ennio.cli.context import CliContext
    from ennio.cli.parser import Parser

EXAMPLES = """\
  ennio demo
  ennio demo --open                # and watch it in a browser
  ennio demo --speed 2 --keep
  ennio demo --runtime process --json | jq .sessions
"""


def configure(parser: Parser) -> None:
    """The demo says itself what it takes."""
    from ennio.demo import declare

    declare(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """Hand over to the demo."""
    from ennio.cli import dashboard_build
    from ennio.demo import main

    if options.opens and dashboard_build.WANTED and not context.json:
        dashboard_build.build_for_a_person(context.note)
    options.json = context.json
    return CommandResult(code=main(options), spoken=True)
