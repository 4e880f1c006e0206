"""Find out what is missing on this machine and in this configuration, each with what mends it."""

from __future__ import annotations

import argparse
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from ennio.cli.command_result import CommandResult
from ennio.cli.doctor.finding import Finding, Level, broken
from ennio.model.errors import ConfigError, EnnioError, NotFound, Refused, Untrusted

if TYPE_CHECKING:
    from pathlib import Path

    from ennio.cli.context import CliContext
    from ennio.cli.parser import Parser
    from ennio.config.model import Config, Project

EXAMPLES = """\
  ennio doctor
  ennio doctor --json | jq -r '.findings[] | select(.level == "broken") | .fix'
"""
_ANSWERS = 10.0
"""Seconds within which a supervisor that works says that it does."""
_MARKS = {
    Level.FINE: ("ok", "green"),
    Level.WARNING: ("warn", "yellow"),
    Level.BROKEN: ("FAIL", "red"),
}


def configure(parser: Parser) -> None:
    """No arguments."""
    parser.set_defaults(run=run)


def run(_options: argparse.Namespace, context: CliContext) -> CommandResult:
    """Look at everything; exit code 1 when something needed is broken."""
    source, config, problems = _configuration(context)
    findings = [
        finding for finding in _findings(context, source, config, problems) if finding is not None
    ]
    bad = sum(1 for finding in findings if finding.level is Level.BROKEN)
    lines = [line for finding in findings for line in lines_of(finding, context)]
    lines += ["", outcome(bad, all_asked=config is None or not _untrusted(config))]
    return CommandResult(
        {"ok": not bad, "findings": [asdict(finding) for finding in findings]},
        lines,
        code=1 if bad else 0,
    )


def outcome(bad: int, *, all_asked: bool) -> str:
    """The last line: what is to be mended, and whether all was asked."""
    rest = "" if all_asked else "; what the file names was not asked: it is not trusted yet"
    if bad:
        return f"{bad} to mend{rest}"
    return f"nothing is missing so far{rest}" if rest else "everything that is needed is there"


def _untrusted(config: Config) -> bool:
    from ennio.config import trusted
    from ennio.machine.home import Home

    try:
        return bool(trusted.unknown(config, Home.of_environment(), os.environ))
    except Refused:
        return False  # the machine's own finding


def lines_of(finding: Finding, context: CliContext) -> list[str]:
    """A finding for people: how bad it is, what it is, and below what mends it."""
    word, colour = _MARKS[finding.level]
    lines = [f"{context.style.paint(colour, f'{word:<4}')}  {finding.what}"]
    return lines + ([f"      -> {finding.fix}"] if finding.fix else [])


def _configuration(context: CliContext) -> tuple[Path | None, Config | None, list[str]]:
    from ennio.config.load import load
    from ennio.plugins import declared
    from ennio.plugins.shipped import known

    try:
        source = context.config_file()
    except NotFound:
        return None, None, []
    try:
        return source, load(source, os.environ, known(), declared=declared.shipped), []
    except ConfigError as error:
        return source, None, [str(problem) for problem in error.problems]
    except Untrusted as error:
        return source, None, [str(error)]


def _findings(
    context: CliContext, source: Path | None, config: Config | None, problems: list[str]
) -> Iterator[Finding | None]:
    from ennio.cli.doctor import configuration

    yield from _machine(config)
    yield from _agents(config)
    yield configuration.file(source, problems)
    if config is not None:
        yield from _of_config(context, config)


def _machine(config: Config | None) -> Iterator[Finding | None]:
    import psutil

    from ennio.cli.doctor import machine
    from ennio.machine.home import Home
    from ennio.machine.local import LocalMachine
    from ennio.machine.places import standing
    from ennio.machine.sandbox import availability

    yield machine.python()
    yield machine.git(machine.said("git", "--version"))
    yield machine.identity()
    yield machine.tmux(
        machine.said("tmux", "-V"),
        wanted=any(project.runtime == "tmux" for project in _here(config)),
    )
    apart = any(project.isolation != "none" for project in _here(config))
    yield machine.sandbox(
        availability.obstacle(LocalMachine()) if apart else None,
        wanted=apart,
    )
    yield machine.memory(
        psutil.virtual_memory().available, config.min_free_memory if config else 512 * 1024**2
    )
    try:
        root = Home.of_environment().root
    except Refused as error:
        yield broken(str(error), "export ENNIO_HOME=...  (a folder that you can write to)")
        return
    yield machine.room(standing(root))
    yield machine.state(root)


def _agents(config: Config | None) -> Iterator[Finding | None]:
    from ennio.cli.doctor import agents
    from ennio.cli.doctor.machine import said
    from ennio.machine.places import person

    wanted = {project.agent for project in _here(config)}
    keys = set(os.environ) | {
        name for project in (config.projects if config else ()) for name in project.env
    }
    for kind in agents.KINDS:
        yield agents.agent(
            kind.name,
            said(kind.executable, "--version"),
            kind.hint,
            wanted=kind.name in wanted,
            tried=kind.tried,
        )
        if kind.name in wanted:
            yield agents.key(kind.name, kind.passed_variables, keys)
            yield agents.first_start(kind.name, person()) if shutil.which(kind.executable) else None


