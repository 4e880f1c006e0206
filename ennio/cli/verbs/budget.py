"""Limits of money and tokens: list them, set one, raise it, take it away, or let a session that is
paused end its turn.

A budget is called by whom it limits and by its period: `global:daily`, `project:my-app:monthly`,
`session:each:total`. Days and months are those of UTC.
"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ennio.board.quantities import money, tokens
from ennio.board.table import Column, table
from ennio.cli import caller
from ennio.cli.command_result import CommandResult
from ennio.cli.context import path
from ennio.cli.field_words import as_options
from ennio.cli.session_name import whole_id
from ennio.model.errors import Invalid, NotFound
from ennio.model.money import used_of
from ennio.model.request_fields import PartField

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ennio.cli.context import CliContext
    from ennio.cli.parser import Parser

EXAMPLES = """\
  ennio budget list
  ennio budget set global --period daily --limit 25
  ennio budget set session --limit 2 --on-exceed pause
  ennio budget set project my-app --period monthly --limit 300 --tokens 50000000
  ennio budget raise global:daily --by 10
  ennio budget raise ma-1a2b3c4d --by 1
  ennio budget go-on ma-1a2b3c4d
  ennio budget remove project:my-app:monthly
"""
COLUMNS = (
    Column("BUDGET", elastic=True),
    Column("USED", right=True),
    Column("LIMIT", right=True),
    Column("RAISED", right=True),
    Column("%", right=True),
    Column("LEFT", right=True),
    Column("KEPT", right=True),
    Column("TOKENS", right=True),
    Column("BEGINS ANEW"),
    Column("RUNS DRY"),
    Column("THEN"),
    Column("PAUSED", right=True),
)
_ACT = "decide about budgets"
_SET_BY = {"limit_usd": "--limit", "limit_tokens": "--tokens"}
_RAISED_BY = {"usd": "--by", "tokens": "--tokens"}
"""Which option gives a field of the API that has another name."""


def configure(parser: Parser) -> None:
    """The five sub-verbs."""
    subs = parser.verbs(
        list=(listed, "list all budgets and where they stand"),
        set=(set_one, "set a budget beside those of the file"),
        **{"raise": (increase, "raise a budget until it begins anew; whoever it paused goes on")},
        remove=(remove, "take away a budget that was set"),
        go_on=(go_on, "let a session that a budget paused end its turn, and no more"),
    )
    _declare_set(subs["set"])
    more = subs["raise"]
    more.add_argument("budget", help="the budget's name, or whom it limits: an id, or global")
    more.add_argument("--by", metavar="USD", help="by how many dollars")
    more.add_argument("--tokens", type=int, metavar="NUMBER", help="by how many tokens")
    subs["remove"].add_argument("budget", help="the budget's name")
    subs["go-on"].add_argument("session", help="the session's id")


def _declare_set(parser: Parser) -> None:
    parser.add_argument("scope", choices=("global", "project", "session"), help="whose spending")
    parser.add_argument(
        "id", nargs="?", help="the one project or session; left out: each by itself"
    )
    parser.add_argument(
        "--period",
        choices=("daily", "monthly", "total"),
        default="total",
        help="when it begins anew (default total: never)",
    )
    parser.add_argument("--limit", metavar="USD", help="the limit in dollars; 0 admits nothing")
    parser.add_argument("--tokens", type=int, metavar="NUMBER", help="the limit in tokens")
    parser.add_argument(
        "--on-exceed",
        choices=("warn", "pause", "kill"),
        default="pause",
        help="what happens to whoever runs beyond it (default pause)",
    )
    parser.add_argument(
        "--warn-at", type=float, default=0.8, metavar="PART", help="when people are told (0.8)"
    )
    parser.add_argument(
        "--count-plan", action="store_true", help="what a plan gives counts too, at list price"
    )


def listed(_options: argparse.Namespace, context: CliContext) -> CommandResult:
    """The table of all budgets."""
    found = context.client().get("/budgets")
    if not found:
        return CommandResult(found, ["there are no budgets; set one with: ennio budget set --help"])
    now = datetime.now(UTC).isoformat()  # of what was spent nothing is wanted
    spend = context.client().get("/spend", since=now)
    dry = {(one["budget"], one["project_id"]): one for one in spend["budgets"]}
    told = [{**view, "runs_dry": dry.get((view["name"], view["id"]))} for view in found]
    return CommandResult(told, _table(told, context.width))


def set_one(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """Set one."""
    caller.insist_on_person(_ACT)
    PartField().from_json("--warn-at", options.warn_at)  # what is no number stands in no JSON
    who = options.id
    if options.scope == "project" and who:
        who = context.project_id(who)
    elif options.scope == "session" and who:
        who = whole_id(who, context.client())
    order = {
        "scope": options.scope,
        "id": who,
        "period": options.period,
        "limit_usd": options.limit,
        "limit_tokens": options.tokens,
        "on_exceed": options.on_exceed,
        "warn_at": options.warn_at,
        "count_plan": options.count_plan,
        "by": caller.name(),
    }
    given = {key: value for key, value in order.items() if value is not None}
    with as_options(_SET_BY):
        view = context.order("/budgets", given)
    return CommandResult(view, [f"set {view['name']}", *_standing(view), *_over(view)])


def increase(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """Raise one."""
    caller.insist_on_person(_ACT)
    if options.by is None and options.tokens is None:
        raise Invalid("give --by USD, --tokens NUMBER or both: by how much the budget is raised")
    order = {"usd": options.by, "tokens": options.tokens, "by": caller.name()}
    given = {key: value for key, value in order.items() if value is not None}
    with as_options(_RAISED_BY):
        view = _raised(options.budget, given, context)
    until = f" until {_moment(view['resets_at'])}" if view["resets_at"] else ""
    return CommandResult(view, [f"raised {view['name']}{until}", *_standing(view)])


def _raised(name: str, given: Mapping[str, Any], context: CliContext) -> Any:
    """The budget as it is then; a name that no budget has may be how a session's id begins."""
    try:
        return context.order(path("/budgets/{}/raise", name), given, once=True)
    except NotFound as error:
        try:
            whole = whole_id(name, context.client())
        except NotFound:
            raise error from None
        if whole == name:
            raise
        return context.order(path("/budgets/{}/raise", whole), given, once=True)


