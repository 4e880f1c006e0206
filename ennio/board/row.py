"""One session as the board shows it: what the API says of it, cleaned once, and never
derived again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from ennio.board.quantities import moment
from ennio.board.table import clean

Document = Mapping[str, Any]

TURNS = ("you", "agent", "world", "over")
SHORTEST = 7
"""An id is never shown shorter than this."""
_LONGEST = 2000
_JOINERS = dict.fromkeys((0x200D, 0xFE0E, 0xFE0F))
"""Terminals differ about how wide what these make is; without them none does."""
_ACTIVITIES: Mapping[str, str] = {"waiting_input": "asks", "blocked": "blocked"}


def words(text: object) -> str:
    """Somebody's words as they may stand on one line of the board."""
    if not text:
        return ""
    whole = str(text)
    short = whole if len(whole) <= _LONGEST else whole[:_LONGEST] + "…"
    return clean(short) if short.isascii() else clean(short.translate(_JOINERS))


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """A session. Two rows are the same only if they came in one answer: cells are kept by that."""

    id: str
    project: str
    turn: str
    word: str
    rule: str
    why: str
    since: datetime | None
    wants: tuple[str, ...]
    title: str
    pr: int | None
    checks: tuple[int, int, int] | None
    review: str
    diff: tuple[int, int, int] | None
    activity: str
    agent: str
    signal_at: datetime | None
    unseen: bool
    cost: str
    question: str
    options: tuple[str, ...]
    status: str
    branch: str
    created: str
    place: str
    host: str
    document: Document

    @classmethod
    def of(cls, told: Document) -> Row:
        """The row of one item of ``GET /sessions``."""
        turn = told.get("turn") or "agent"
        return cls(
            id=words(told["id"]),
            project=words(told.get("project_id")),
            turn=turn if turn in TURNS else "agent",
            word=words(told.get("word") or told.get("status")),
            rule=words(told.get("rule")),
            why=words(told.get("turn_why") or told.get("reason")),
            since=moment(told.get("turn_since") or told.get("created_at")),
            wants=tuple(words(verb) for verb in told.get("wants") or ()),
            title=words(told.get("title")),
            pr=told.get("pr_number"),
            checks=_three(told.get("checks"), "passing", "failing", "pending"),
            review=_review(told.get("review")),
            diff=_three(told.get("diff"), "added", "removed", "files"),
            activity=_activity(told),
            agent=words(told.get("agent_name")),
            signal_at=moment(told.get("signal_at")),
            unseen=bool(told.get("signal_at")),
            cost=cost(told.get("cost")),
            question=words(told.get("question")),
            options=tuple(words(one) for one in told.get("options") or ()),
            status=words(told.get("status")),
            branch=words(told.get("branch")),
            created=told.get("created_at") or "",
            place=_place(told.get("queued")),
            host=words(told.get("host")),
            document=told,
        )

    @property
    def clashes(self) -> str:
        """With whose branch a conflict is expected; empty where with none."""
        found = [words(one.get("with")) for one in self.document.get("conflicts") or ()]
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        return f"conflict with {found[0]}{more}" if found else ""

    @property
    def dollars(self) -> float:
        """What it has cost as far as anybody knows, to sort by."""
        try:
            return float((self.document.get("cost") or {}).get("amount") or 0)
        except ValueError:
            return 0.0


def _three(told: object, *names: str) -> tuple[int, int, int] | None:
    if not isinstance(told, Mapping):
        return None
    one, two, three = (int(told.get(name) or 0) for name in names)
    return one, two, three


def _review(told: object) -> str:
    known = {
        "approved": "ok",
        "changes_requested": "chg",
        "pending": "req",
        "required": "req",
    }
    if isinstance(told, Mapping):
        count = told.get("comments") or told.get("threads") or ""
        return known.get(str(told.get("state") or told.get("decision") or ""), "") + str(count)
    return known.get(str(told or ""), "")


def _activity(told: Document) -> str:
    name = words(told.get("activity"))
    if told.get("queued"):
        return "queued"
    if told.get("paused") and name != "exited":
        return "paused"
    if name == "ready" and told.get("helpers"):
        return f"ready +{told['helpers']}"
    return _ACTIVITIES.get(name, name)


def _place(told: Document | None) -> str:
    if not told:
        return ""
    return "held" if told.get("held") else f"queue {told.get('position') or '?'}"


def cost(told: Document | None) -> str:
    """``$0.84``; ``~`` before an estimate of ours; ``plan`` where nothing is billed; ``?`` where
    there is no price.
    """
    if not told:
        return ""
    if told.get("billing") == "plan":
        return "plan"
    try:
        amount = Decimal(str(told["amount"]))
    except (KeyError, InvalidOperation):
        return "?"
    if not amount.is_finite():
        return "?"
    if amount == 0:
        return ""
    text = f"${amount:.2f}" if amount < 100 else f"${amount:.0f}"
    text = text if amount >= Decimal("0.005") else "<$.01"
    return f"~{text}" if told.get("source") == "local" and not text.startswith("<") else text


def shortened(ids: Iterable[str]) -> Mapping[str, str]:
    """Each id as short as it is still one among these."""
    ordered = sorted(ids)
    short: dict[str, str] = {}
    for at, one in enumerate(ordered):
        near = [ordered[other] for other in (at - 1, at + 1) if 0 <= other < len(ordered)]
        least = max((_common(one, other) + 1 for other in near), default=0)
        short[one] = one[: max(SHORTEST, least, one.find("-") + 4)]
    return short


def _common(one: str, other: str) -> int:
    for at, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return at
    return min(len(one), len(other))
