"""Start the supervisor here, until Ctrl-C; or in the background with --detach.
Agents outlive it either way.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ennio.board.printing import out
from ennio.cli import caller
from ennio.cli.command_result import INTERRUPTED, CommandResult
from ennio.cli.logfile import tail
from ennio.cli.number_argument import seconds
from ennio.http.logfile import LOG
from ennio.model.errors import Conflict, EnnioError, Unreachable
from ennio.model.plural import number_of

if TYPE_CHECKING:
    from ennio.cli.context import CliContext
    from ennio.cli.parser import Parser
    from ennio.cli.process import Detached
    from ennio.config.model import Config
    from ennio.http.address import SupervisorAddress

_REASONS = ("could not start: ", "ennio-supervisor: ")  # before why a supervisor ended
EXAMPLES = """\
  ennio start
  ennio start --detach
  ennio start --detach --json
  ennio start --trust --config /etc/ennio/ennio.yaml
"""


def configure(parser: Parser) -> None:
    """Where it runs."""
    parser.add_argument(
        "-d", "--detach", action="store_true", help="in the background, its log in: ennio logs"
    )
    parser.add_argument(
        "--trust",
        action="store_true",
        help="trust the configuration as it is now: what it runs, whom it talks to",
    )
    parser.add_argument(
        "--new-database",
        action="store_true",
        help="begin with an empty one where the database is gone and a copy of it is left",
    )
    parser.add_argument(
        "--timeout",
        type=seconds,
        default=60.0,
        help="seconds to wait for it to answer (default 60, with --detach)",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """Start it, unless it runs already."""
    from ennio.cli import consent
    from ennio.cli.doctor.configuration import open_door
    from ennio.cli.doctor.finding import insist
    from ennio.cli.doctor.machine import state
    from ennio.config import trusted
    from ennio.config.load import load
    from ennio.http.port import expected
    from ennio.machine.home import Home
    from ennio.plugins import declared, fitting
    from ennio.plugins.shipped import known

    caller.insist_on_person("start a supervisor")
    config = load(context.config_file(), os.environ, known(), declared=declared.shipped)
    _refuse_second(context)
    _insist_on_database(config, new=options.new_database)
    insist(state(Home.of_environment().root))
    if (door := open_door(config)) is not None:
        context.note(f"{door.what}; {door.fix}")
    consent.obtain(config, context, given=options.trust)
    trusted.insist(config, Home.of_environment(), os.environ)
    fitting.insist(config, Home.of_environment())
    if options.detach:
        return _detached(context, options.timeout)
    port = expected(config, context.run_directory())
    url = f"http://{config.host}:{port}" if port else None  # which it gets is not known yet
    if context.json:
        from ennio.cli.main import dump

        out(dump({"url": url, "pid": os.getpid(), "config": str(config.source)}))
    else:
        where = f"at {url}" if url else f"on a free port of {config.host}, which ennio doctor tells"
        context.note(
            f"ennio starts {where} (configuration {config.source}); stop it with Ctrl-C or: ennio "
            "stop"
        )
    from ennio.cli.process import become

    become(config.source)
    return CommandResult(spoken=True)


def _refuse_second(context: CliContext) -> None:
    held = context.address()
    if held is not None:
        raise Conflict(
            f"it runs already: pid {held.pid} since {held.since}, {held.url}; stop it with: "
            "ennio stop"
        )


def _detached(context: CliContext, timeout: float) -> CommandResult:
    from ennio.cli.process import detach, within

    directory = context.run_directory()
    context.note("starting the supervisor ...")
    begun = None
    try:
        begun = detach(context.config_file(), directory)
        came = within(timeout, lambda: begun.process.poll() is not None or _stands(begun, context))
    except KeyboardInterrupt:
        if begun is None:
            context.note(
                "not waited for: whether the supervisor was started tells: ennio logs; end it "
                "with: ennio stop"
            )
            raise
        return _left(begun, context)
    address = context.address()
    if not came or begun.process.poll() is not None or address is None:
        raise EnnioError(_why_not(begun, timeout))
    return _told(address, context)


def _stands(begun: Detached, context: CliContext) -> bool:
    """Whether the one that was begun answers: another's answer, of a start beside this one, would
    leave it behind unseen.
    """
    address = context.address()
    return address is not None and address.pid == begun.process.pid and answers(context)


def _left(begun: Detached, context: CliContext) -> CommandResult:
    """A person would not wait for it; it is not theirs to guess whether it runs."""
    pid = begun.process.pid
    line = (
        f"not waited for: the supervisor (pid {pid}) goes on starting; see: ennio logs; end it "
        "with: ennio stop"
    )
    return CommandResult(
        {"url": None, "pid": pid, "config": str(context.config_file()), "log": str(begun.log)},
        [line],
        code=INTERRUPTED,
    )


def answers(context: CliContext) -> bool:
    """Whether a supervisor of this configuration answers."""
    from ennio.http.client import NoSupervisor

    address = context.address()
    if address is None:
        return False
    try:
        return bool(context.client().get("/health") == "ok")
    except (Unreachable, NoSupervisor):
        return False


def _why_not(begun: Detached, timeout: float) -> str:
    """In this run's own words; what the log holds of earlier ones is not about this."""
    last = tail(begun.log, 30, begin=begun.begin)
    if begun.process.poll() is not None and (reason := _reason(last)):
        return f"the supervisor could not start: {reason}"
    code = begun.process.poll()
    late = (
        f"the supervisor did not answer within {timeout:g} s (pid {begun.process.pid} still tries)"
    )
    what = late if code is None else f"the supervisor ended at once with code {code}"
    shown = "\n".join(f"  {line}" for line in last[-15:])
    return f"{what}; the last lines of {begun.log}:\n{shown}"


