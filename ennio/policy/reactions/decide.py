"""Whether a reaction acts, escalates or stays quiet, and why."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from ennio.config.model import Reaction, ReactionAction
from ennio.model.plural import number_of
from ennio.policy.reactions.seen_item import SeenItem
from ennio.policy.reactions.situation import Case

REMEMBERED = 500
GONE = timedelta(minutes=5)
"""How long a condition must be gone for its episode to be over: red, green and red again
is one trouble, not two.
"""


class Verdict(StrEnum):
    """Do nothing, perform the rule's action, or call a person."""

    QUIET = "quiet"
    ACT = "act"
    ESCALATE = "escalate"


@dataclass(frozen=True, slots=True)
class ReactionState:
    """What one reaction did about one session. An episode lasts until its case
    has not held for ``GONE``.

    ``told`` are the items acted on, kept over episodes so that nothing is told twice. ``round``
    is the head the latest of them were about, ``rounds`` counts these heads in this episode, and
    how often words were told that came while the agent was at others on the same head. ``edited``
    are the words told again on it because they had changed. ``passed_over`` are the items on which
    nothing was done, so that the reason is noted once. ``gone_at`` is since when the case has not
    held.
    """

    episode: int = 0
    since: datetime | None = None
    attempts: int = 0
    told: tuple[SeenItem, ...] = ()
    escalated_at: datetime | None = None
    round: str = ""
    passed_over: tuple[SeenItem, ...] = ()
    rounds: int = 1
    edited: tuple[str, ...] = ()
    gone_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict, the items it is about (never told before), the new state,
    and the reason in words.

    The items of a quiet decision are new ones on which nothing is done, for the reason given.
    ``edited`` are those items that were told before in other words.
    """

    verdict: Verdict
    state: ReactionState
    reason: str
    items: tuple[SeenItem, ...] = ()
    wake_at: datetime | None = None
    edited: tuple[SeenItem, ...] = ()


def is_over(before: ReactionState, after: ReactionState) -> bool:
    """Whether the episode that was has ended, so that what was told of it holds no more."""
    return before.since is not None and (after.since is None or after.episode != before.episode)


def is_called_off(before: ReactionState, after: ReactionState) -> bool:
    """Whether a person was called in vain, and the agent is told anew in the same episode."""
    return (
        before.escalated_at is not None
        and after.escalated_at is None
        and not is_over(before, after)
    )


def decide(rule: Reaction, case: Case, state: ReactionState, now: datetime) -> Decision:
    """Decide about one case; the caller writes the state down before it acts."""
    if not rule.enabled:
        return _switched_off(case, state)
    if case.holds is None:
        return Decision(Verdict.QUIET, state, f"it cannot be seen: {case.headline}")
    if not case.holds:
        return _while_it_is_gone(case, state, now)
    if not case.lasting:
        return _pass_on(case, state)
    state = _taken_up_again(state, now)
    if state.since is not None and case.anew_after is not None and state.since < case.anew_after:
        state = _over(state)
    if state.since is None:
        state = replace(state, since=now, episode=state.episode + 1, rounds=1)
    return _while_it_holds(rule, case, state, now)


def _while_it_is_gone(case: Case, state: ReactionState, now: datetime) -> Decision:
    """An episode is over once its condition has been gone for a while; one that is news
    each time it comes, at once.
    """
    over_at = (state.gone_at or now) + GONE
    if state.since is not None and case.lingers and now < over_at:
        gone = replace(state, gone_at=state.gone_at or now, passed_over=case.items)
        return Decision(
            Verdict.QUIET, gone, "the condition does not hold just now", case.items, over_at
        )
    return Decision(
        Verdict.QUIET,
        replace(_over(state), passed_over=case.items),
        "the condition does not hold",
        case.items,
        case.wake_at,
    )


def _over(state: ReactionState) -> ReactionState:
    return replace(
        state, since=None, attempts=0, escalated_at=None, rounds=1, edited=(), gone_at=None
    )


def _taken_up_again(state: ReactionState, now: datetime) -> ReactionState:
    """The state when the case holds again; the time in which it did not is no time that it held."""
    if state.gone_at is None or state.since is None:
        return state
    # a moment to come is one from before the clock was put back
    gone = max(timedelta(0), now - state.gone_at)
    return _over(state) if gone >= GONE else replace(state, since=state.since + gone, gone_at=None)


def shifted(state: ReactionState, jump: timedelta) -> ReactionState:
    """The same state after the clock jumped: the time that did not pass does not
    count for an escalation.
    """
    return (
        state
        if state.since is None
        else replace(
            state, since=state.since + jump, gone_at=state.gone_at and state.gone_at + jump
        )
    )


def _while_it_holds(rule: Reaction, case: Case, state: ReactionState, now: datetime) -> Decision:
    items = case.items or (SeenItem(f"episode-{state.episode}"),)
    # words that were told and are answered by now leave a case without any: that is nothing new
    fresh = _fresh(items, state) if case.items or not state.attempts else ()
    if fresh and case.at_work and state.attempts and rule.action is ReactionAction.SEND_TO_AGENT:
        return _held_back(rule, case, state, now, fresh)
    if fresh:
        return _news(rule, case, state, now, fresh)
    if state.escalated_at is not None:
        return Decision(Verdict.QUIET, replace(state, passed_over=()), "a person has been told")
    deadline = _deadline(rule, state)
    if deadline is not None and now >= deadline:
        return _escalate(state, now, _too_long(rule), items)
    return Decision(
        Verdict.QUIET,
        state,
        "what was seen has been told; waiting for it to change",
        wake_at=deadline,
    )


def _news(
    rule: Reaction, case: Case, state: ReactionState, now: datetime, fresh: tuple[SeenItem, ...]
) -> Decision:
    edited = _edited(fresh, state)
    if state.attempts and (new := _new_round(rule, case, state, now, fresh)) is not None:
        if rule.rounds is not None and state.rounds >= rule.rounds:
            return _too_many_rounds(rule.rounds, state, now, fresh)
        state = new
    elif state.attempts and fresh == edited and not _is_capped(rule, state):
        return _tell_as_edited(state, fresh, _deadline(rule, state))
    if state.attempts <= rule.retries and not _is_capped(rule, state):
        told = (*state.told, *fresh)[-REMEMBERED:]
        acted = replace(
            state, attempts=state.attempts + 1, told=told, round=case.round, passed_over=()
        )
        reason = f"attempt {acted.attempts} of {rule.retries + 1}"
        return Decision(Verdict.ACT, acted, reason, fresh, _deadline(rule, acted), edited)
    if state.escalated_at is not None:
        return Decision(
            Verdict.QUIET, replace(state, passed_over=fresh), "a person has been told", fresh
        )
    deadline = _deadline(rule, state)
    late = deadline is not None and now >= deadline
    if case.patient and not late:
        return Decision(
            Verdict.QUIET, replace(state, passed_over=fresh), "the agent is at it", fresh, deadline
        )
    return _escalate(
        state,
        now,
        _too_long(rule) if late else f"it still holds after {_tries(state.attempts)}",
        fresh,
    )


def _new_round(
    rule: Reaction, case: Case, state: ReactionState, now: datetime, fresh: tuple[SeenItem, ...]
) -> ReactionState | None:
    """The state in a new round, where there are words that cannot be about a try that failed."""
    rounds = state.rounds + 1
    if case.round != state.round:
        # the agent answered with a new head, and there are words about that one
        return replace(state, rounds=rounds, since=now, attempts=0, escalated_at=None, edited=())
    # words that were said while it was at the last ones; how long it may take goes on, so that two
    # who answer each other on one head are ended by that, or by how many rounds there may be
    limited = rule.rounds is not None or rule.escalate_after is not None
    if not case.round or not limited or state.escalated_at is not None:
        return None
    deadline = _deadline(rule, state)
    if deadline is not None and now >= deadline:
        return None
    changed = _edited(fresh, state)
    meanwhile = any(item in state.passed_over and item not in changed for item in fresh)
    return replace(state, rounds=rounds, attempts=0) if meanwhile else None


def _held_back(
    rule: Reaction, case: Case, state: ReactionState, now: datetime, fresh: tuple[SeenItem, ...]
) -> Decision:
    """A try is what the agent was told, and ends with its turn: until then
    nothing is told or counted.
    """
    deadline = _deadline(rule, state)
    if deadline is not None and now >= deadline:
        return _escalate(state, now, _too_long(rule), fresh)
    wake_at = min((at for at in (case.wake_at, deadline) if at is not None), default=None)
    held = replace(state, passed_over=fresh)
    return Decision(
        Verdict.QUIET, held, "the agent is still at what it was told last", fresh, wake_at
    )


def _too_long(rule: Reaction) -> str:
    return f"it has held for {(rule.escalate_after or 0):g} s"


def _tries(count: int) -> str:
    return number_of(count, "attempt")


def _is_capped(rule: Reaction, state: ReactionState) -> bool:
    return rule.rounds is not None and state.rounds > rule.rounds


def _too_many_rounds(
    most: int, state: ReactionState, now: datetime, fresh: tuple[SeenItem, ...]
) -> Decision:
    """Two programs may answer each other without end: a person is called, and nothing is said
    until the episode is over.
    """
    if state.rounds > most:
        return Decision(
            Verdict.QUIET, replace(state, passed_over=fresh), "a person has been told", fresh
        )
    return _escalate(
        replace(state, rounds=state.rounds + 1),
        now,
        f"it goes on after {number_of(most, 'round')}",
        fresh,
    )


def _tell_as_edited(
    state: ReactionState, fresh: tuple[SeenItem, ...], deadline: datetime | None
) -> Decision:
    """Words that were changed after they were told: told once more on the same head, which
    is no attempt that failed.
    """
    again = tuple(item for item in fresh if item.about not in state.edited)
    if not again:
        reason = "it was edited once more on the same head: told with the next one"
        return Decision(Verdict.QUIET, replace(state, passed_over=fresh), reason, fresh, deadline)
    names = (*state.edited, *(item.about for item in again))[-REMEMBERED:]
    told = replace(state, told=(*state.told, *again)[-REMEMBERED:], edited=names, passed_over=())
    return Decision(Verdict.ACT, told, "it was edited", again, deadline, again)


def _fresh(items: tuple[SeenItem, ...], state: ReactionState) -> tuple[SeenItem, ...]:
    """What was never told. A name alone was written down by an earlier
    version, which knew of no edits.
    """
    known = set(state.told)
    return tuple(item for item in items if item not in known and SeenItem(item.about) not in known)


def _edited(fresh: tuple[SeenItem, ...], state: ReactionState) -> tuple[SeenItem, ...]:
    known = {item.about for item in state.told}
    return tuple(item for item in fresh if item.edition and item.about in known)


def _switched_off(case: Case, state: ReactionState) -> Decision:
    missed = _fresh(case.items or (SeenItem("now"),), state) if case.holds else ()
    if case.holds is not None:
        state = replace(state, passed_over=missed)
    return Decision(Verdict.QUIET, state, "it is switched off", missed)


def _pass_on(case: Case, state: ReactionState) -> Decision:
    fresh = _fresh(case.items, state)
    told = replace(_over(state), told=(*state.told, *fresh)[-REMEMBERED:], passed_over=())
    verdict, reason = (
        (Verdict.ACT, "words to pass on") if fresh else (Verdict.QUIET, "all was passed on")
    )
    return Decision(verdict, told, reason, fresh, edited=_edited(fresh, state))


def _escalate(
    state: ReactionState, now: datetime, reason: str, items: tuple[SeenItem, ...]
) -> Decision:
    return Decision(
        Verdict.ESCALATE, replace(state, escalated_at=now, passed_over=items), reason, items
    )


def _deadline(rule: Reaction, state: ReactionState) -> datetime | None:
    if rule.escalate_after is None or state.since is None or state.escalated_at is not None:
        return None
    return state.since + timedelta(seconds=rule.escalate_after)
