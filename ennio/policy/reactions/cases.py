"""The conditions of the reactions: does it hold, and what exactly was seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ennio.config.fan_out import FanOut
from ennio.config.model import Reaction
from ennio.model.facts import AgentSeen, Facts, Presence
from ennio.model.forecast import AnomalyLimit
from ennio.model.message import Message
from ennio.model.pulls import CheckState, Comment, Mergeability, PullRequest, PullState, ReviewState
from ennio.model.session import Activity, Session, SessionStatus
from ennio.policy import fan_out
from ennio.policy.fan_out import FullestMinute
from ennio.policy.lifecycle.parked import Parked, hour
from ennio.policy.reactions.anomaly import Anomaly, anomalies, silent_until
from ennio.policy.reactions.seen_item import SeenItem, item

STUCK_AFTER = 600.0
BEGINS_WITHIN = timedelta(seconds=10)
"""How soon an agent that took words is seen to work on them; one that is not
tells nothing, or was quick.
"""
_IN_A_TURN = (Activity.ACTIVE, Activity.WAITING_INPUT)
_AT_REST = (Activity.READY, Activity.IDLE)


@dataclass(frozen=True, slots=True)
class Situation:
    """One session as the reactions see it. ``merge_ready`` is the head that is
    approved, green and clean.

    ``launched_at`` is when the present launch of the agent was confirmed, None while there is none.
    ``resumed_at`` is when the machine last woke, or its clock was set: silence counts from there.
    ``parked``: a window of its agent's plan is used up; ``goes_on``: it goes on by itself after
    that. ``burned`` is what it used in the fullest minute of late, None where nobody knows, and
    ``limits`` what it may begin and burn. Beyond ``usual`` it is out of the ordinary.
    """

    session: Session
    facts: Facts
    merge_ready: str = ""
    bots: tuple[str, ...] = ()
    launched_at: datetime | None = None
    resumed_at: datetime | None = None
    parked: Parked | None = None
    goes_on: bool = False
    burned: FullestMinute | None = None
    limits: FanOut = FanOut()
    usual: tuple[AnomalyLimit, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """Whether a condition holds (None: it cannot be seen) and the items that were seen.

    Without items the episode itself is the item; items of a case that does not hold are passed
    over. ``wake_at`` is when time alone may make it hold. ``lasting`` is False for words that only
    have to be passed on: nothing is retried or escalated. ``round`` is the head that words were
    said of: new words on a new head are a new round of review. ``at_work``: what the agent was told
    last is on its way to it, or its turn goes on: what is new is a step on that way, and no try has
    failed yet; ``wake_at`` is then when that ends by time alone. ``patient``: whoever is given a
    time has all of it, also between turns. ``lingers``: it may come back at once and be the same
    trouble still; False where every time is news by itself. ``anomalies`` are what is out of the
    ordinary.
    """

    holds: bool | None
    headline: str
    items: tuple[SeenItem, ...] = ()
    wake_at: datetime | None = None
    lasting: bool = True
    round: str = ""
    lingers: bool = False
    at_work: bool = False
    patient: bool = False
    anomalies: tuple[Anomaly, ...] = ()


NOT_HERE = Case(False, "")


def case(key: str, rule: Reaction, situation: Situation, now: datetime) -> Case:
    """The case of one reaction for one session. Raises KeyError for a key that is none of ours."""
    if situation.session.status.terminal:
        return NOT_HERE
    found = _CASES[key](rule, situation, now)
    at_work = bool(found.holds) and situation.session.activity in _IN_A_TURN
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


def is_bot(comment: Comment, bots: tuple[str, ...]) -> bool:
    """A comment by a program: the forge says so, its name ends in
    ``[bot]``, or it is on the list.
    """
    return comment.bot or comment.author.endswith("[bot]") or comment.author in bots


def _open_pull(situation: Situation) -> tuple[PullRequest | None, Case | None]:
    """The open pull request, or the case there is without one."""
    forge = situation.facts.forge
    if forge is None:
        return None, NOT_HERE
    if forge.presence is Presence.UNKNOWN:
        return None, Case(None, forge.detail or "the forge was not seen")
    if forge.pull is None or forge.pull.state is not PullState.OPEN:
        return None, NOT_HERE
    return forge.pull, None


def _ci_failed(_rule: Reaction, situation: Situation, _now: datetime) -> Case:
    pull, otherwise = _open_pull(situation)
    if pull is None:
        return otherwise or NOT_HERE
    if pull.checks is CheckState.FAILING:
        names = [check.name for check in pull.failing]
        unread = [check.name for check in pull.failing if check.unread]
        if unread:
            # told without it, the agent would have to guess, and nothing would tell it later
            return Case(
                None,
                f"checks failed on #{pull.number}, and the log of {', '.join(unread)} could not "
                "be read yet",
            )
        return Case(
            True,
            f"checks failed on #{pull.number}: {', '.join(names)}",
            (SeenItem(f"{pull.head}:{','.join(names)}"),),
        )
    if pull.checks is CheckState.PASSING:
        return NOT_HERE
    # a new head has no checks for a moment: that is no end of the episode
    return Case(None, "the checks are not through")


def _changes_requested(_rule: Reaction, situation: Situation, _now: datetime) -> Case:
    pull, otherwise = _open_pull(situation)
    if pull is None:
        return otherwise or NOT_HERE
    said = tuple(
        item(comment)
        for comment in pull.comments
        if not comment.own and not is_bot(comment, situation.bots)
    )
    if pull.review is not ReviewState.CHANGES_REQUESTED:
        return (
            Case(True, f"people commented on #{pull.number}", said, lasting=False)
            if said
            else _only_own(pull)
        )
    who = ", ".join(one.author for one in pull.answered)
    answered = f"#{pull.number} is answered by {pull.head[:7]} and waits for another look by {who}"
    return Case(
        True,
        answered if who else f"a reviewer of #{pull.number} asks for changes",
        said,
        round=pull.head,
    )


def _only_own(pull: PullRequest) -> Case:
    """Nobody else said anything; what the agent itself said is named, so that one can find
    out why it was not told.
    """
    own = tuple(SeenItem(comment.id) for comment in pull.comments if comment.own)
    return (
        Case(False, f"on #{pull.number} only the agent's own account answered", own)
        if own
        else NOT_HERE
    )


def _bugbot_comments(_rule: Reaction, situation: Situation, _now: datetime) -> Case:
    pull, otherwise = _open_pull(situation)
    if pull is None:
        return otherwise or NOT_HERE
    said = tuple(
        item(comment)
        for comment in pull.comments
        if not comment.own and is_bot(comment, situation.bots)
    )
    return (
        Case(True, f"bots commented on #{pull.number}", said, round=pull.head) if said else NOT_HERE
    )


def _merge_conflicts(rule: Reaction, situation: Situation, _now: datetime) -> Case:
    pull, otherwise = _open_pull(situation)
    if pull is None:
        return otherwise or NOT_HERE
    if pull.mergeability is Mergeability.UNKNOWN:
        return Case(None, "the forge does not know yet whether it merges")
    if pull.mergeability is Mergeability.CLEAN:
        return NOT_HERE
    # the base's name, not its head: others are merged while the agent is at it, and that is no news
    # to it whoever is given a time has all of it: an agent that pushes in small steps rests between
    # them, and fails at none
    patient = rule.escalate_after is not None
    return Case(
        True,
        f"#{pull.number} conflicts with {pull.base}",
        (SeenItem(f"{pull.head}:{pull.base}"),),
        patient=patient,
    )


def _approved_and_green(_rule: Reaction, situation: Situation, _now: datetime) -> Case:
    pull, otherwise = _open_pull(situation)
    if pull is None:
        return otherwise or NOT_HERE
    if situation.session.status is not SessionStatus.APPROVED or situation.merge_ready != pull.head:
        return NOT_HERE
    return Case(
        True,
        f"#{pull.number} is approved and {'has no checks' if pull.unchecked else 'green'}",
        (SeenItem(pull.head),),
    )


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


def _agent_needs_input(_rule: Reaction, situation: Situation, _now: datetime) -> Case:
    if situation.session.activity is not Activity.WAITING_INPUT:
        return NOT_HERE
    agent = situation.facts.agent
    question = _asked(agent) if agent is not None else None
    return Case(True, f"the agent waits for an answer: {question or '(it does not say to what)'}")


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
    "ci-failed": _ci_failed,
    "changes-requested": _changes_requested,
    "bugbot-comments": _bugbot_comments,
    "merge-conflicts": _merge_conflicts,
    "approved-and-green": _approved_and_green,
    "agent-stuck": _agent_stuck,
    "agent-resting": _agent_resting,
    "agent-needs-input": _agent_needs_input,
    "agent-exited": _agent_exited,
    "plan-window": _plan_window,
    "fan-out": _fan_out,
    "anomaly": _anomaly,
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
