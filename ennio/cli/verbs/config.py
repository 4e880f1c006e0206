"""The configuration file: check it, show it as it was understood, or print its JSON Schema for an editor."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING, Any

from ennio.cli.answer import Answer

if TYPE_CHECKING:
    from ennio.cli.context import Context
    from ennio.cli.parser import Parser

EXAMPLES = """\
  ennio config check
  ennio config show --json
  ennio config schema > ennio.schema.json
"""


def configure(parser: Parser) -> None:
    """The three sub-verbs."""
    parser.verbs(
        check=(check, "find every problem in the file at once"),
        show=(show, "show what was understood, defaults filled in, secrets masked"),
        schema=(schema, "print the JSON Schema of the file"),
    )


def check(_options: argparse.Namespace, context: Context) -> Answer:
    """All problems; exit code 1 when there are any."""
    from ennio.config.load import check as problems_of
    from ennio.plugins.shipped import known

    source = context.config_file()
    problems = problems_of(source, os.environ, known())
    document = {"file": str(source), "problems": [{"path": p.path, "line": p.line, "message": p.message} for p in problems]}
    if problems:
        return Answer(document, [f"{source}:", *(f"  {problem}" for problem in problems)], code=1)
    return Answer(document, [f"{source} is fine"])


def show(_options: argparse.Namespace, context: Context) -> Answer:
    """The whole configuration as it holds."""
    from ennio.config.load import load
    from ennio.config.secrets import masked

    document = masked(load(context.config_file(), os.environ))
    return Answer(document, _as_yaml(document))


def _as_yaml(document: dict[str, Any]) -> list[str]:
    import yaml

    return str(yaml.safe_dump(document, sort_keys=False, allow_unicode=True)).splitlines()


def schema(_options: argparse.Namespace, _context: Context) -> Answer:
    """The JSON Schema; the same with and without --json."""
    from ennio.cli.main import dump
    from ennio.config.schema_json import json_schema

    document = json_schema()
    return Answer(document, dump(document).splitlines())
