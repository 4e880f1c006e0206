"""What a notice says of its session beside its words: what it did, cost and needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType

from ennio.model.money import to_the_cent
from ennio.model.session import Session, Usage

_NEEDS: Mapping[str, str] = MappingProxyType(
    {
        "ci-failed": "somebody who finds out why the checks fail, or tells the agent",
        "changes-requested": "somebody who settles it with the reviewer",
        "bugbot-comments": "somebody who says what of it is right",
        "merge-conflicts": "somebody who settles the conflict, or tells the agent how",
        "approved-and-green": "a merge: ennio pr merge {id}",
        "agent-stuck": "a look at its terminal: ennio open {id}",
        "agent-resting": "a word to go on, or a look: ennio send {id} TEXT",
        "agent-needs-input": "an answer: ennio answer {id} TEXT",
        "agent-exited": "a look, and perhaps a new start: ennio session restore {id}",
        "all-complete": "nothing",
        "budget-warning": "a decision whether it may cost more",
        "budget-exceeded": "a decision whether it may cost more",
        "plan-window": "patience until the window begins anew, or another account",
        "fan-out": "a look at what it started",
        "anomaly": "a look: ennio session info {id}",
        "workspace-gone": "what brings it back: ennio session why {id}",
    }
)
_LONGEST, _LISTED = 300, 10


def summary(key: str, session: Session, word: str) -> Iterator[str]:
    """A line for each; what is not known is said to be. ``word`` is that of its turn."""
    yield f"Did: {_did(session, word)}"
    yield f"Cost: {_cost(session.usage)}"
    if key in _NEEDS:
        yield f"Needs: {_NEEDS[key].format(id=session.id)}"


def summary_of_many(sessions: Sequence[Session]) -> Iterator[str]:
    """The same of several that have ended: a line for what each of the first did, and what all
    cost.
    """
    yield "Did:"
    yield from (f"- {one.id}: {_did(one, one.status)}" for one in sessions[:_LISTED])
    if len(sessions) > _LISTED:
        yield f"- and {len(sessions) - _LISTED} more"
    yield f"Cost: {_cost(_sum([one.usage for one in sessions]))}"


def _sum(usages: Sequence[Usage | None]) -> Usage | None:
    """What is known of all; who told nothing leaves an unknown part."""
    known = [one for one in usages if one is not None]
    money = [one.cost_usd for one in known if one.cost_usd is not None]
    if not known:
        return None
    return Usage(
        input_tokens=sum(one.input_tokens for one in known),
        output_tokens=sum(one.output_tokens for one in known),
        cost_usd=sum(money, Decimal(0)) if money else None,
        unpriced=sum(one.unpriced for one in known) + len(usages) - len(money),
    )


def _did(session: Session, word: str) -> str:
    words = " ".join((session.summary or "").split()) or f"nothing it told of ({word})"
    words = words if len(words) <= _LONGEST else f"{words[:_LONGEST]}..."
    where = f"#{session.pr_number}" if session.pr_number is not None else session.branch
    return f"{words} (on {where})" if where else words


def _cost(usage: Usage | None) -> str:
    if usage is None:
        return "$?, tokens unknown"
    tokens = usage.input_tokens + usage.output_tokens
    known = to_the_cent(usage.cost_usd, usage.unpriced)
    money = known if "$" in known else "$?"
    return f"{money}, {tokens:,} tokens" if tokens else f"{money}, tokens unknown"
