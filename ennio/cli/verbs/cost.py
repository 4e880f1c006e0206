"""Show what was used and what it cost, by project, session, model, account or day.

Plan usage is shown at list price, and is not billed. A model whose price
nobody knows is shown as `?`.
"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ennio.board.plan_windows import window_lines
from ennio.board.quantities import money, tokens
from ennio.board.table import Column, table
from ennio.cli.command_result import CommandResult
from ennio.cli.context import path
from ennio.cli.contradiction import refuse_beside, refuse_other_project
from ennio.cli.parser import UsageError
from ennio.model.request_fields import TimeField

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ennio.cli.context import CliContext
    from ennio.cli.parser import Parser

EXAMPLES = """\
  ennio cost
  ennio cost --by model --from 2026-11-01
  ennio cost --by session --project my-app
  ennio cost --overview
  ennio cost --calibration
  ennio cost --by day --from 2026-11-01 --to 2026-11-30 --csv > november.csv
"""
BY = ("project", "session", "model", "account", "day")
_FIELDS = (
    *("key", "requests", "unpriced_requests", "input_tokens", "output_tokens"),
    *("cache_read_tokens", "cache_write_tokens", "cost_usd", "billed_usd", "listed_usd"),
    "unlisted_requests",
)


def configure(parser: Parser) -> None:
    """By what, of whom, and when."""
    parser.add_argument("--by", choices=BY, help="what to add up by (default project)")
    parser.add_argument("--project", help="only of this project (id or name)")
    parser.add_argument("--session", metavar="ID", help="only of this session")
    parser.add_argument(
        "--from", dest="since", metavar="DAY", help="from this day on (UTC), or a moment"
    )
    parser.add_argument("--to", dest="until", metavar="DAY", help="up to this day, and with it")
    parser.add_argument(
        "--csv", action="store_true", help="comma-separated values, every digit of the money"
    )
    parser.add_argument(
        "--calibration",
        action="store_true",
        help="show how well sessions were forecast that have ended",
    )
    parser.add_argument(
        "--overview",
        action="store_true",
        help="show all of it in short: budgets, merged pull requests, plans, unknown prices",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """Ask the books."""
    if options.csv and getattr(options, "json", False):
        raise UsageError("--csv and --json are two forms of the same: give one")
    _in_order(options)
    if options.calibration:
        return _calibration(options, context)
    if options.overview:
        return _overview(options, context)
    project = context.project_id(options.project) if options.project else None
    if options.session:
        session = context.client().get(path("/sessions/{}", options.session))
        refuse_other_project(session, project or session["project_id"])
    report = context.client().get(
        "/costs",
        by=options.by or "project",
        project_id=project,
        session_id=options.session,
        since=options.since,
        until=options.until,
    )
    if options.csv:
        return CommandResult(report, _csv(report))
    lines = [*_table(report, context.width, some=bool(options.since or options.until))]
    if options.by == "account":
        lines += window_lines(context.client().get("/sessions"), datetime.now(UTC))
    return CommandResult(report, lines)


def _calibration(options: argparse.Namespace, context: CliContext) -> CommandResult:
    from ennio.cli.forecast_view import calibration_lines

    others = {"--csv": options.csv, "--session": options.session, "--by": options.by}
    refuse_beside("--calibration", others | {"--overview": options.overview})
    report = context.client().get(
        "/costs/calibration",
        project_id=context.project_id(options.project) if options.project else None,
        since=options.since,
        until=options.until,
    )
    return CommandResult(report, calibration_lines(report, context.width))


def _overview(options: argparse.Namespace, context: CliContext) -> CommandResult:
    from ennio.cli.spend_view import spend_lines

    others = {"--csv": options.csv, "--session": options.session, "--project": options.project}
    refuse_beside("--overview", others | {"--by": options.by})
    client = context.client()
    spend = client.get("/spend", since=options.since, until=options.until)
    budgets = client.get("/budgets")
    return CommandResult(spend, spend_lines(spend, budgets, datetime.now(UTC)))


def _in_order(options: argparse.Namespace) -> None:
    """Raise Invalid for what is no span, in the words of the options."""
    since = TimeField().from_json("--from", options.since) if options.since else None
    until = TimeField(through=True).from_json("--to", options.until) if options.until else None
    if since is not None and until is not None and until <= since:
        raise UsageError(f"--to: {options.until} is before --from; the other way round?")


def _csv(report: Mapping[str, Any]) -> Sequence[str]:
    import csv
    import io

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow((report["by"], *_FIELDS[1:]))
    for row in report["rows"]:
        writer.writerow([_cell(row[name]) for name in _FIELDS])
    return text.getvalue().rstrip("\n").split("\n")


def _cell(value: Any) -> Any:
    """What is not known is left empty; what a spreadsheet would reckon out is text."""
    if value is None:
        return ""
    return f"'{value}" if isinstance(value, str) and value[:1] in tuple("=+-@") else value


def _table(report: Mapping[str, Any], width: int | None, *, some: bool = False) -> Sequence[str]:
    if not report["rows"]:
        return ["nothing was used then" if some else "nothing was used yet"]
    titles = [Column(report["by"].upper(), elastic=True)]
    titles += [Column(title, right=True) for title in ("REQUESTS", "IN", "OUT", "BILLED", "PLAN")]
    rows = [_row(row, row["key"] or "?") for row in report["rows"]]
    if len(rows) > 1:
        rows.append(_row(report["total"], "total"))
    return table(titles, rows, width)


def _row(row: Mapping[str, Any], key: str) -> tuple[str, ...]:
    unlisted = row["unlisted_requests"]
    return (
        key,
        str(row["requests"]),
        tokens(row["input_tokens"]),
        tokens(row["output_tokens"]),
        money(row["billed_usd"], row["unpriced_requests"] - unlisted),
        _of_plan(row["listed_usd"], unlisted),
    )


def _of_plan(listed: str | None, unlisted: int) -> str:
    """Nothing where no plan gave anything, which most have none of."""
    return "" if not unlisted and not float(listed or 0) else money(listed, unlisted)
