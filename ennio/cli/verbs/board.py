"""Show all sessions live in the terminal, by whose turn it is, and act on them: ? lists the keys,
q quits.
"""

from __future__ import annotations

import argparse
import re
import sys
from datetime import UTC, datetime
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from ennio.cli.command_result import CommandResult
from ennio.model.errors import Invalid, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ennio.board.view import BoardView
    from ennio.cli.context import CliContext
    from ennio.cli.parser import Parser

EXAMPLES = """\
  ennio board
  ennio board my-app
  ennio board --once --size 80x24
  ennio board --plain
"""
_SIZE = re.compile(r"(\d{1,4})x(\d{1,4})\Z")


def configure(parser: Parser) -> None:
    """What it shows, and how."""
    parser.add_argument("project", nargs="?", help="only this project (id or name)")
    parser.add_argument("--once", action="store_true", help="print one frame and end")
    parser.add_argument("--size", metavar="WxH", help="how large that frame is (with --once)")
    parser.add_argument(
        "--plain",
        action="store_true",
        help="events as sentences, and the same commands as lines: for screen readers and pipes",
    )
    parser.add_argument("--ascii", action="store_true", help="draw with ASCII alone")
    parser.add_argument("--no-mouse", action="store_true", help="leave the mouse to the terminal")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """Paint until told to quit."""
    if options.size and not options.once:
        raise Invalid("--size: it is of the frame that --once prints; give both, or neither")
    project = context.project_id(options.project) if options.project else None
    if options.once or context.json:
        return _once(options, project, context)
    if options.plain:
        return _plain(project, context)
    if not context.interactive:
        raise Invalid(
            "the board needs a terminal; ennio board --once prints one frame, ennio board --plain "
            "sentences, ennio status a table"
        )
    return _live(options, project, context)


def _once(options: argparse.Namespace, project: str | None, context: CliContext) -> CommandResult:
    from dataclasses import replace

    from ennio.board.feed import verb_table
    from ennio.board.frame import frame
    from ennio.board.glyphs import ASCII
    from ennio.board.heading import header
    from ennio.board.news import Headed, Linked, Rows, Verbs

    client = context.client()
    sessions: list[dict[str, Any]] = client.get("/sessions", project_id=project)
    queue = [entry for entry in client.get("/queue") if project in (None, entry["project_id"])]
    document = {"sessions": sessions, "queue": queue}
    if context.json:
        return CommandResult(document, [])
    width, height = _size(options.size) if options.size else (context.width or 160, 0)
    view = Rows(sessions).taken(_first(context))
    for news in (
        Headed(header(client.get("/status"), client.get("/budgets"))),
        Verbs(verb_table(client)),
        Linked(0),
    ):
        view = news.taken(view)
    if options.ascii:
        view = replace(view, glyphs=ASCII)
    lines = frame(view, width, height or len(view.body.items) + 6)
    return CommandResult(document, lines)


def _size(text: str) -> tuple[int, int]:
    found = _SIZE.match(text.lower())
    if not found:
        raise Invalid(f"--size: {text!r} is no size; columns and lines are written like 80x24")
    return int(found[1]), int(found[2])


def _first(context: CliContext) -> BoardView:
    from ennio.board.view import BoardView

    return BoardView(datetime.now(UTC), style=context.style)


def _live(options: argparse.Namespace, project: str | None, context: CliContext) -> CommandResult:
    if find_spec("blessed") is None:
        raise Refused("the board needs the package blessed, which is missing")
    from ennio.board.opening import BoardSettings, show

    context.client()  # who is not there is told before the terminal is taken
    settings = BoardSettings(context.style.on, options.ascii, not options.no_mouse, project)
    show(context.client, _first(context), settings, _command(context))
    return CommandResult(spoken=True)


def _plain(project: str | None, context: CliContext) -> CommandResult:
    from ennio.board.feed import BoardFeed
    from ennio.board.plain import follow

    context.client()
    follow(BoardFeed(context.client, project), _first(context), sys.stdin)
    return CommandResult(spoken=True)


def _command(context: CliContext) -> Callable[..., Sequence[str]]:
    """What makes the line of a command of ours, for the same configuration."""
    config = ["--config", context.config] if context.config else []

    def line(*words: str) -> Sequence[str]:
        return [sys.executable, "-m", "ennio.cli", *words, *config]

    return line
