"""Whose turn it is in a session, in one word, by the first rule that matches. Pure.

Computed once, for every face: none of them derives a state of its own. Neither the state of the
pull request nor what the agent does is folded into it; both stand beside it. What Ennio does to
recover (an actor or an agent that is started again, a try that is repeated) is never a person's
turn. ``since`` is of the rule itself and is read from what is kept, so it outlives a restart.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from ennio.model.facts import Place
from ennio.model.pulls import CheckState, PullRequest
from ennio.model.session import Activity
from ennio.model.session import SessionStatus as S
from ennio.policy import turn_words
from ennio.policy.lifecycle import parking, pausing
from ennio.policy.lifecycle.state import Desired, Phase
from ennio.policy.turn_calls import unseen
from ennio.policy.turn_inputs import Turn, TurnInputs, TurnMatch, TurnVerdict

SILENT_AFTER = timedelta(minutes=10)
"""How long an agent may give no signal before a person should look."""


def decide(inputs: TurnInputs, now: datetime) -> TurnVerdict:
    """Whose turn it is."""
    found = ((name, rule(inputs, now)) for name, rule in RULES)
    name, match = next((name, match) for name, match in found if match is not None)
    return TurnVerdict(name, match, _until(inputs, now))


def _until(inputs: TurnInputs, now: datetime) -> datetime | None:
    if inputs.over:
        return None
    silent, parked = inputs.silent_since, inputs.state.parked
    moments = (
        silent + SILENT_AFTER if silent is not None else None,
        parked.resets_at if parked is not None else None,
        _rests_at(inputs),
    )
    return min((at for at in moments if at is not None and at > now), default=None)


# --- over, and what only a person can mend --------------------------------------------------------


def _over(inputs: TurnInputs, _now: datetime) -> TurnMatch | None:
    if not inputs.over:
        return None
    status = inputs.session.status
    word = status.value if status.terminal else S.KILLED.value
    why = turn_words.sentence(inputs.session.reason)
    return TurnMatch(Turn.OVER, word, inputs.state.status_since, why, ("open", "cleanup"))


def _gone(inputs: TurnInputs, _now: datetime) -> TurnMatch | None:
    """Before its question: what is answered there is worked on in nothing."""
    place = inputs.place
    if place is None or not place.place.takes_person or inputs.state.phase is not Phase.LAUNCHED:
        return None
    verbs = ("restore", "open", "kill") if place.place is Place.GONE else ("open", "kill")
    why = turn_words.gone(place.place, inputs.session)
    return TurnMatch(Turn.YOU, "gone", place.at, why, verbs)


def _asks(inputs: TurnInputs, _now: datetime) -> TurnMatch | None:
    if inputs.state.activity is not Activity.WAITING_INPUT:
        return None
    agent = inputs.agent
    told = agent is not None and agent.activity is Activity.WAITING_INPUT
    since = agent.since if agent is not None and told else None
    why = turn_words.question(agent)
    verbs = ("answer", "interrupt", "raise", "go-on")
    return TurnMatch(Turn.YOU, "asks", since or _activity_since(inputs), why, verbs)


def _ended(inputs: TurnInputs, _now: datetime) -> TurnMatch | None:
    session, verbs = inputs.session, ("restore", "open", "kill")
    if inputs.unwatched and session.no_signal_since is not None:
        why = turn_words.sentence(session.no_signal)
        return TurnMatch(Turn.YOU, "ended", session.no_signal_since, why, verbs)
    # one that is started again by itself is nobody's turn but the agent's
    again = inputs.state.desired is Desired.RUN or inputs.queued is not None
    if session.status is not S.EXITED or again:
        return None
    why = turn_words.sentence(session.reason)
    return TurnMatch(Turn.YOU, "ended", inputs.state.status_since, why, verbs)


def _money(inputs: TurnInputs, _now: datetime) -> TurnMatch | None:
    pause = inputs.state.pause
    if pause is None or not pausing.held(inputs.state):
        return None
    why = turn_words.paused(pause.why)
    return TurnMatch(Turn.YOU, "money", pause.since, why, ("raise", "go-on", "end"))


def _resume(inputs: TurnInputs, now: datetime) -> TurnMatch | None:
    """A window that has begun anew, or of which nobody knows when it will."""
    parked = inputs.state.parked
    if parked is None or not parking.is_held(inputs.state) or parked.said is not None:
        return None
    by_itself = inputs.rules.resumes and not parked.again and parked.resets_at is not None
    if by_itself or (parked.resets_at is not None and now < parked.resets_at):
        return None
    since, why = parked.resets_at or parked.since, turn_words.sentence(parked.words)
    if parked.resets_at is not None:
        why = f"plan window {parked.window} has begun anew"
    return TurnMatch(Turn.YOU, "resume", since, why, ("resume", "end"))


def _look(inputs: TurnInputs, _now: datetime) -> TurnMatch | None:
    first = min(unseen(inputs), key=lambda one: one.since, default=None)
    if first is None:
        return None
    why = turn_words.called(first.key, inputs.reactions[first.key], inputs.pull, inputs.session)
    return TurnMatch(Turn.YOU, "look", first.since, why, ("tell", "take-over", "seen"))


# --- the pull request -----------------------------------------------------------------------------

_READY = (S.APPROVED, S.CI_PASSING)


def _merge(inputs: TurnInputs, _now: datetime) -> TurnMatch | None:
    if inputs.session.status not in _READY or _merges_itself(inputs):
        return None
    why = turn_words.ready(inputs.session.status, inputs.pull)
    return TurnMatch(
        Turn.YOU, "merge", inputs.state.status_since, why, ("merge", "request-changes")
    )


def _merges_itself(inputs: TurnInputs) -> bool:
    pull, approved = inputs.pull, inputs.session.status is S.APPROVED
    return (pull is not None and pull.merging) or (approved and inputs.rules.merges)


def _review(inputs: TurnInputs, _now: datetime) -> TurnMatch | None:
    since, pull = _review_since(inputs), inputs.pull
    yours = inputs.rules.reviewed_here or (pull is not None and pull.waits_for_you)
    if since is None or not yours:
        return None
    why = turn_words.waits_for_you(inputs.pull)
    return TurnMatch(Turn.YOU, "review", since, why, ("approve", "request-changes"))


def _review_since(inputs: TurnInputs) -> datetime | None:
    """Since when a reviewer is waited for; None where none is."""
    status, pull = inputs.session.status, inputs.pull
    if status is S.REVIEW_PENDING:
        return inputs.state.status_since
    answered = pull is not None and pull.answered and pull.checks is not CheckState.PENDING
    return _head_since(inputs) if status is S.CHANGES_REQUESTED and answered else None


def _silent(inputs: TurnInputs, now: datetime) -> TurnMatch | None:
    since = inputs.silent_since
    if since is None or now - since < SILENT_AFTER:
        return None
    why = turn_words.silent(inputs.session)
    return TurnMatch(Turn.YOU, "silent", since, why, ("look", "open", "kill"))


def _blocked(inputs: TurnInputs, _now: datetime) -> TurnMatch | None:
    queued = inputs.queued
    if queued is None or queued.held or queued.blocked_since is None:
        return None
    why = turn_words.sentence(queued.reason)
    return TurnMatch(Turn.YOU, "blocked", queued.blocked_since, why, ("move", "drop"))


# --- somebody out there ---------------------------------------------------------------------------


def _queued(inputs: TurnInputs, _now: datetime) -> TurnMatch | None:
    queued, verbs = inputs.queued, ("release", "move", "drop")
    if queued is not None and queued.held:
        since = queued.held_since or queued.since
        return TurnMatch(Turn.WORLD, "held", since, "held by a person", verbs)
    if queued is not None:
        why = turn_words.sentence(queued.reason) or "waits in the queue"
        return TurnMatch(Turn.WORLD, "queued", queued.since, why, verbs)
    parked = inputs.state.parked
    if parked is None or not parking.is_held(inputs.state):
        return None
    why = turn_words.sentence(parked.words)
    return TurnMatch(Turn.WORLD, "quota", parked.since, why, ("kill",))


def _world(inputs: TurnInputs, _now: datetime) -> TurnMatch | None:
    status, pull = inputs.session.status, inputs.pull
    if _checks_run(status, pull):
        why = turn_words.pending(pull)
        since = _head_since(inputs)
        return TurnMatch(Turn.WORLD, "checks", since, why, ("rerun", "leave-queue"))
    if (since_review := _review_since(inputs)) is not None:
        why = turn_words.waits_for_others(pull)
        return TurnMatch(Turn.WORLD, "review", since_review, why, ("nudge", "leave-queue"))
    if status not in _READY or not _merges_itself(inputs):
        return None
    told = inputs.reactions.get("approved-and-green")
    by_us = told.since if told is not None and inputs.rules.merges else None
    why = turn_words.merging(pull)
    return TurnMatch(
        Turn.WORLD, "merging", by_us or inputs.state.status_since, why, ("leave-queue",)
    )


def _checks_run(status: S, pull: PullRequest | None) -> bool:
    """Whether the checks are what is waited for; who asked for changes or has a conflict to
    settle does not wait for them.
    """
    if status in (S.PR_OPEN, S.CI_FIX_SENT):
        return True
    pending = pull is not None and pull.checks is CheckState.PENDING
    answered = status is S.CHANGES_REQUESTED and pull is not None and bool(pull.answered)
    return pending and (status is S.PR_DRAFT or answered)


# --- the agent ------------------------------------------------------------------------------------

_TOLD = {
    S.CI_FAILED: ("fixes", "ci-failed"),
    S.CI_FIX_FAILED: ("fixes", "ci-failed"),
    S.CHANGES_REQUESTED: ("replies", "changes-requested"),
    S.MERGE_CONFLICTS: ("rebases", "merge-conflicts"),
}
_RESTING = (Activity.READY, Activity.IDLE, Activity.EXITED)


def _agent(inputs: TurnInputs, now: datetime) -> TurnMatch:
    state, session, verbs = inputs.state, inputs.session, ("tell", "interrupt")
    if session.status in (S.SPAWNING, S.EXITED):
        why = turn_words.sentence(session.reason)
        return TurnMatch(Turn.AGENT, "starts", state.status_since, why, verbs)
    word, key = _TOLD.get(session.status, ("", ""))
    told = inputs.reactions.get(key)
    if told is not None and told.since is not None and told.attempts:
        why = turn_words.told(word, told, inputs.pull)
        return TurnMatch(Turn.AGENT, word, state.status_since, why, verbs)
    rests_at = _rests_at(inputs)
    if rests_at is not None and now >= rests_at:
        why = turn_words.rests(state.activity, inputs.agent, session)
        return TurnMatch(Turn.AGENT, "rests", _activity_since(inputs), why, verbs)
    at_it = state.activity is Activity.ACTIVE
    since = _activity_since(inputs) if at_it else state.status_since
    return TurnMatch(Turn.AGENT, "works", since, turn_words.works(inputs.agent, session), verbs)


def _rests_at(inputs: TurnInputs) -> datetime | None:
    """When an agent that has ended its turn, and has nobody at work for it, counts as resting."""
    helped = inputs.agent is not None and inputs.agent.helpers > 0
    if inputs.state.activity not in _RESTING or helped:
        return None
    return _activity_since(inputs) + timedelta(seconds=inputs.rules.ready_threshold)


def _activity_since(inputs: TurnInputs) -> datetime:
    return inputs.state.activity_since or inputs.state.status_since


def _head_since(inputs: TurnInputs) -> datetime:
    """Since when the head there is now was seen."""
    state, pull = inputs.state, inputs.pull
    same = pull is not None and state.head == pull.head
    return state.head_at if same and state.head_at is not None else state.status_since


RULES: tuple[tuple[str, Callable[[TurnInputs, datetime], TurnMatch | None]], ...] = (
    ("1", _over),
    ("1b", _gone),
    ("2", _asks),
    ("3", _ended),
    ("4", _money),
    ("4b", _resume),
    ("5", _look),
    ("6", _merge),
    ("7", _review),
    ("8", _silent),
    ("8b", _blocked),
    ("9", _queued),
    ("10", _world),
    ("11", _agent),
)
"""In their order; the last one matches always."""
