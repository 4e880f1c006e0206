"""Show what a session has changed since it left its base, what is not committed yet too."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from ennio.cli.command_result import CommandResult
from ennio.cli.context import path

if TYPE_CHECKING:
    from ennio.cli.context import CliContext
    from ennio.cli.parser import Parser

EXAMPLES = """\
  ennio diff ma-1a2b3c4d
  ennio diff ma-1a2b3c4d --stat
  ennio diff ma-1a2b3c4d src/app.py
  ennio diff ma-1a2b3c4d --committed | git apply
"""
_LONG = "it is longer than what is shown; the rest is in the working copy"


def configure(parser: Parser) -> None:
    """A session, and which part of its changes."""
    parser.add_argument("session", help="the session's id")
    parser.add_argument("path", nargs="?", help="only this file, as --stat names it")
    parser.add_argument("--stat", action="store_true", help="the files with their lines alone")
    parser.add_argument(
        "--committed", action="store_true", help="up to its last commit, not to its working copy"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """The files, or the patch."""
    if options.stat:
        return _listed(options, context)
    if options.path is not None:
        place = path("/sessions/{}/diff/file", options.session)
        asked = {"path": options.path, "whole": "true"}
        found = context.client().get(place, until=_until(options), **asked)
        return _read(found, found["text"], context, cut=found["truncated"])
    place = path("/sessions/{}/diff", options.session)
    found = context.client().get(place, until=_until(options), patch="true")
    return _read(found, found["text"] or "", context, cut=found["cut"])


def _listed(options: argparse.Namespace, context: CliContext) -> CommandResult:
    from ennio.cli.changes_view import stat_lines

    found = context.client().get(path("/sessions/{}/diff", options.session), until=_until(options))
    if options.path is not None:
        found["files"] = [one for one in found["files"] if one["path"] == options.path]
    return CommandResult(found, stat_lines(found, context.style), notes=_notes(found))


def _until(options: argparse.Namespace) -> str:
    return "head" if options.committed else "worktree"


def _read(found: Any, text: str, context: CliContext, *, cut: bool) -> CommandResult:
    """The patch in the pager, or as an answer."""
    from ennio.cli.pager import page
    from ennio.cli.pull_view import diff_lines

    notes = [*_notes(found), *([_LONG] if cut else [])]
    lines = diff_lines({"text": text}, context.style)
    if text and page(lines, context):
        return CommandResult(spoken=True, notes=notes)
    return CommandResult(found, lines, notes=notes)


def _notes(found: Any) -> list[str]:
    return [found["note"]] if found.get("note") else []
