"""Stop the supervisor. The agents go on working; the next start finds them again."""

from __future__ import annotations

import argparse
import os
import shlex
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

from ennio.cli import caller
from ennio.cli.command_result import CommandResult
from ennio.cli.number_argument import seconds
from ennio.model.errors import EnnioError, Unauthorized, Unreachable
from ennio.model.plural import number_of

if TYPE_CHECKING:
    from pathlib import Path

    from ennio.cli.context import CliContext
    from ennio.cli.parser import Parser
    from ennio.http.address import SupervisorAddress

_KILLING = 5.0  # seconds until the machine has cleaned up after it
EXAMPLES = """\
  ennio stop
  ennio stop --force
"""


def configure(parser: Parser) -> None:
    """How long to wait."""
    parser.add_argument(
        "--timeout", type=seconds, default=20.0, help="seconds to wait for its end (default 20)"
    )
    parser.add_argument(
        "--force",
        action="store_true",
        help="kill one that has not ended by then; agents go on, and nothing is lost",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """Ask it to stop, and wait until it is gone."""
    from ennio.cli.process import wake, within
    from ennio.http.address import locked
    from ennio.http.client import NoSupervisor

    caller.insist_on_person("stop the supervisor")
    address = context.address()
    if address is None and (answered := _by_nats(context)) is not None:
        return answered
    if address is None:
        raise NoSupervisor(f"no supervisor runs for {context.config_file()}: nothing to stop")
    directory = context.run_directory()
    wake(address.pid)
    running, metering = _agents(context), _metering(context)
    _ask(context, address)
    killed = False
    if not within(options.timeout, lambda: not locked(directory)):
        if not options.force:
            raise EnnioError(
                f"pid {address.pid} still runs after {options.timeout:g} s; ennio logs may say "
                "why; ennio stop --force ends it all the same"
            )
        killed = _killed(directory)
    how = "killed" if killed else "stopped"
    return CommandResult(
        {"stopped": address.pid, "killed": killed, "agents": running, "metered": metering},
        [f"{how} the supervisor (pid {address.pid}); {_words(running)}", *_proxy(metering)],
    )


def _killed(directory: Path) -> bool:
    """Kill what holds this instance, where that is a supervisor. Raises EnnioError."""
    import psutil

    from ennio.cli.process import holders, within
    from ennio.http.address import LOCK, locked

    found = holders(directory / LOCK)
    for process in found:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    if not within(_KILLING, lambda: not locked(directory)):
        raise EnnioError(
            f"{directory / LOCK} is still held, by no supervisor of yours; see by whom with: "
            f"fuser -v {shlex.quote(str(directory / LOCK))}"
        )
    return bool(found)


def _agents(context: CliContext) -> int | None:
    from ennio.board.sessions import living

    try:
        return len(living(context.client().get("/sessions")))
    except (Unreachable, Unauthorized):
        return None


def _metering(context: CliContext) -> int | None:
    """For how many sessions the metering proxy counts; None where there is none."""
    try:
        found = context.client().get("/status").get("metering")
    except EnnioError:
        return None  # it is stopped all the same
    return len(found["sessions"]) if found and found["address"] else None


def _proxy(metering: int | None) -> list[str]:
    if metering is None:
        return []
    if metering == 0:
        return ["the metering proxy ends too: no session needs it"]
    many = number_of(metering, "session")
    goes_on = f"the metering proxy goes on, since {many} may ask a model through it"
    return [f"{goes_on}; it ends by itself ten minutes after the last"]


def _ask(context: CliContext, address: SupervisorAddress) -> None:
    try:
        context.client().post("/shutdown")
    except (Unreachable, Unauthorized):
        # a supervisor that does not answer, or not to us, still hears its signal
        if not _signalled(address.pid) and _by_nats(context) is None:
            raise EnnioError(
                f"pid {address.pid} holds the lock but is no supervisor; see what it is with: ps "
                f"-fp {address.pid}"
            ) from None


def _signalled(pid: int) -> bool:
    """Tell the process to end; not where another program got its pid, or where that is not ours."""
    from ennio.cli.process import is_supervisor

    try:
        if is_supervisor(pid):
            os.kill(pid, signal.SIGTERM)
            return True
    except PermissionError:
        pass
    return False


def _by_nats(context: CliContext) -> CommandResult | None:
    """Stop one that can be reached by no other way; None where that is none either."""
    from ennio.cli.nats_order import ordered

    server = ordered(context, "shutdown", {})
    if server is None:
        return None
    words = f"told the supervisor over {server} to stop; agents that run keep running"
    return CommandResult({"stopped": None, "agents": None, "nats": server}, [words])


def _words(running: int | None) -> str:
    if running is None:
        return "agents that run keep running; ennio start finds them again"
    if running == 0:
        return "no agent was running"
    go_on = number_of(running, "agent keeps", "agents keep")
    return f"{go_on} running; ennio start finds {'them' if running > 1 else 'it'} again"
