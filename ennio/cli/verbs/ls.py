"""List the supervisors of this person, running or not, each with its folder.

Known is every configuration that was trusted here once, and whatever runs.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ennio.cli.command_result import CommandResult
from ennio.cli.repositories import known_supervisors, supervisor_lines

if TYPE_CHECKING:
    from ennio.cli.context import CliContext
    from ennio.cli.parser import Parser

EXAMPLES = """\
  ennio ls
  ennio ls --json | jq -r '.[] | select(.running) | .url'
"""


def configure(parser: Parser) -> None:
    """No options."""
    parser.set_defaults(run=run)


def run(_options: argparse.Namespace, context: CliContext) -> CommandResult:
    """Look into each one's run folder, and ask those that run for their sessions."""
    found = known_supervisors()
    return CommandResult([one.document for one in found], supervisor_lines(found, context.width))
