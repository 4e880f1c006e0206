"""Issues of a project's tracker: list the open ones, or add one."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ennio.board.table import Column, table
from ennio.cli.command_result import CommandResult
from ennio.cli.context import path
from ennio.cli.text import text_of

if TYPE_CHECKING:
    from ennio.cli.context import CliContext
    from ennio.cli.parser import Parser

EXAMPLES = """\
  ennio issue list my-app
  ennio issue add my-app "Signup accepts empty names" -m "Steps: ..." --label bug
"""
COLUMNS = (
    Column("ISSUE"),
    Column("STATE"),
    Column("TITLE", elastic=True),
    Column("LABELS", elastic=True),
)


def configure(parser: Parser) -> None:
    """The two sub-verbs."""
    subs = parser.verbs(
        list=(listed, "list the open issues of a project"), add=(add, "add an issue")
    )
    for sub in subs.values():
        sub.add_argument("project", help="the project's id or name")
    subs["add"].add_argument("title", help="its title")
    subs["add"].add_argument(
        "-m", "--body", type=str, default="", help="its text; - reads standard input"
    )
    subs["add"].add_argument(
        "-l", "--label", action="append", default=[], help="a label (repeatable)"
    )


def listed(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """The table of issues."""
    issues = context.client().get(path("/projects/{}/issues", context.project_id(options.project)))
    rows = [
        (issue["id"], issue["state"], issue["title"], ", ".join(issue["labels"]))
        for issue in issues
    ]
    return CommandResult(
        issues,
        table(COLUMNS, rows, context.width) if rows else [f"no open issues in {options.project}"],
    )


def add(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """Add one."""
    body = text_of(options.body) if options.body else ""
    order = {"title": options.title, "body": body, "labels": options.label}
    issue = context.order(path("/projects/{}/issues", context.project_id(options.project)), order)
    return CommandResult(
        issue,
        [
            (
                f"added issue {issue['id']}; work on it with: ennio spawn {options.project} "
                "--issue "
                f"{issue['id']}"
            )
        ],
    )
