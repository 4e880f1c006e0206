"""Start the supervisor here, until Ctrl-C; or in the background with --detach.
Agents outlive it either way.
"""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from ennio.board.printing import out
from ennio.cli import caller
from ennio.cli.command_result import INTERRUPTED, CommandResult
from ennio.cli.logfile import tail
from ennio.http.logfile import LOG
from ennio.model.errors import Conflict, EnnioError, Unreachable

if TYPE_CHECKING:
    from ennio.cli.context import CliContext
    from ennio.cli.parser import Parser
    from ennio.cli.process import Detached
    from ennio.config.model import Config
    from ennio.http.address import SupervisorAddress

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
        "--timeout",
        type=float,
        default=60.0,
        help="seconds to wait for it to answer (default 60, with --detach)",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """Start it, unless it runs already."""
    from ennio.cli import consent
    from ennio.cli.doctor.configuration import open_door
    from ennio.config import trusted
    from ennio.config.load import load
    from ennio.http.port import expected
    from ennio.machine.home import Home
    from ennio.plugins import declared, fitting
    from ennio.plugins.shipped import known

    caller.insist_on_person("start a supervisor")
    config = load(context.config_file(), os.environ, known(), declared=declared.shipped)
    _refuse_second(context)
    _tell_of_copies(config, context)
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
            f"it runs already: pid {held.pid} since {held.started_at}, {held.url}; stop it with: "
            "ennio stop"
        )


def _detached(context: CliContext, timeout: float) -> CommandResult:
    from ennio.cli.process import detach, within

    directory = context.run_directory()
    context.note("starting the supervisor ...")
    begun = None
    try:
        begun = detach(context.config_file(), directory)
        came = within(timeout, lambda: begun.process.poll() is not None or answers(context))
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
    address = context.address()
    if address is None:
        return False
    try:
        return bool(context.client().get("/health") == "ok")
    except Unreachable:
        return False


def _why_not(begun: Detached, timeout: float) -> str:
    """In this run's own words; what the log holds of earlier ones is not about this."""
    code = begun.process.poll()
    late = (
        f"the supervisor did not answer within {timeout:g} s (pid {begun.process.pid} still tries)"
    )
    what = late if code is None else f"the supervisor ended at once with code {code}"
    last = "\n".join(f"  {line}" for line in tail(begun.log, 15, begin=begun.begin))
    return f"{what}; the last lines of {begun.log}:\n{last}"


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
            f"took in {len(adopted)} running agent{'s' * (len(adopted) > 1)} that the database "
            f"did not know: {which}"
        )
    if status.get("database_problem"):
        lines.append(
            f"{status['database_problem']}; what runs can be seen and stopped meanwhile, and it "
            "goes on by itself"
        )
    return CommandResult(document, lines)


def _tell_of_copies(config: Config, context: CliContext) -> None:
    """A database that is not there and a copy that was saved of it: whoever
    begins anew should know.
    """
    from ennio.config import database

    file = database.file(config.database_url)
    if file is None or file.exists():
        return
    copies = sorted(file.parent.glob(f"{file.name}.saved-*"))
    if copies:
        words = (
            f"the database {file} is not there, so a new one is made; what it held was saved in "
            f"{copies[-1]}"
        )
        context.note(
            f"{words}; to go on with that: ennio stop && mv {copies[-1]} {file} && ennio start"
        )
