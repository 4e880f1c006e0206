"""Let the running supervisor read its configuration anew; the agents go on working.

The file is checked first, as `ennio config check` does: one with a mistake changes nothing. What
is new and would run something asks for trust, as at the start.
"""

from __future__ import annotations

import argparse
import os
import signal
from typing import TYPE_CHECKING, Any

from ennio.cli import caller, consent
from ennio.cli.command_result import CommandResult
from ennio.cli.number_argument import seconds
from ennio.model.errors import EnnioError, Unauthorized, Unreachable

if TYPE_CHECKING:
    from ennio.cli.context import CliContext
    from ennio.cli.parser import Parser
    from ennio.config.model import Config

_RESTART = "ennio stop && ennio start --detach"
EXAMPLES = """\
  ennio reload
  ennio reload --trust
"""


def configure(parser: Parser) -> None:
    """Whether it is trusted unasked, and how long to wait."""
    parser.add_argument("--trust", action="store_true", help="trust what the file runs, unasked")
    parser.add_argument(
        "--timeout", type=seconds, default=30.0, help="seconds to wait for it (default 30)"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """Check the file, tell the supervisor, wait until it stands on it, and say what changed."""
    from ennio.config import trusted
    from ennio.machine.home import Home
    from ennio.plugins import fitting

    caller.insist_on_person("reload the configuration")
    config = _loaded(context)
    before = _in_force(context)
    consent.obtain(config, context, given=options.trust, verb="reload")
    trusted.insist(config, Home.of_environment(), os.environ)
    fitting.insist(config, Home.of_environment())
    status = context.client().get("/status")
    _tell(context)
    now = _came(context, status["pid"], options.timeout)
    if now["config_problem"]:
        raise EnnioError(f"it was refused, the last good one holds: {now['config_problem']}")
    return _told(before, config)


def _loaded(context: CliContext, content: bytes | None = None) -> Config:
    from ennio.config.load import load
    from ennio.plugins import declared
    from ennio.plugins.shipped import known

    source = context.config_file()
    return load(source, os.environ, known(), declared=declared.shipped, content=content)


def _in_force(context: CliContext) -> Config | None:
    """What the supervisor stands on; None where no copy of it can be read."""
    from ennio.config import last_good

    content = last_good.known(context.run_directory())
    try:
        return None if content is None else _loaded(context, content)
    except EnnioError:
        return None  # a variable in it is not set here


def _tell(context: CliContext) -> None:
    from ennio.cli.process import is_supervisor

    address = context.address()
    if address is None or not is_supervisor(address.pid):
        raise EnnioError("the supervisor is not a process of this machine; reload it where it runs")
    try:
        os.kill(address.pid, signal.SIGHUP)
    except PermissionError:
        raise EnnioError(
            f"the supervisor (pid {address.pid}) belongs to somebody else, who may reload it"
        ) from None


def _came(context: CliContext, former: int, timeout: float) -> dict[str, Any]:
    """How it is once another worker answers."""
    from ennio.cli.process import within

    found: dict[str, Any] = {}

    def another() -> bool:
        try:
            found.update(context.client().get("/status"))
        except (Unreachable, Unauthorized):
            return False  # not there yet, or there with another token than was just read
        return bool(found["pid"] != former)

    if not within(timeout, another):
        raise EnnioError(
            f"it did not come back within {timeout:g} s; ennio logs may say why, and ennio status "
            "tells what it stands on"
        )
    return found


def _told(before: Config | None, after: Config) -> CommandResult:
    from ennio.config.difference import differences, waits_for_restart

    changed = {} if before is None else differences(before, after)
    waiting = [place for place in changed if waits_for_restart(place) and place != "port_chosen"]
    holds = [place for place in changed if not waits_for_restart(place)]
    lines = [f"{after.source} holds", *(f"  {changed[place]}: {place}" for place in holds)]
    late = f"waits for a restart ({_RESTART})"
    lines += [f"  {changed[place]}: {place}, which {late}" for place in waiting]
    if before is not None and not changed:
        lines = [f"{after.source} holds; nothing in it means something else than before"]
    if any(place.startswith(("defaults", "projects")) for place in holds):
        lines.append("agents that run keep what they were started with")
    document: dict[str, Any] = {"file": str(after.source), "changed": holds}
    document["waits_for_restart"] = waiting
    document["how"] = {place: changed[place].value for place in (*holds, *waiting)}
    return CommandResult(document, lines)
