"""Remove the workspaces of sessions that are merged, done or killed; what was not
pushed is preserved first.

An agent that is still there is ended first. Sessions that have not ended are never touched.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from ennio.board.quantities import size
from ennio.board.table import Column, table
from ennio.cli import caller
from ennio.cli.command_result import CommandResult
from ennio.cli.context import path
from ennio.cli.contradiction import refuse_other_project

if TYPE_CHECKING:
    from ennio.cli.context import CliContext
    from ennio.cli.parser import Parser

EXAMPLES = """\
  ennio cleanup --dry-run
  ennio cleanup --project my-app
  ennio cleanup ma-1a2b3c4d --force
"""
COLUMNS = (
    Column("SESSION"),
    Column("ACTION"),
    Column("SIZE", right=True),
    Column("WHY", elastic=True),
    Column("PRESERVED", elastic=True),
    Column("PATH", elastic=True),
)
PATIENCE = (
    600.0  # seconds: hundreds of working copies are looked through before anything is removed
)
NAMED = 5  # of what is not saved; --json names all
WORDS = {"removed": "freed", "removing": "being freed", "would remove": "would be freed"}


def configure(parser: Parser) -> None:
    """Which, and how."""
    parser.add_argument("session", nargs="?", help="only this session")
    parser.add_argument("--project", help="only this project (id or name)")
    parser.add_argument(
        "-f", "--force", action="store_true", help="also exited ones, which could be restored"
    )
    parser.add_argument(
        "-n", "--dry-run", action="store_true", help="show what would be removed, remove nothing"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """Clean up and tell what became of each."""
    if not options.dry_run:
        caller.insist_on_person("remove workspaces")
    wish: dict[str, Any] = {"force": options.force, "dry_run": options.dry_run}
    if options.session:
        if options.project:
            session = context.client().get(path("/sessions/{}", options.session))
            refuse_other_project(session, context.project_id(options.project))
        told = context.client(PATIENCE).post(path("/sessions/{}/cleanup", options.session), wish)
    else:
        wish |= {"project_id": context.project_id(options.project)} if options.project else {}
        told = context.client(PATIENCE).post("/cleanup", wish)
    items = told if isinstance(told, list) else [told]
    return CommandResult(told, _lines(items, context.width, dry_run=options.dry_run))


def _lines(items: list[dict[str, Any]], width: int | None, *, dry_run: bool) -> list[str]:
    rows = [
        (
            i["session_id"],
            i["action"],
            _size(i),
            i["reason"],
            i.get("preserved") or "",
            i["path"],
        )
        for i in items
    ]
    if not rows:
        return ["nothing to clean up"]
    return [*table(COLUMNS, rows, width), "", *_unsaved(items), _freed(items, dry_run=dry_run)]


def _freed(items: list[dict[str, Any]], *, dry_run: bool) -> str:
    """What all of it frees, and how much more there is to be had."""
    otherwise = "would be freed" if dry_run else "freed"
    gone = sum(item["size"] for item in items if item["action"] in WORDS)
    word = next((WORDS[item["action"]] for item in items if item["action"] in WORDS), otherwise)
    kept = sum(item["size"] for item in items if item["action"] == "kept")
    more = f"; {size(kept)} more with --force" if kept else ""
    return f"{size(gone)} {word}{more}"


def _size(item: dict[str, Any]) -> str:
    """What goes with it; of one that is kept nothing may go, which says nothing of its size."""
    return size(item["size"]) if item["size"] or item["action"] in WORDS else ""


def _unsaved(items: list[dict[str, Any]]) -> list[str]:
    """What goes with each and is kept nowhere, the largest first."""
    lines = []
    for item in items:
        paths = sorted(
            (one for one in item.get("unsaved") or () if one["why"] != "link"),
            key=lambda one: -one["size"],
        )
        ignored = [
            f"{one['path']} ({size(one['size'])})" for one in paths if one["why"] == "ignored"
        ]
        others = [f"{one['path']} ({one['why']})" for one in paths if one["why"] != "ignored"]
        lines += (
            [f"{item['session_id']}: not saved, since git ignores it: {_few(ignored)}"]
            if ignored
            else []
        )
        lines += (
            [f"{item['session_id']}: not saved, since it is no file: {_few(others)}"]
            if others
            else []
        )
    return [*lines, ""] if lines else []


def _few(names: list[str]) -> str:
    return ", ".join(names[:NAMED]) + (
        f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    )
