"""The built-in reactions and what people are told of Ennio itself, from where they are declared."""

from __future__ import annotations

from collections.abc import Iterator

from ennio.config import reactions, system_notices
from ennio.config.model import Reaction
from ennio.config.quantity import shown_seconds
from ennio.policy.reactions.text import words_of
from tests.pages.markdown import table


def rules() -> Iterator[str]:
    """Every rule, as it is where no file says otherwise."""
    yield from table(
        ("Key", "Fires when", "Action", "Retries", "Rounds", "Escalates after", "Priority"),
        (_row(key, rule) for key, rule in reactions.BUILT_IN.items()),
    )


def _row(key: str, rule: Reaction) -> tuple[str, ...]:
    after = f" ({shown_seconds(rule.threshold)})" if rule.threshold else ""
    escalates = shown_seconds(rule.escalate_after) if rule.escalate_after else ""
    return (
        *(f"`{key}`", f"{reactions.TRIGGERS[key]}{after}", f"`{rule.action}`"),
        *(str(rule.retries or ""), str(rule.rounds or ""), escalates, str(rule.priority)),
    )


def words() -> Iterator[str]:
    """What an agent is asked for where the rule has no words of its own."""
    yield from table(
        ("Key", "The agent is told"), ((f"`{key}`", words_of(key)) for key in reactions.KEYS)
    )


def notices() -> Iterator[str]:
    """What people are told of Ennio itself."""
    yield from table(
        ("Key", "Told when"),
        ((f"`{key}`", trigger) for key, trigger in system_notices.TRIGGERS.items()),
    )