def _here(config: Config | None) -> Sequence[Project]:
    """The projects whose agents live on this machine; the others' hosts are asked themselves."""
    return [project for project in config.projects if not project.ssh] if config else []


def _folder(context: CliContext) -> Path | None:
    """Where a supervisor of this configuration keeps its address; None where no home is known,
    which the machine's findings tell.
    """
    try:
        return context.run_directory()
    except Refused:
        return None


def _disk_of_database(config: Config, root: Path) -> Finding | None:
    """Room for the database, where that lies on another disk than Ennio's files."""
    from ennio.cli.doctor import machine
    from ennio.config import database
    from ennio.machine.places import standing

    file = database.file(config.database_url)
    if file is None:
        return None
    place = standing(file.parent)
    if place.stat().st_dev == standing(root).stat().st_dev:
        return None
    return machine.room(place)


def _of_config(context: CliContext, config: Config) -> Iterator[Finding | None]:
    from ennio.cli.doctor import configuration, machine, running
    from ennio.cli.doctor.agents import KINDS
    from ennio.config import trusted
    from ennio.machine.home import INSTANCE, Home
    from ennio.plugins import fitting

    folder = _folder(context)
    if folder is None:
        return  # whether the file is trusted and where its supervisor is stand in a home
    address, home = context.address(), Home.of_environment()
    new = trusted.unknown(config, home, os.environ)
    yield configuration.trust(config, new)
    yield configuration.database(config)
    held, before = address is not None, (folder / INSTANCE).exists()
    file = machine.database(config.database_url, held=held, before=before)
    if not held:
        sound = file is not None and file.level is Level.FINE
        yield (machine.looked_through(config.database_url) if sound else None) or file
    yield _disk_of_database(config, home.root)
    yield machine.server(config.database_url, trusted=not new)
    problems = fitting.problems(config, home, trusted=not new)
    yield configuration.settings(problems)
    for project in config.projects:
        yield None if project.ssh else configuration.project(project)
        yield configuration.repository(project)
    yield from configuration.idle(config)
    if not new and any(project.ssh for project in config.projects):
        from ennio.cli.doctor import hosts

        yield from hosts.hosts(config)
    if not new and not problems:
        yield from _services(config)
    yield configuration.open_door(config)
    # a name would be looked up, and a variable may be in it
    if not new or configuration.is_number(config.host):
        yield configuration.own_port(config, address.url if address else None, folder)
    yield running.leftover(folder, running=address is not None)
    yield from _running(context, config, address.url if address else None, file)
    if address is not None:
        used = {project.agent for project in _here(config)}
        yield from running.unreachable(
            {kind.name: kind.executable for kind in KINDS if kind.name in used}, address.pid
        )


def _services(config: Config) -> Iterator[Finding | None]:
    """What is asked in the name of the file's tokens: of a trusted file alone."""
    from ennio.cli.doctor import channels, configuration, github, linear, nats
    from ennio.machine.home import Home
    from ennio.model.clock import SystemClock
    from ennio.plugins.registry import Registry

    for project in config.projects:
        yield configuration.token(project, project.tracker, "tracker")
        yield linear.service(project)
        yield configuration.token(project, project.forge, "scm")
        yield github.service(project, "tracker")
        yield github.service(project, "scm")
    yield nats.server(config)
    registry = Registry(Home.of_environment(), SystemClock(), directory=config.directory)
    for channel in config.notifiers:
        yield channels.channel(channel, registry)
    yield channels.buttons(config)
    yield channels.unrouted(config)


def _running(
    context: CliContext, config: Config, url: str | None, file: Finding | None
) -> Iterator[Finding | None]:
    """What runs; ``file`` is how its database's file looks from here, which is not told where the
    supervisor says that it is not the one it has open.
    """
    from ennio.cli.doctor import running
    from ennio.machine.home import Home

    if url is None:
        yield running.supervisor(None, "")
        return
    try:
        # one that hangs is found out by the smallest question, before a large one may take its time
        context.client(patience=_ANSWERS).get("/health")
        sessions = context.client().get("/sessions", all=True)
        status = context.client().get("/status")
    except EnnioError as error:
        yield running.supervisor(url, str(error))
        yield file
        return
    yield running.supervisor(url, "")
    taken = running.database(status.get("database_problem"))
    yield taken
    yield None if taken and file and file.level is Level.FINE else file
    yield running.metering(status)
    yield from running.sources(status)
    yield from running.degraded(status)
    home = Home.of_environment()
    known = {session["tmux_name"] or session["id"] for session in sessions}
    for socket in dict.fromkeys(
        (home.tmux_socket_of(home.run(config.source).name), home.tmux_socket)
    ):
        found = running.terminals(socket)
        yield running.orphans(found, known | running.of_others(found, home, config), socket)
