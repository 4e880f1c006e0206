"""Show all sessions live in the terminal: q quits, the arrow keys scroll."""

from __future__ import annotations

import argparse
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ennio.cli.command_result import CommandResult
from ennio.model.errors import Invalid, Refused, Unreachable

if TYPE_CHECKING:
    from ennio.board.frame import BoardView
    from ennio.cli.context import CliContext
    from ennio.cli.parser import Parser

EXAMPLES = """\
  ennio board
  ennio board my-app
  ennio board --once
"""


def configure(parser: Parser) -> None:
    """What it shows."""
    parser.add_argument("project", nargs="?", help="only this project (id or name)")
    parser.add_argument("--once", action="store_true", help="print one frame and end")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """Paint until told to quit."""
    from ennio.board.frame import BoardView, frame

    project = context.project_id(options.project) if options.project else None
    first = BoardView(datetime.now(UTC), url=context.client().url, style=context.style)
    if options.once or context.json:
        view = _read(first, project, context)
        height = len(view.sessions) + 5
        return CommandResult(
            {"sessions": list(view.sessions), "queue": list(view.queue)},
            frame(view, context.width or 160, height),
        )
    if not context.interactive:
        raise Invalid(
            "the board needs a terminal; ennio board --once prints one frame, ennio status a table"
        )
    return _live(first, project, context)


def _live(first: BoardView, project: str | None, context: CliContext) -> CommandResult:
    try:
        from ennio.board.loop import show
    except ModuleNotFoundError as error:
        raise Refused(
            f"the board needs the package {error.name}: .venv/bin/pip install {error.name}"
        ) from error

    def source(last: BoardView) -> BoardView:
        try:
            return _read(last, project, context)
        except Unreachable as error:
            return replace(last, at=datetime.now(UTC), trouble=str(error))

    show(source, first)
    return CommandResult(spoken=True)


def _read(last: BoardView, project: str | None, context: CliContext) -> BoardView:
    client = context.client()
    sessions: list[dict[str, Any]] = client.get("/sessions", project_id=project)
    queue = [entry for entry in client.get("/queue") if project in (None, entry["project_id"])]
    return replace(last, at=datetime.now(UTC), sessions=sessions, queue=queue, trouble="")
