"""Give an agent comments on lines of its changes, all of them as one message."""

from __future__ import annotations

import argparse
import json
import re
from typing import TYPE_CHECKING, Any

from ennio.cli import caller
from ennio.cli.command_result import CommandResult
from ennio.cli.context import path
from ennio.cli.text import text_of
from ennio.model.errors import Invalid

if TYPE_CHECKING:
    from ennio.cli.context import CliContext
    from ennio.cli.parser import Parser

EXAMPLES = """\
  ennio review ma-1a2b3c4d --comment src/app.py:12 "Use the helper for this"
  ennio review ma-1a2b3c4d --comment a.py:3-7 "Too long" --comment b.py "Needs a test" --forge
  ennio review ma-1a2b3c4d --file comments.json
  echo '[{"path": "a.py", "line": 3, "body": "Why?"}]' | ennio review ma-1a2b3c4d --file -
"""
_PLACE = re.compile(
    r"(?P<path>(?!:[0-9]).+?)(?::(?P<line>[0-9]+)(?:-(?P<end_line>[0-9]+))?)?\Z", re.DOTALL
)


def configure(parser: Parser) -> None:
    """A session and the comments."""
    parser.add_argument("session", help="the session's id")
    parser.add_argument(
        "-c",
        "--comment",
        nargs=2,
        type=str,
        action="append",
        default=[],
        metavar=("PATH[:LINE[-LINE]]", "TEXT"),
        help="words about a place; may be given again and again",
    )
    parser.add_argument(
        "--old", action="store_true", help="the lines are counted as they were before the change"
    )
    parser.add_argument("-m", "--message", help="words about all of it; - reads standard input")
    parser.add_argument("--file", help="the review as the API takes it, JSON; - is standard input")
    parser.add_argument("--forge", action="store_true", help="also as a review on its pull request")
    parser.add_argument("--head", metavar="COMMIT", help="the head that you read")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """Send it."""
    order = _order(options)
    sent = context.order(path("/sessions/{}/review", options.session), order, once=True)
    number, forge = sent["comments"], sent["pull"]
    also = f"; they are on #{forge} too" if forge else ""
    line = (
        f"{number} comment{'s wait' if number != 1 else ' waits'} for {options.session} as one "
        f"message{also}; whether it arrived: ennio messages {options.session}"
    )
    notes = [f"not on the pull request: {sent['problem']}"] if sent["problem"] else []
    return CommandResult(sent, [line], 1 if notes else 0, notes)


def _order(options: argparse.Namespace) -> dict[str, Any]:
    if options.file is not None and options.comment:
        raise Invalid("--comment and --file do not go together: give all comments in one of them")
    order = _given(options.file) if options.file is not None else {}
    if options.comment:
        order["comments"] = [_comment(*each, old=options.old) for each in options.comment]
    if not order.get("comments"):
        raise Invalid("no comment: give --comment PATH:LINE TEXT, or --file")
    more = {
        "body": text_of(options.message) if options.message is not None else None,
        "forge": True if options.forge else None,
        "head": options.head,
    }
    said = {name: value for name, value in more.items() if value is not None}
    return {"author": caller.session() or "person", **order, **said}


def _comment(place: str, text: str, *, old: bool) -> dict[str, Any]:
    found = _PLACE.match(place)
    if found is None:
        raise Invalid(
            f"--comment: {place!r} names no file: write PATH, PATH:LINE or PATH:LINE-LINE"
        )
    lines = {name: int(found[name]) for name in ("line", "end_line") if found[name]}
    return {"path": found["path"], "body": text, **lines, **({"side": "old"} if old else {})}


def _given(source: str) -> dict[str, Any]:
    text = text_of("-" if source == "-" else f"@{source}", files=True)
    try:
        order = json.loads(text)
    except ValueError as error:
        raise Invalid(f"{source} is no JSON: {error}") from error
    if isinstance(order, list):
        return {"comments": order}
    if not isinstance(order, dict):
        raise Invalid(f"{source} must hold an object with `comments`, or a list of them")
    return order
