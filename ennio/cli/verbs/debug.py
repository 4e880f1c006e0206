"""Write all that helps to find a fault into one file: what runs, and what went wrong.

No secret of the configuration or the environment is in it, and no prompt, message or transcript.
"""

from __future__ import annotations

import argparse
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ennio.cli.command_result import CommandResult
from ennio.model.errors import ConfigError, Conflict, EnnioError

if TYPE_CHECKING:
    from ennio.cli.context import CliContext
    from ennio.cli.parser import Parser
    from ennio.config.model import Config

EXAMPLES = """\
  ennio debug dump
  ennio debug dump --output report.json
"""
_PATIENCE = 15.0  # seconds; who does not answer is the fault
_LINES = 300


def configure(parser: Parser) -> None:
    """One sub-verb."""
    made = parser.verbs(dump=(run, "write a file for a report of a fault"))
    made["dump"].add_argument("--output", metavar="FILE", help="where to (a new file)")


def run(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """Ask the supervisor, and take what can be had without one that answers."""
    found, trouble = _of_supervisor(context)
    document = found if found is not None else _without(context, trouble)
    document["log"] = _log(context)
    place = _written(Path(options.output or _name()), document)
    lines = [f"{place} tells what runs and what went wrong; look through it before you pass it on"]
    if trouble:
        lines.insert(0, f"without the supervisor: {trouble}")
    return CommandResult({"file": str(place), "trouble": trouble or None}, lines)


def _of_supervisor(context: CliContext) -> tuple[dict[str, Any] | None, str]:
    try:
        return context.client(_PATIENCE).get("/debug"), ""
    except EnnioError as error:
        return None, str(error)


def _without(context: CliContext, trouble: str) -> dict[str, Any]:
    from ennio.http.debug_dump import dump

    config, problem = _configuration(context)
    return dump(config, os.environ, None, trouble=trouble, configuration_problem=problem)


def _configuration(context: CliContext) -> tuple[Config | None, str | None]:
    from ennio.config.load import load

    try:
        return load(context.config_file(), os.environ), None
    except ConfigError as error:
        return None, str(error)
    except EnnioError as error:
        return None, str(error)


def _log(context: CliContext) -> list[str]:
    """Its end, as it was written: without secrets. What the file says by now is taken out too."""
    from ennio import logs
    from ennio.cli.logfile import tail
    from ennio.http.debug_dump import redactor
    from ennio.http.logfile import LOG

    try:
        file = context.run_directory() / LOG
        lines = tail(file, _LINES) if file.exists() else []
    except EnnioError:
        return []
    told: list[str] = logs.redacted(lines, redactor(_configuration(context)[0], os.environ))
    return told


def _name() -> str:
    return f"ennio-debug-{datetime.now(UTC):%Y%m%d-%H%M%S}.json"


def _written(place: Path, document: dict[str, Any]) -> Path:
    """Only for the person who asked, and in nobody's place."""
    try:
        opened = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise Conflict(f"{place} exists already; name another file by --output") from error
    with os.fdopen(opened, "w", encoding="ascii") as stream:
        json.dump(document, stream, indent=2)
        stream.write("\n")
    return place.absolute()
