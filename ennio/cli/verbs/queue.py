"""What waits to be started: list it, hold back, release, reorder, or drop."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ennio.board.quantities import age
from ennio.board.table import Column, table
from ennio.cli.command_result import CommandResult
from ennio.cli.context import path

if TYPE_CHECKING:
    from ennio.cli.context import CliContext
    from ennio.cli.parser import Parser

EXAMPLES = """\
  ennio queue list
  ennio queue hold ma-1a2b3c4d
  ennio queue move ma-1a2b3c4d 1
  ennio queue priority ma-1a2b3c4d 10
  ennio queue drop ma-1a2b3c4d
"""
COLUMNS = (
    Column("POS", right=True),
    Column("SESSION"),
    Column("PROJECT"),
    Column("PRIORITY", right=True),
    Column("WAITS", right=True),
    Column("WHY", elastic=True),
)


def configure(parser: Parser) -> None:
    """The six sub-verbs."""
    subs = parser.verbs(
        list=(listed, "list what waits, in the order it will be started"),
        hold=(hold, "keep a session from being started"),
        release=(release, "let it be started when its turn comes"),
        move=(move, "put a session at another position"),
        drop=(drop, "take a session out of the queue, for good"),
        priority=(priority, "give a session another priority"),
    )
    for name in ("hold", "release", "move", "drop", "priority"):
        subs[name].add_argument("session", help="the session's id")
    subs["move"].add_argument("position", type=int, help="1 is next")
    subs["priority"].add_argument("priority", type=int, help="higher starts sooner")


def listed(_options: argparse.Namespace, context: CliContext) -> CommandResult:
    """The queue as a table."""
    from datetime import UTC, datetime

    queue = context.client().get("/queue")
    now = datetime.now(UTC)
    rows = [
        (
            str(place),
            entry["session_id"],
            entry["project_id"],
            str(entry["priority"]),
            age(entry["enqueued_at"], now),
            "held" if entry["held"] else entry["reason"],
        )
        for place, entry in enumerate(queue, 1)
    ]
    return CommandResult(queue, table(COLUMNS, rows, context.width) if rows else ["nothing waits"])


def hold(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """Hold it."""
    told = context.client().post(path("/queue/{}/hold", options.session))
    return CommandResult(
        {"session": options.session, "result": told},
        [f"held {options.session}; undo with: ennio queue release {options.session}"],
    )


def release(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """Release it."""
    told = context.client().post(path("/queue/{}/release", options.session))
    return CommandResult(
        {"session": options.session, "result": told}, [f"released {options.session}"]
    )


def move(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """Move it."""
    told = context.client().post(
        path("/queue/{}/move", options.session), {"position": options.position}
    )
    return CommandResult(
        {"session": options.session, "result": told},
        [f"moved {options.session} to position {options.position}"],
    )


def drop(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """Drop it."""
    told = context.client().delete(path("/queue/{}", options.session))
    return CommandResult(
        {"session": options.session, "result": told},
        [f"dropped {options.session}: it will not be started"],
    )


def priority(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """Set its priority."""
    told = context.client().post(
        path("/queue/{}/priority", options.session), {"priority": options.priority}
    )
    return CommandResult(
        {"session": options.session, "result": told},
        [f"{options.session} has priority {options.priority}"],
    )
