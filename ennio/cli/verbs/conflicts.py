"""Show which branches will not merge with each other, before anybody merges one.

Two branches are tried when they change a common path, once for each new head. Only what is
committed is seen.
"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ennio.cli.command_result import CommandResult
from ennio.cli.conflict_view import conflict_lines

if TYPE_CHECKING:
    from ennio.cli.context import CliContext
    from ennio.cli.parser import Parser

EXAMPLES = """\
  ennio conflicts
  ennio conflicts my-app
  ennio conflicts my-app --json
"""


def configure(parser: Parser) -> None:
    """Of whom."""
    parser.add_argument("project", nargs="?", help="only this project (id or name)")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """Ask the radar."""
    project = context.project_id(options.project) if options.project else None
    report = context.client().get("/conflicts", project_id=project)
    return CommandResult(report, conflict_lines(report, datetime.now(UTC), context.width))
