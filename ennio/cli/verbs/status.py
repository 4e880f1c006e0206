"""Show all sessions at a glance: whose turn it is in each, for what, since when and why; and what
waits to be started.
"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ennio.cli import edited_file
from ennio.cli.command_result import CommandResult
from ennio.cli.contradiction import refuse_beside
from ennio.model.plural import number_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ennio.cli.context import CliContext
    from ennio.cli.parser import Parser

_DISK_PATIENCE = 330.0  # seconds
EXAMPLES = """\
  ennio status
  ennio status my-app --all
  ennio status --disk
  ennio status --all-repositories
  ennio status --json | jq -r '.sessions[] | select(.turn == "you") | .id'
"""


def configure(parser: Parser) -> None:
    """An optional project, and whether the archived are wanted too."""
    parser.add_argument("project", nargs="?", help="only this project (id or name)")
    parser.add_argument("-a", "--all", action="store_true", help="also the archived ones")
    parser.add_argument(
        "--all-repositories",
        action="store_true",
        help="your supervisors in whatever folder, instead (as ennio ls)",
    )
    parser.add_argument("--disk", action="store_true", help="what takes the disk, instead")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """Sessions, the queue, and one line of warnings; or what takes the disk."""
    others = {"PROJECT": options.project, "--all": options.all}
    if options.disk:
        refuse_beside("--disk", others | {"--all-repositories": options.all_repositories})
        return _disk(context)
    if options.all_repositories:
        refuse_beside("--all-repositories", others)
        from ennio.cli.verbs import ls

        return ls.run(options, context)
    project = context.project_id(options.project) if options.project else None
    client = context.client()
    sessions = client.get("/sessions", project_id=project, all=True if options.all else None)
    queue = [entry for entry in client.get("/queue") if project in (None, entry["project_id"])]
    status = client.get("/status")
    problem, silent = status.get("config_problem"), _silent(status, project)
    gone = status.get("database_problem")
    nats, edited = status.get("nats"), edited_file.is_edited(context)
    document = {
        "sessions": sessions,
        "queue": queue,
        "config_problem": problem,
        "config_edited": edited,
        "database_problem": gone,
        "no_signal": silent,
        "degraded": status.get("degraded", []),
        "nats": nats,
    }
    lines = [*_lines(sessions, queue, context), *_no_signal(silent, context)]
    lines += [*_not_well(status, context), *_lag(nats, context)]
    lines += _refused(problem, context) or _edited(edited, context)
    return CommandResult(document, [*lines, context.style.paint("red", gone)] if gone else lines)


def _disk(context: CliContext) -> CommandResult:
    """By folder; it is asked for with patience, since somebody has to go through all of them."""
    from ennio.board.quantities import size

    found = context.client(_DISK_PATIENCE).get("/disk")
    rows = sorted(found["folders"].items(), key=lambda each: -each[1])
    database = found["database_used"]
    in_use = "" if database is None else f" ({size(database)} in use)"
    limit = "" if found["limit"] is None else f", at most {size(found['limit'])}"
    lines = [f"{name:<12}{size(taken):>10}" for name, taken in rows]
    lines += [f"{'database':<12}{size(found['database']):>10}{in_use}{limit}"]
    lines += [f"{'free':<12}{size(found['free']):>10}"]
    hint = "`ennio cleanup --dry-run` shows what ended sessions take"
    return CommandResult(found, [*lines, "", hint])


def _silent(status: dict[str, Any], project: str | None) -> dict[str, str]:
    """The forges and trackers that cannot be seen just now, each with the reason; of one
    project where one is asked for.
    """
    sources = {
        name: health
        for name, health in status.get("sources", {}).items()
        if name.startswith(("forge:", "tracker:"))
    }
    return {
        name: health["detail"]
        for name, health in sources.items()
        if not health["ok"] and project in (None, name.partition(":")[2])
    }


def _no_signal(silent: dict[str, str], context: CliContext) -> list[str]:
    from ennio.board.table import clean

    return [
        context.style.paint("yellow", f"no signal from {name}: {clean(why)}")
        for name, why in silent.items()
    ]


def _not_well(status: dict[str, Any], context: CliContext) -> list[str]:
    """What else is not as it should be; forges, trackers, the file and the database
    have lines of their own.
    """
    from ennio.board.table import clean

    own = ("forge", "tracker", "configuration", "database")
    others = [each for each in status.get("degraded", []) if each["part"] not in own]
    return [
        context.style.paint(
            "red" if each["blocks"] else "yellow", f"{each['name']}: {clean(each['detail'])}"
        )
        for each in others
    ]


def _lag(nats: dict[str, Any] | None, context: CliContext) -> list[str]:
    """How far what is on NATS is behind; that it is down stands among what is not well."""
    if not nats or nats["state"] != "lagging":
        return []
    events = number_of(nats["behind"], "event")
    return [context.style.paint("yellow", f"NATS lags behind by {events}")]


def _refused(problem: str | None, context: CliContext) -> list[str]:
    """What a reload did not take."""
    if not problem:
        return []
    words = (
        "the configuration file was refused, the last good one holds (mend it, then: ennio "
        f"reload): {problem}"
    )
    return [context.style.paint("red", words)]


def _edited(edited: bool, context: CliContext) -> list[str]:
    if not edited:
        return []
    return [context.style.paint("yellow", edited_file.way_out(context))]


def _lines(
    sessions: Sequence[dict[str, Any]], queue: Sequence[dict[str, Any]], context: CliContext
) -> list[str]:
    from ennio.board.plan_windows import window_lines
    from ennio.board.sessions import warnings
    from ennio.cli.turn_table import by_turn, count_of_turns, turn_table

    if not sessions:
        return [
            (
                "no sessions; begin one with: ennio spawn PROJECT --prompt TEXT (those cleaned up: "
                "ennio status --all)"
            )
        ]
    now = datetime.now(UTC)
    lines = turn_table(by_turn(sessions), now, context.width, context.style)
    lines += ["", count_of_turns(sessions)]
    if queue:
        held = sum(1 for entry in queue if entry.get("held"))
        lines.append(
            f"{len(queue)} in the queue"
            + (f", {held} of them held" if held else "")
            + "; more: ennio queue list"
        )
    lines += window_lines(sessions, now)
    return [*lines, *(context.style.paint("yellow", line) for line in warnings(sessions, now))]