def _reason(lines: Sequence[str]) -> str | None:
    """What it said of itself before it ended; None where it ended without such a word."""
    for at in range(len(lines) - 1, -1, -1):
        line = _message(lines[at])
        for mark in _REASONS:
            if mark in line:
                return "\n".join([line.partition(mark)[2], *_rest(lines[at + 1 :])])
    return None


def _message(line: str) -> str:
    import json

    try:
        return str(json.loads(line)["message"]) if line.startswith("{") else line
    except (ValueError, KeyError):
        return line


def _rest(lines: Sequence[str]) -> list[str]:
    """The further lines of one message: those of the log begin with a time, or are objects."""
    whole = next((at for at, line in enumerate(lines) if line[:1] in "{0123456789"), len(lines))
    return list(lines[:whole])


def _told(address: SupervisorAddress, context: CliContext) -> CommandResult:
    log = context.run_directory() / LOG
    status = context.client().get("/status")
    adopted = status.get("adopted") or []
    document = {
        "url": address.url,
        "pid": address.pid,
        "config": address.config,
        "log": str(log),
        "adopted": adopted,
    }
    lines = [f"ennio runs at {address.url} (pid {address.pid}); stop it with: ennio stop"]
    if adopted:
        which = ", ".join(adopted)
        lines.append(
            f"took in {number_of(len(adopted), 'running agent')} that the database "
            f"did not know: {which}"
        )
    if status.get("database_problem"):
        lines.append(
            f"{status['database_problem']}; what runs can be seen and stopped meanwhile, and it "
            "goes on by itself"
        )
    return CommandResult(document, lines)


def _insist_on_database(config: Config, *, new: bool) -> None:
    """Raise Refused where the database cannot be written, or is gone and a copy of what it held
    lies beside it: a new one in its place would know nothing of what runs.
    """
    from ennio.cli.doctor import machine
    from ennio.cli.doctor.finding import insist
    from ennio.config import database

    file, found = database.file(config.database_url), machine.database(config.database_url)
    if not (new and machine.saved(file)):
        insist(found)
