"""The case of each reaction, and the conditions of those to what an agent does: does it hold, and
what exactly was seen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from ennio.config.model import Reaction
from ennio.model.facts import AgentSeen, Presence
from ennio.model.message import Message
from ennio.model.session import Activity, Session, SessionStatus
from ennio.policy import fan_out
from ennio.policy.lifecycle.parked import hour
from ennio.policy.reactions import pull_request
from ennio.policy.reactions.anomaly import anomalies, silent_until
from ennio.policy.reactions.seen_item import SeenItem
from ennio.policy.reactions.situation import NOT_HERE, Case, Situation

STUCK_AFTER = 600.0
BEGINS_WITHIN = timedelta(seconds=10)
"""How soon an agent that took words is seen to work on them; one that is not
tells nothing, or was quick.
"""
SETTLES = timedelta(seconds=2)
"""How long after an answer another question may be the answered one: its screen has to follow."""
ASKS_STILL = timedelta(seconds=30)
"""How long after an answer the same words are a question of their own."""
_AT_REST = (Activity.READY, Activity.IDLE)


def case(key: str, rule: Reaction, situation: Situation, now: datetime) -> Case:
    """The case of one reaction for one session. Raises KeyError for a key that is none of ours."""
    if situation.session.status.terminal:
        return NOT_HERE
    found = _CASES[key](rule, situation, now)
    activity = situation.session.activity
    at_work = bool(found.holds) and activity is not None and activity.in_turn
    return replace(found, lingers=key in _LINGERING, at_work=at_work)


def on_its_way(case: Case, last: Message | None, agent: AgentSeen | None, now: datetime) -> Case:
    """The case beside ``last``, the newest message about it, which the agent may not have
    taken, or not begun with.
    """
    if last is None or case.at_work or not case.holds:
        return case
    if last.state.pending:
        return replace(case, at_work=True)
    if (
        last.delivered_at is None
        or agent is None
        or agent.since is None
        or agent.since >= last.delivered_at
    ):
        return case
    begun = last.delivered_at + BEGINS_WITHIN
    # a moment to come is one from before the clock was put back
    return replace(case, at_work=True, wake_at=begun) if last.delivered_at <= now < begun else case


def _agent_stuck(rule: Reaction, situation: Situation, now: datetime) -> Case:
    return NOT_HERE if _rests(situation.session) else _quiet(rule, situation, now, "no activity")


def _agent_resting(rule: Reaction, situation: Situation, now: datetime) -> Case:
    if not _rests(situation.session):
        return NOT_HERE
    return _quiet(rule, situation, now, "at rest, with no pull request,")


def _rests(session: Session) -> bool:
    """Whether its agent has ended a turn and handed nothing in: it is at its prompt, and could move
    only if somebody told it to.
    """
    return session.status is SessionStatus.WORKING and session.activity in _AT_REST


def _quiet(rule: Reaction, situation: Situation, now: datetime, headline: str) -> Case:
    session, process = situation.session, situation.facts.process
    if (
        session.status not in (SessionStatus.WORKING, SessionStatus.SPAWNING)
        or session.activity is Activity.WAITING_INPUT
        or situation.parked is not None
    ):
        return NOT_HERE
    if process is None or process.presence is Presence.GONE or situation.launched_at is None:
        return NOT_HERE
    if session.paused is not None:
        return NOT_HERE  # a budget holds it, and that was told
    if process.presence is Presence.UNKNOWN:
        return Case(None, process.detail)
    threshold = timedelta(seconds=STUCK_AFTER if rule.threshold is None else rule.threshold)
    quiet_since = _quiet_since(situation, now)
    if now < quiet_since + threshold:
        return Case(False, "", wake_at=quiet_since + threshold)
    return Case(True, f"{headline} for {_spell(now - quiet_since)}")


def _quiet_since(situation: Situation, now: datetime) -> datetime:
    """Since when an agent that could have been heard was not: no hour before its launch, or that
    the machine slept, counts.
    """
    moments = (situation.session.last_activity_at, situation.launched_at, situation.resumed_at)
    # a moment to come is one from before the clock was put back
    return max((moment for moment in moments if moment is not None and moment <= now), default=now)


def _agent_needs_input(_rule: Reaction, situation: Situation, now: datetime) -> Case:
    if situation.session.activity is not Activity.WAITING_INPUT:
        return NOT_HERE
    agent, process = situation.facts.agent, situation.facts.process
    question = _asked(agent) if agent is not None else None
    found = Case(True, f"the agent waits for an answer: {question or '(it does not say to what)'}")
    if agent is None or (answered := situation.answered) is None:
        return found
    if process is None or process.presence is Presence.UNKNOWN:
        return found  # nobody has looked since
    # it may ask the next thing before anybody sees that it did not ask for a moment
    another = agent.question != answered.question or (
        agent.since is not None and agent.since > answered.begun_at
    )
    anew_at = answered.at + (SETTLES if another else ASKS_STILL)
    if now < anew_at:
        return replace(found, wake_at=anew_at)
    return replace(found, anew_after=answered.at)


def _asked(agent: AgentSeen) -> str | None:
    """Its question, with the answers there are where it does not name them itself."""
    named = agent.question or ""
    if not named or all(option in named for option in agent.options):
        return agent.question
    numbered = (f"{number}. {option}" for number, option in enumerate(agent.options, 1))
    return f"{named} [{' / '.join(numbered)}]"


def _agent_exited(_rule: Reaction, situation: Situation, _now: datetime) -> Case:
    if situation.session.status is not SessionStatus.EXITED:
        return NOT_HERE
    return Case(True, situation.session.reason or "the agent ended unexpectedly")


def _workspace_gone(_rule: Reaction, situation: Situation, _now: datetime) -> Case:
    place = situation.facts.place
    if place is None or not place.place.takes_person:
        return NOT_HERE
    return Case(True, place.detail)


def _plan_window(_rule: Reaction, situation: Situation, now: datetime) -> Case:
    parked = situation.parked
    if parked is None or parked.told_at is not None:
        return NOT_HERE
    reset, who = parked.resets_at, situation.session.id
    by_itself = situation.goes_on and reset is not None and not parked.again
    begun = reset is not None and now >= reset
    if begun and by_itself:
        return Case(None, "it is about to go on by itself")
    way = f"`ennio session resume {who}` lets it go on"
    said = parked.said is not None or by_itself
    words = f"{parked.words}; {'it goes on then' if said else f'{way} then'}"
    if begun and reset is not None:
        words = f"plan window {parked.window} has reset at {hour(reset, now)}; {way}"
    # used up, and begun anew: two things to be told of, and each but once
    name = f"{parked.name}:{'begun' if begun else 'used up'}{':again' * parked.again}"
    return Case(True, words, (SeenItem(name),), None if begun else reset, round=name)


def _fan_out(_rule: Reaction, situation: Situation, now: datetime) -> Case:
    limits, agent, minute = situation.limits, situation.facts.agent, situation.burned
    helpers = agent.helpers if agent is not None else 0
    if limits.agents is not None and helpers > limits.agents:
        return Case(
            True, f"{helpers} agents of its own are at work; `fan_out.agents` is {limits.agents}"
        )
    most = limits.tokens_per_minute
    if most is None or minute is None or minute.tokens <= most:
        return NOT_HERE
    over = minute.ended + fan_out.LASTS
    if now >= over:
        return NOT_HERE
    words = f"it used {minute.tokens:,} tokens within a minute; `fan_out.tokens_per_minute` is"
    return Case(True, f"{words} {most:,}", wake_at=over)


def _anomaly(_rule: Reaction, situation: Situation, now: datetime) -> Case:
    session, process = situation.session, situation.facts.process
    at_work = session.activity is Activity.ACTIVE and situation.launched_at is not None
    seen = process is not None and process.presence is Presence.ALIVE
    quiet_since = _quiet_since(situation, now) if at_work and seen else None
    wake_at = silent_until(session, situation.usual, quiet_since, now)
    found = anomalies(session, situation.usual, quiet_since, now)
    if not found:
        return Case(False, "", wake_at=wake_at)
    items = tuple(one.item for one in found)
    # what is new is news of its own, and no try that failed
    named = ",".join(map(str, items))
    headline = "; ".join(map(str, found))
    return Case(True, headline, items, wake_at, round=named, anomalies=found)


_CASES: dict[str, Callable[[Reaction, Situation, datetime], Case]] = {
    "ci-failed": pull_request.ci_failed,
    "changes-requested": pull_request.changes_requested,
    "bugbot-comments": pull_request.bugbot_comments,
    "merge-conflicts": pull_request.merge_conflicts,
    "approved-and-green": pull_request.approved_and_green,
    "agent-stuck": _agent_stuck,
    "agent-resting": _agent_resting,
    "agent-needs-input": _agent_needs_input,
    "agent-exited": _agent_exited,
    "plan-window": _plan_window,
    "fan-out": _fan_out,
    "anomaly": _anomaly,
    "workspace-gone": _workspace_gone,
}

_LINGERING = frozenset({"ci-failed", "changes-requested", "bugbot-comments"})
"""What an agent and a program, or a person, may hand to and fro. A conflict is made anew by what
others merge; a question, an exit and a silence are news each time.
"""
SESSION_KEYS = tuple(_CASES)


def all_complete(sessions: Sequence[Session]) -> Case:
    """The case of the ninth reaction: every session of a project has ended."""
    if not sessions or not all(session.status.terminal for session in sessions):
        return NOT_HERE
    ends = [session.outcome or session.status.value for session in sessions]
    counts = ", ".join(f"{ends.count(end)} {end}" for end in sorted(set(ends)))
    who = "the only session" if len(sessions) == 1 else f"all {len(sessions)} sessions"
    verb = "has" if len(sessions) == 1 else "have"
    return Case(True, f"{who} of {sessions[0].project_id} {verb} ended: {counts}")


def _spell(length: timedelta) -> str:
    seconds = int(length.total_seconds())
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min"
