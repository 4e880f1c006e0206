"""The configuration file: check it, trust it, show it as it was understood, or print its
JSON Schema for an editor.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ennio.cli.command_result import CommandResult

if TYPE_CHECKING:
    from pathlib import Path

    from ennio.cli.context import CliContext
    from ennio.cli.parser import Parser
    from ennio.config.model import Config
    from ennio.config.sources import ConfigValue
    from ennio.model.errors import Problem

EXAMPLES = """\
  ennio config check
  ennio config check other/ennio.yaml
  ennio config show --json
  ennio config show --sources
  ennio config trust --show
  ennio config trust
  ennio config schema > ennio.schema.json
"""


def configure(parser: Parser) -> None:
    """The sub-verbs."""
    made = parser.verbs(
        check=(check, "find every problem in the file at once"),
        trust=(trust, "trust what the file runs and whom it talks to, as it is now"),
        untrust=(untrust, "trust the file no more"),
        show=(show, "show what was understood, defaults filled in, secrets masked"),
        schema=(schema, "print the JSON Schema of the file"),
    )
    for name in ("check", "trust", "untrust", "show"):
        made[name].add_argument(
            "config",  # the same as --config, where one would look for it
            nargs="?",
            metavar="FILE",
            default=argparse.SUPPRESS,
            help="this one (else looked for upwards)",
        )
    made["show"].add_argument(
        "--sources",
        action="store_true",
        help="each value with its line, its variable, the key it follows from, or `default`",
    )
    made["trust"].add_argument(
        "--show",
        action="store_true",
        help="only show what it would run, and what of that is not trusted yet",
    )


def check(_options: argparse.Namespace, context: CliContext) -> CommandResult:
    """All problems; exit code 1 when there are any. What is asked for in vain is
    no problem, but is said.
    """
    from ennio.config.load import load
    from ennio.model.errors import ConfigError
    from ennio.plugins import declared
    from ennio.plugins.shipped import known

    source = context.config_file()
    try:
        config = load(source, os.environ, known(), declared=declared.shipped)
    except ConfigError as error:
        return _wrong(source, error.problems)
    return _fits(config)


def _fits(config: Config) -> CommandResult:
    from ennio.cli.doctor import configuration
    from ennio.config import trusted
    from ennio.machine.home import Home
    from ennio.plugins import fitting

    home = Home.of_environment()
    new = trusted.unknown(config, home, os.environ)
    problems = fitting.problems(config, home, trusted=not new)
    if problems:
        return _wrong(config.source, problems)
    unseen = [
        f"what the {plugin} wants of its settings is looked at once the file is trusted"
        for plugin in fitting.unseen(config, home)
    ]
    found = (configuration.open_door(config), *configuration.idle(config))
    vain = [finding.what for finding in found if finding] + (unseen if new else [])
    vain += [str(problem) for problem in _places(config)]
    document = {"file": str(config.source), "problems": [], "warnings": vain, "trusted": not new}
    lines = (
        [f"{config.source} has no mistake, but", *(f"  {line}" for line in vain)]
        if vain
        else [f"{config.source} is fine"]
    )
    return CommandResult(
        document,
        lines + ([f"it is not trusted yet: {trusted.command(config.source)}"] if new else []),
    )


def _places(config: Config) -> Iterator[Problem]:
    """Where on this machine no repository is that a project names: no mistake of the file, which
    may be another machine's; in the words of ``doctor``.
    """
    from ennio.cli.doctor import configuration
    from ennio.cli.doctor.finding import Level
    from ennio.model.errors import Problem
    from ennio.plugins import fitting

    found = (
        (index, configuration.project(project))
        for index, project in enumerate(config.projects)
        if not project.ssh
    )
    missing = [
        Problem(f"projects[{index}].path", f"{finding.what}; {finding.fix}")
        for index, finding in found
        if finding.level is not Level.FINE
    ]
    return fitting.with_lines(missing, config.source) if missing else iter(())


def _wrong(source: Path, problems: Sequence[Problem]) -> CommandResult:
    document = {
        "file": str(source),
        "problems": [{"path": p.path, "line": p.line, "message": p.message} for p in problems],
    }
    return CommandResult(
        document | {"warnings": []},
        [f"{source}:", *(f"  {problem}" for problem in problems)],
        code=1,
    )


def trust(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """What the file demands; without --show all of it is trusted from now on."""
    from ennio.cli import consent
    from ennio.config import trusted
    from ennio.config.load import load
    from ennio.machine.home import Home
    from ennio.plugins import declared
    from ennio.plugins.shipped import known

    home = Home.of_environment()
    config = load(context.config_file(), os.environ, known(), declared=declared.shipped)
    new = trusted.unknown(config, home, os.environ)
    if not options.show:
        trusted.trust(config, home, os.environ)
        address = context.address()
        running = (
            ["the supervisor that runs reads it after: ennio reload"] if address and new else []
        )
        said = [f"{config.source} is trusted. It may", "", *consent.told(config.demands)]
        return CommandResult(consent.listed(config, ()), said, notes=running)
    lines = [f"{config.source} is trusted. It may", "", *consent.told(config.demands)]
    if new:
        way_out = f"trust it with: {trusted.command(config.source)}"
        lines = [
            f"{config.source} is not trusted. What is new would",
            "",
            *consent.told(new),
            "",
            way_out,
        ]
    return CommandResult(consent.listed(config, new), lines)


def untrust(_options: argparse.Namespace, context: CliContext) -> CommandResult:
    """Forget it; what runs goes on until it ends or reads the file anew."""
    from ennio.config import trusted
    from ennio.machine.home import Home

    source = context.config_file()
    there = trusted.forget(source, Home.of_environment())
    words = f"{source} is trusted no more" if there else f"{source} was not trusted"
    return CommandResult({"file": str(source), "forgotten": there}, [words])


def show(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """The whole configuration as it holds; or each value with where it comes from."""
    from ennio.config.load import load
    from ennio.config.secrets import masked

    config = load(context.config_file(), os.environ)
    if options.sources:
        return _sources(config, context)
    document = masked(config)
    return CommandResult(document, _as_yaml(document))


def _sources(config: Config, context: CliContext) -> CommandResult:
    from ennio.board.table import Column, table
    from ennio.config.sources import sources
    from ennio.model.codec import shown

    address = context.address()
    found = sources(config, address.pid if address else None)
    columns = (Column("KEY"), Column("VALUE", elastic=True), Column("FROM"))
    rows = [(one.path, _flat(one.value), _from(one)) for one in found.values]
    return CommandResult(shown(found), [found.file, *table(columns, rows, context.width)])


def _flat(value: Any) -> str:
    """A value on one line, as it could stand in the file."""
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def _from(one: ConfigValue) -> str:
    """Where a value comes from, in words."""
    parts = [f"line {one.line}"] if one.line else []
    parts += [f"${name}" for name in one.variables]
    parts += [f"as {one.follows}"] if one.follows else []
    return ", ".join(parts) or "default"


def _as_yaml(document: dict[str, Any]) -> list[str]:
    import yaml

    return str(yaml.safe_dump(document, sort_keys=False, allow_unicode=True)).splitlines()


def schema(_options: argparse.Namespace, _context: CliContext) -> CommandResult:
    """The JSON Schema; the same with and without --json."""
    from ennio.cli.main import dump
    from ennio.config.schema_json import json_schema
    from ennio.plugins.declared import all_shipped

    document = json_schema(all_shipped())
    return CommandResult(document, dump(document).splitlines())
