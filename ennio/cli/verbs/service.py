"""Have the supervisor run for good: a unit of systemd's user manager, or an agent of launchd on
macOS, for each configuration file. It begins again when it fails, and at boot; agents outlive it
whatever becomes of it, and the next start finds them again.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from typing import TYPE_CHECKING, Any

from ennio.cli import caller
from ennio.cli.command_result import CommandResult
from ennio.cli.number_argument import seconds
from ennio.model.errors import EnnioError, NotFound

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ennio.cli.context import CliContext
    from ennio.cli.parser import Parser
    from ennio.cli.services.interface import ServiceManager
    from ennio.cli.services.spec import ServiceSpec
    from ennio.config.model import Config

EXAMPLES = """\
  ennio service install
  ennio service install --dry-run
  ennio service status --json
  ennio service remove
"""


def configure(parser: Parser) -> None:
    """The three sub-verbs."""
    subs = parser.verbs(
        install=(install, "write the service, have it begin at boot, and start it now"),
        status=(status, "show whether it is installed, runs, and begins at boot"),
        remove=(remove, "stop the supervisor and take the service away; the agents go on"),
    )
    made = subs["install"]
    made.add_argument(
        "-n", "--dry-run", action="store_true", help="show what would be written; change nothing"
    )
    made.add_argument("--no-start", action="store_true", help="write it, and start nothing now")
    made.add_argument(
        "--trust",
        action="store_true",
        help="trust the configuration as it is now: what it runs, whom it talks to",
    )
    made.add_argument(
        "--timeout",
        type=seconds,
        default=60.0,
        help="seconds to wait for the supervisor to answer (default 60)",
    )


def install(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """Write it unless it stands there already, and start it unless a supervisor runs."""
    from ennio.cli.services.interface import insist_on_ours
    from ennio.cli.services.spec import MARK

    caller.insist_on_person("install a service")
    config, manager = _config(context), _manager(context)
    there = insist_on_ours(manager.file, MARK)
    missing = _missing(config, manager.spec)
    if options.dry_run:
        return _shown(manager, missing)
    _insist_on_trust(config, context, given=options.trust)
    manager.insist()
    changed = not there or manager.file.read_text("utf-8") != manager.text()
    if changed:
        _write(manager)
    started = _begun(options, context, manager, changed=changed, missing=missing)
    words = _verb(there=there, changed=changed)
    document = {"installed": words, "started": started, "missing": missing, **_told(manager)}
    return CommandResult(
        document, [f"{words} {manager.file}", *_said(document, manager), *_howto(missing, manager)]
    )


def _begun(
    options: argparse.Namespace,
    context: CliContext,
    manager: ServiceManager,
    *,
    changed: bool,
    missing: list[str],
) -> bool:
    """Have it begin, at once where nothing speaks against it; whether it was started now."""
    held, ours = context.address(), manager.state().pid
    needed = [name for name in missing if name in _put_in(_config(context))]
    if held is not None and held.pid == ours:
        if changed and not options.no_start:
            manager.restart()
            _wait(options, context, manager)
        manager.enable(now=False)
        return changed and not options.no_start
    now = held is None and not needed and not options.no_start
    manager.enable(now=now)
    if held is not None:
        context.note(
            f"a supervisor runs already (pid {held.pid}), and no service started it; to hand over: "
            f"ennio stop && {manager.start_command}"
        )
    if now:
        _wait(options, context, manager)
    return now


def _wait(options: argparse.Namespace, context: CliContext, manager: ServiceManager) -> None:
    """Until it answers. Raises EnnioError with the last lines of its log."""
    from ennio.cli.logfile import tail
    from ennio.cli.process import within
    from ennio.cli.verbs.start import answers

    log = manager.spec.log
    begin = log.stat().st_size if log.exists() else 0
    if within(options.timeout, lambda: answers(context)):
        return
    last = "\n".join(f"  {line}" for line in tail(log, 15, begin=begin))
    raise EnnioError(
        f"the service is installed, and its supervisor did not answer within {options.timeout:g} "
        f"s; the last lines of {log}:\n{last}"
    )


def status(_options: argparse.Namespace, context: CliContext) -> CommandResult:
    """How it is. Raises NotFound where there is none; ends with 1 where it has failed."""
    from ennio.cli.services.interface import insist_on_ours
    from ennio.cli.services.spec import MARK

    manager = _manager(context)
    if not insist_on_ours(manager.file, MARK):
        raise NotFound(
            f"no service is installed for {manager.spec.config}; install it with: ennio service "
            "install"
        )
    current = manager.file.read_text("utf-8") == manager.text()
    document = {"current": current, **_told(manager)}
    lines = [f"{manager.unit}: {document['active']}", *_said(document, manager)]
    if not current:
        lines.append(
            "it is not what would be written now (another PATH, another place of Ennio); renew it "
            "with: ennio service install"
        )
    return CommandResult(document, lines, code=int(document["active"] == "failed"))


def remove(_options: argparse.Namespace, context: CliContext) -> CommandResult:
    """Stop it and take its file away; one that somebody else wrote is left alone."""
    from ennio.cli.services.interface import insist_on_ours
    from ennio.cli.services.spec import MARK

    caller.insist_on_person("remove a service")
    manager = _manager(context)
    if not insist_on_ours(manager.file, MARK):
        raise NotFound(f"no service is installed for {manager.spec.config}: nothing to remove")
    manager.insist()
    manager.disable()
    manager.file.unlink()
    manager.forget()
    lines = [f"removed {manager.file}; agents that run go on, and ennio start finds them again"]
    left = str(manager.spec.variables) if manager.spec.variables.exists() else None
    if left is not None:
        lines.append(f"left where it is, since you wrote it: {left}")
    document = {"removed": str(manager.file), "unit": manager.unit, "left": left}
    return CommandResult(document, lines)


# --- what is asked of, and told ------------------------------------------------------------------


def _config(context: CliContext) -> Config:
    from ennio.config.load import load
    from ennio.plugins import declared
    from ennio.plugins.shipped import known

    return load(context.config_file(), os.environ, known(), declared=declared.shipped)


def _manager(context: CliContext) -> ServiceManager:
    from ennio.cli.services.launchd import LaunchdUser
    from ennio.cli.services.spec import ServiceSpec
    from ennio.cli.services.systemd import SystemdUser
    from ennio.machine.home import Home
    from ennio.machine.places import person

    spec = ServiceSpec.of(context.config_file(), Home.of_environment(), os.environ)
    if sys.platform == "darwin":
        return LaunchdUser.of(spec, person())
    return SystemdUser.of(spec, os.environ, person())


def _insist_on_trust(config: Config, context: CliContext, *, given: bool) -> None:
    from ennio.cli import consent
    from ennio.config import trusted
    from ennio.machine.home import Home
    from ennio.plugins import fitting

    consent.obtain(config, context, given=given)
    trusted.insist(config, Home.of_environment(), os.environ)
    fitting.insist(config, Home.of_environment())


def _write(manager: ServiceManager) -> None:
    from ennio.machine.files import write_atomically
    from ennio.machine.home import private

    private(manager.spec.log.parent)
    manager.spec.log.touch(0o600)  # what starts it would make one that others can read
    manager.file.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(manager.file, manager.text(), mode=0o644)


def _put_in(config: Config) -> frozenset[str]:
    """The variables whose values the file cannot be read without."""
    return frozenset(name for place in config.origins.values() for name in place.variables)


def _missing(config: Config, spec: ServiceSpec) -> list[str]:
    """Variables of this shell that the configuration or its agents use, and the service will not
    have.
    """
    from ennio.cli.doctor.agents import KINDS
    from ennio.cli.services.spec import given

    agents = {project.agent for project in config.projects}
    keys = {
        name
        for kind in KINDS
        if kind.name in agents
        for name in kind.passed_variables
        if name.endswith(("_API_KEY", "_TOKEN"))
    }
    wanted = _put_in(config) | {
        name for name in (*keys, "GH_TOKEN", "GITHUB_TOKEN") if os.environ.get(name)
    }
    return sorted(wanted - spec.environment.keys() - given(spec.variables))


def _shown(manager: ServiceManager, missing: list[str]) -> CommandResult:
    text = manager.text()
    document = {"file": str(manager.file), "unit": manager.unit, "text": text, "missing": missing}
    lines = [f"{manager.file} would hold:", "", *text.rstrip().splitlines(), ""]
    return CommandResult(document, [*lines, *_howto(missing, manager)])


def _told(manager: ServiceManager) -> dict[str, Any]:
    state = manager.state()
    return {
        "manager": manager.name,
        "unit": manager.unit,
        "file": str(manager.file),
        "config": str(manager.spec.config),
        "enabled": state.enabled,
        "active": state.active,
        "pid": state.pid,
        "lasting": state.lasting,
        "variables": str(manager.spec.variables),
        "log": str(manager.spec.log),
    }


def _verb(*, there: bool, changed: bool) -> str:
    return "renewed" if there and changed else "wrote" if changed else "found as it is"


def _said(document: dict[str, Any], manager: ServiceManager) -> Iterator[str]:
    if document["pid"]:
        yield f"the supervisor runs (pid {document['pid']}); its log: ennio logs"
    else:
        yield f"its supervisor does not run; start it with: {manager.start_command}"
    if not document["enabled"]:
        yield "it does not begin by itself; mend that with: ennio service install"
    if not manager.lasting_command():
        yield "it begins with your login"
    elif not document["lasting"]:
        asked = "is off" if document["lasting"] is False else "could not be asked for"
        yield (
            f"lingering {asked}: without it the supervisor and all agents end when you log out, "
            f"and nothing begins at boot; turn it on with: {manager.lasting_command()}"
        )


def _howto(missing: list[str], manager: ServiceManager) -> Iterator[str]:
    """How a person gives it what no file of ours may hold."""
    if missing:
        which = "|".join(missing)
        file = shlex.quote(str(manager.spec.variables))
        yield (
            f"it will not have {', '.join(missing)} of this shell, since no secret is written down "
            "for you; to keep them in a file of yours:"
        )
        yield f"  (umask 077; env | grep -E '^({which})=' >> {file})"
        yield f"  then: {manager.start_command}"
