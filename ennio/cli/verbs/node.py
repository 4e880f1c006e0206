"""Remote nodes. They come with a later version; until then these commands say so and fail."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ennio.model.errors import EnnioError

if TYPE_CHECKING:
    from ennio.cli.command_result import CommandResult
    from ennio.cli.context import CliContext
    from ennio.cli.parser import Parser

EXAMPLES = """\
  ennio node list
  ennio node status build-server
"""


def configure(parser: Parser) -> None:
    """The four sub-verbs."""
    subs = parser.verbs(
        status=(later, "check the health of a remote node"),
        list=(later, "list the projects that run on a node"),
        connect=(later, "connect to a project's node"),
        disconnect=(later, "disconnect a project's node and shut it down"),
    )
    subs["status"].add_argument("host", nargs="?", help="only this host")
    for name in ("connect", "disconnect"):
        subs[name].add_argument("project", help="the project's id or name")


def later(options: argparse.Namespace, _context: CliContext) -> CommandResult:
    """Say that it cannot be done yet."""
    raise EnnioError(
        f"ennio node {options.sub}: remote nodes come with a later version; projects run on this "
        "machine until then"
    )