def remove(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """Take one away."""
    caller.insist_on_person(_ACT)
    told = context.client().delete(path("/budgets/{}", options.budget))
    return CommandResult(
        {"budget": options.budget, "result": told}, [f"took {options.budget} away"]
    )


def go_on(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """Let it end its turn."""
    caller.insist_on_person(_ACT)
    told = context.client().post(path("/sessions/{}/go-on", options.session))
    words = f"{options.session} goes on until its turn ends, and is paused again then"
    return CommandResult({"session": options.session, "result": told}, [words])


def _standing(view: Mapping[str, Any]) -> Sequence[str]:
    if view["level"] is None:
        return ["it holds for each by itself; see: ennio budget list"]
    parts = []
    if view["limit"] is not None:
        least = "at least " if view["unpriced_requests"] else ""
        used = used_of(Decimal(view["used"]), Decimal(view["limit"]))
        parts.append(f"{least}{used} are used")
    if view["limit_tokens"] is not None:
        parts.append(f"{view['used_tokens']} of {view['limit_tokens']} tokens are used")
    return [", ".join(parts)]


def _over(view: Mapping[str, Any]) -> Sequence[str]:
    """Which raises ended with the limit that was before."""
    return [
        f"raises given before are over: {one['budget']} by {_more(one['usd'], one['tokens'])}"
        for one in view.get("ended_raises", ())
    ]


def _more(usd: str | None, given: int | None) -> str:
    parts = [money(usd)] if usd and float(usd) else []
    return " and ".join([*parts, *([f"{tokens(given)} tokens"] if given else [])])


def _table(found: Sequence[Mapping[str, Any]], width: int | None) -> Sequence[str]:
    return table(COLUMNS, [_row(view) for view in found], width)


def _row(view: Mapping[str, Any]) -> tuple[str, ...]:
    if view["level"] is None:
        limit = "" if view["limit"] is None else money(view["limit"])
        most = "" if view["limit_tokens"] is None else f"of {tokens(view['limit_tokens'])}"
        return (view["name"], "", limit, "", "", "", "", most, "", "", view["on_exceed"], "")
    limited = view["limit"] is not None
    return (
        view["name"],
        money(view["used"], view["unpriced_requests"]),
        money(view["limit"]) if limited else "",
        _more(view.get("raised_usd"), view.get("raised_tokens")),
        f"{view['percent_used']:g}",
        money(view["remaining"]) if limited else "",
        money(view["reserved"]) if limited and float(view["reserved"]) else "",
        _used_tokens(view),
        _moment(view["resets_at"]) if view["resets_at"] else "never",
        "used up" if view["level"] == "exceeded" else _dry(view["runs_dry"]),
        view["on_exceed"],
        str(len(view["paused"])) if view["paused"] else "",
    )


def _dry(told: Mapping[str, Any] | None) -> str:
    """When it likely runs dry; ``no``: not before it begins anew, ``?``: too few days to say."""
    if told is None:
        return ""
    if told["likely_at"]:
        return _moment(told["likely_at"])
    return "?" if told["days"] < told["least"] else "no"


def _used_tokens(view: Mapping[str, Any]) -> str:
    used, most = tokens(view["used_tokens"]), view["limit_tokens"]
    return used if most is None else f"{used} of {tokens(most)}"


def _moment(text: str) -> str:
    """When it begins anew, on the clock that counts for it."""
    return f"{datetime.fromisoformat(text).astimezone(UTC):%Y-%m-%d %H:%M} UTC"
