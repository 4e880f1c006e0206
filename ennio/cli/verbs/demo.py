"""See Ennio work on a repository made for it, with agents that need no key and no network."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ennio.cli.answer import Answer

if TYPE_CHECKING:
    from ennio.cli.context import Context
    from ennio.cli.parser import Parser

EXAMPLES = """\
  ennio demo
"""


def configure(parser: Parser) -> None:
    """Everything after the verb is the demo's own."""
    parser.set_defaults(run=run, passed_on=[])


def run(options: argparse.Namespace, context: Context) -> Answer:
    """Hand over to the demo."""
    from ennio.demo import main

    code = main([*(["--json"] if context.json else []), *options.passed_on])
    return Answer(code=code, spoken=True)
