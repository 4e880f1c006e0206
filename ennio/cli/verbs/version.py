"""Show the version of Ennio, and of the Python it runs on."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from ennio import __version__
from ennio.cli.command_result import CommandResult

if TYPE_CHECKING:
    from ennio.cli.context import CliContext
    from ennio.cli.parser import Parser

EXAMPLES = """\
  ennio version
  ennio version --json
"""


def configure(parser: Parser) -> None:
    """No arguments."""
    parser.set_defaults(run=run)


def run(_options: argparse.Namespace, _context: CliContext) -> CommandResult:
    """Both versions."""
    python = ".".join(str(part) for part in sys.version_info[:3])
    return CommandResult(
        {"version": __version__, "python": python}, [f"ennio {__version__} (python {python})"]
    )
