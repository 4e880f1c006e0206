"""Whether a reaction acts, escalates or stays quiet, and why."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from ennio.config.model import Reaction
from ennio.reactions.cases import Case

REMEMBERED = 500


class Verdict(StrEnum):
    """Do nothing, perform the rule's action, or call a person."""

    QUIET = "quiet"
    ACT = "act"
    ESCALATE = "escalate"


@dataclass(frozen=True, slots=True)
class ReactionMemory:
    """What one reaction did about one session. An episode lasts as long as the case holds.

    ``told`` are the items acted on, kept over episodes so that nothing is told twice. ``round`` is
    the head the latest of them were about. ``passed_over`` are the items on which nothing was done,
    so that the reason is noted once.
    """

    episode: int = 0
    since: datetime | None = None
    attempts: int = 0
    told: tuple[str, ...] = ()
    escalated_at: datetime | None = None
    round: str = ""
    passed_over: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict, the items it is about (never told before), the new memory, and the reason in words.

    The items of a quiet decision are new ones on which nothing is done, for the reason given.
    """

    verdict: Verdict
    memory: ReactionMemory
    reason: str
    items: tuple[str, ...] = ()
    wake_at: datetime | None = None


def decide(rule: Reaction, case: Case, memory: ReactionMemory, now: datetime) -> Decision:
    """Decide about one case; the caller writes the memory down before it acts."""
    if not rule.enabled:
        return _switched_off(case, memory)
    if case.holds is None:
        return Decision(Verdict.QUIET, memory, f"it cannot be seen: {case.headline}")
    if not case.holds:
        ended = replace(memory, since=None, attempts=0, escalated_at=None, passed_over=case.items)
        return Decision(Verdict.QUIET, ended, "the condition does not hold", case.items, case.wake_at)
    if not case.lasting:
        return _pass_on(case, memory)
    if memory.since is None:
        memory = replace(memory, since=now, episode=memory.episode + 1)
    return _while_it_holds(rule, case, memory, now)


def leapt(memory: ReactionMemory, leap: timedelta) -> ReactionMemory:
    """The same memory after the clock leapt: the time that did not pass does not count for an escalation."""
    return memory if memory.since is None else replace(memory, since=memory.since + leap)


def _while_it_holds(rule: Reaction, case: Case, memory: ReactionMemory, now: datetime) -> Decision:
    items = case.items or (f"episode-{memory.episode}",)
    # words that were told and are answered by now leave a case without any: that is nothing new
    fresh = _fresh(items, memory) if case.items or not memory.attempts else ()
    if fresh and memory.attempts and case.round != memory.round:
        # the agent answered with a new head, and there are words about that one: nothing failed, a new round began
        memory = replace(memory, episode=memory.episode + 1, since=now, attempts=0, escalated_at=None)
    if fresh and memory.attempts <= rule.retries:
        told = (*memory.told, *fresh)[-REMEMBERED:]
        acted = replace(memory, attempts=memory.attempts + 1, told=told, round=case.round, passed_over=())
        reason = f"attempt {acted.attempts} of {rule.retries + 1}"
        return Decision(Verdict.ACT, acted, reason, fresh, _deadline(rule, acted))
    if memory.escalated_at is not None:
        return Decision(Verdict.QUIET, replace(memory, passed_over=fresh), "a person has been told", fresh)
    if fresh:
        return _escalate(memory, now, f"it still holds after {memory.attempts} attempts", fresh)
    deadline = _deadline(rule, memory)
    if deadline is not None and now >= deadline:
        return _escalate(memory, now, f"it has held for {(rule.escalate_after or 0):g} s", items)
    return Decision(Verdict.QUIET, memory, "what was seen has been told; waiting for it to change", wake_at=deadline)


def _fresh(items: tuple[str, ...], memory: ReactionMemory) -> tuple[str, ...]:
    return tuple(item for item in items if item not in memory.told)


def _switched_off(case: Case, memory: ReactionMemory) -> Decision:
    missed = _fresh(case.items or ("now",), memory) if case.holds else ()
    if case.holds is not None:
        memory = replace(memory, passed_over=missed)
    return Decision(Verdict.QUIET, memory, "it is switched off", missed)


def _pass_on(case: Case, memory: ReactionMemory) -> Decision:
    fresh = _fresh(case.items, memory)
    told = replace(memory, since=None, attempts=0, escalated_at=None, told=(*memory.told, *fresh)[-REMEMBERED:], passed_over=())
    return Decision(Verdict.ACT if fresh else Verdict.QUIET, told, "words to pass on" if fresh else "all was passed on", fresh)


def _escalate(memory: ReactionMemory, now: datetime, reason: str, items: tuple[str, ...]) -> Decision:
    return Decision(Verdict.ESCALATE, replace(memory, escalated_at=now, passed_over=items), reason, items)


def _deadline(rule: Reaction, memory: ReactionMemory) -> datetime | None:
    if rule.escalate_after is None or memory.since is None or memory.escalated_at is not None:
        return None
    return memory.since + timedelta(seconds=rule.escalate_after)
