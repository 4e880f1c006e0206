"""What whose turn it is in a session is judged by, read from the store in so many queries whatever
the number of sessions.

What was read of a session is not read again until it is another: a text that is kept is decoded
once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from ennio.actors import strays
from ennio.actors.dependencies import Dependencies
from ennio.config.model import Project, ReactionAction
from ennio.model import codec
from ennio.model.errors import EnnioError
from ennio.model.facts import AgentSeen, ForgeSeen, PlaceSeen, ProcessSeen
from ennio.model.message import Message
from ennio.model.session import Session
from ennio.model.session import SessionStatus as S
from ennio.plugins.forge.interface import Forge, RemindsReviewers, Rerunnable, Revocable
from ennio.policy import turn
from ennio.policy.lifecycle import LifecycleState
from ennio.policy.reactions import ReactionState
from ennio.policy.turn_inputs import InQueue, TurnInputs, TurnRules
from ennio.store import Waiting
from ennio.store.facts import Seen

FEW = 50
"""So many sessions are asked for by name; of more, all that are not archived are read."""


@lru_cache(4096)
def _state(text: str) -> LifecycleState:
    return codec.loads(LifecycleState, text)


@lru_cache(8192)
def _reaction(text: str) -> ReactionState:
    return codec.loads(ReactionState, text)


_Queue = Mapping[str, tuple[int, Waiting]]


@dataclass(frozen=True, slots=True)
class _Gathered:
    """What the store holds of them, by session."""

    queue: _Queue
    facts: Mapping[tuple[str, str], Seen]
    states: Mapping[str, str]
    reactions: Mapping[str, Mapping[str, ReactionState]]
    seen: Mapping[str, Mapping[str, str]]


def inputs_of(deps: Dependencies, session: Session) -> TurnInputs:
    """What one session is judged by."""
    return gathered(deps, [session])[0][0]


def word_of(deps: Dependencies, session: Session) -> str:
    """The word of its turn, as its row has it."""
    return turn.decide(inputs_of(deps, session), deps.clock.now()).match.word


def gathered(
    deps: Dependencies, sessions: Sequence[Session]
) -> tuple[list[TurnInputs], Mapping[str, Message | None], Mapping[str, tuple[int, Waiting]]]:
    """What each is judged by, the messages that wait for their agents, and their places in the
    queue.
    """
    few = len(sessions) <= FEW
    ids = [session.id for session in sessions] if few else None
    found = _gather(deps, ids, [one.id for one in sessions if _needs_process(one)])
    store = deps.store
    mail: Mapping[str, Message | None] = (
        {one.id: store.messages.next(one.id) for one in sessions}
        if len(sessions) == 1
        else store.messages.waiting()
    )
    # what is the same for all of a project on a host is found out once
    kinds = {(session.project_id, session.host): session for session in sessions}
    rules = {kind: rules_of(deps, one) for kind, one in kinds.items()}
    inputs = [
        _of_one(session, found, rules[session.project_id, session.host], mail.get(session.id))
        for session in sessions
    ]
    return inputs, mail, found.queue


def _needs_process(session: Session) -> bool:
    return session.status is S.EXITED or session.no_signal_since is not None


def _gather(deps: Dependencies, ids: Collection[str] | None, blind: list[str]) -> _Gathered:
    store = deps.store
    facts = dict(store.facts.seen(("agent", "forge", "place"), ids))
    if blind:
        facts |= store.facts.seen(("process",), blind)
    reactions: dict[str, dict[str, ReactionState]] = {}
    seen: dict[str, dict[str, str]] = {}
    for row in store.reactions.remembered(ids):
        reactions.setdefault(row.session_id, {})[row.key] = _reaction(row.value)
        if row.seen is not None:
            seen.setdefault(row.session_id, {})[row.key] = row.seen
    queue = {one.session_id: (place, one) for place, one in enumerate(store.queue.list(), start=1)}
    return _Gathered(queue, facts, store.memories.texts(ids), reactions, seen)


def _of_one(
    session: Session, found: _Gathered, rules: TurnRules, waits: Message | None
) -> TurnInputs:
    agent = found.facts.get((session.id, "agent"))
    forge = found.facts.get((session.id, "forge"))
    process = found.facts.get((session.id, "process"))
    place = found.facts.get((session.id, "place"))
    text, queued = found.states.get(session.id), found.queue.get(session.id)
    return TurnInputs(
        session=session,
        state=_state(text) if text is not None else _unknown_state(session),
        agent=agent if isinstance(agent, AgentSeen) else None,
        forge=forge if isinstance(forge, ForgeSeen) else None,
        process=process if isinstance(process, ProcessSeen) else None,
        reactions=found.reactions.get(session.id, {}),
        seen=found.seen.get(session.id, {}),
        queued=None if queued is None else _in_queue(queued[1]),
        waits=waits is not None,
        rules=rules,
        place=place if isinstance(place, PlaceSeen) else None,
    )


def _in_queue(waiting: Waiting) -> InQueue:
    return InQueue(
        waiting.enqueued_at, waiting.reason, waiting.held, waiting.held_at, waiting.blocked_at
    )


def _unknown_state(session: Session) -> LifecycleState:
    """That of a session of which nothing is remembered: archived, or of an older Ennio."""
    since = session.archived_at or session.last_activity_at
    return LifecycleState(session.status, since, activity=session.activity, cleaned_at=since)


def rules_of(deps: Dependencies, session: Session) -> TurnRules:
    """What the configuration and the forge of its project say."""
    project = deps.config.project(session.project_id)
    if project is None or strays.why(deps, session) is not None:
        return TurnRules(stray=True)
    forge, rules = _forge(deps, project), project.reactions
    merge = rules.get("approved-and-green")
    enabled = {key: rule for key, rule in rules.items() if rule.enabled}
    return TurnRules(
        resumes=project.resume_at_reset,
        merges=merge is not None and merge.enabled and merge.action is ReactionAction.AUTO_MERGE,
        calls=frozenset(
            key for key, rule in enabled.items() if rule.action is ReactionAction.NOTIFY
        ),
        reviewed_here=forge is not None and forge.name == "local",
        ready_threshold=deps.config.ready_threshold,
        forge=forge is not None,
        reruns=isinstance(forge, Rerunnable),
        reminds=isinstance(forge, RemindsReviewers),
        withdraws=isinstance(forge, Revocable),
    )


def _forge(deps: Dependencies, project: Project) -> Forge | None:
    """Its forge; None also where that cannot be made, which is said elsewhere: a list of sessions
    is shown all the same.
    """
    try:
        return deps.plugins.forge(project)
    except EnnioError:
        return None
