"""What this version would make of what an earlier or later one left: the database, the supervisor
and the terminal daemon that run, nodes on other machines. It only looks.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ennio import __version__
from ennio.cli.command_result import CommandResult
from ennio.model.errors import EnnioError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ennio.cli.context import CliContext
    from ennio.cli.doctor.finding import Finding
    from ennio.cli.parser import Parser

EXAMPLES = """\
  ennio upgrade-check
  ennio upgrade-check --json | jq -r '.findings[] | select(.level != "fine") | .what'
"""


def configure(parser: Parser) -> None:
    """No options."""
    parser.set_defaults(run=run)


def run(_options: argparse.Namespace, context: CliContext) -> CommandResult:
    """Look at all of them; exit code 1 where a start would be refused."""
    from ennio.cli.doctor.finding import Level
    from ennio.cli.verbs.doctor import lines_of

    findings = list(_findings(context))
    refused = any(finding.level is Level.BROKEN for finding in findings)
    last = (
        "this version cannot start on what is there"
        if refused
        else f"Ennio {__version__} gets along with what is there"
    )
    return CommandResult(
        {
            "ok": not refused,
            "version": __version__,
            "findings": [asdict(finding) for finding in findings],
        },
        [*(line for finding in findings for line in lines_of(finding, context)), "", last],
        code=int(refused),
    )


def _findings(context: CliContext) -> Iterator[Finding]:
    from ennio.cli.doctor import versions
    from ennio.config import trusted
    from ennio.config.load import load
    from ennio.machine.home import Home
    from ennio.plugins.shipped import known

    config, home = load(context.config_file(), os.environ, known()), Home.of_environment()
    trusted.insist(config, home, os.environ)  # it names whom one speaks to
    status = _told(context, "/status", {})
    yield versions.supervisor(status.get("version"))
    yield versions.database(config.database_url, running=context.address() is not None)
    daemon = versions.terminals(home.root / "runtime")
    yield from [daemon] if daemon is not None else []
    yield from versions.nodes(_told(context, "/nodes", []))


def _told(context: CliContext, path: str, otherwise: Any) -> Any:
    """What the supervisor says; the other where none answers, or in another shape."""
    try:
        told = context.client().get(path)
    except EnnioError:
        return otherwise
    return told if isinstance(told, type(otherwise)) else otherwise
