"""What is read at every tick is found through an index, and costs the same
however long the history.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import pytest

from ennio.model.delivery import DeliveryKind
from ennio.model.events import Draft, EventType
from ennio.model.message import Message, Origin
from ennio.model.pulls import PullState
from ennio.model.session import Session, SessionStatus
from ennio.store import Store

Spawn = Callable[..., Session]


@pytest.fixture
def store(sqlite_store: Store) -> Store:
    """Which indices there are is the same for both; SQLite says most plainly which it takes."""
    return sqlite_store


TICK: dict[str, Callable[[Store], object]] = {
    "a session": lambda store: store.sessions.get("a"),
    "sessions of a project": lambda store: store.sessions.list(
        "p", statuses=[SessionStatus.WORKING]
    ),
    "sessions on a branch": lambda store: store.sessions.on_branch("p", "b"),
    "branches that are held": lambda store: store.sessions.branches_held("p"),
    "live sessions of a project": lambda store: store.sessions.count_live("p"),
    "live sessions": lambda store: store.sessions.count_live(),
    "a memory": lambda store: store.memories.get("a"),
    "facts": lambda store: store.facts.get("a"),
    "the latest evidence": lambda store: store.evidence.latest("a"),
    "pending messages": lambda store: store.messages.pending("a"),
    "messages": lambda store: store.messages.list("a"),
    "a reaction": lambda store: store.reactions.get("a", "k"),
    "reactions of a session": lambda store: store.reactions.list("a"),
    "history of a session": lambda store: store.reactions.history("a"),
    "open merges": lambda store: store.merges.open(),
    "a merge": lambda store: store.merges.get("a", "h"),
    "pending notices": lambda store: store.notifications.pending(),
    "unrouted notices": lambda store: store.notifications.unrouted(),
    "open deliveries": lambda store: store.deliveries.open(DeliveryKind.NOTICE),
    "open deliveries of a lane": lambda store: store.deliveries.open(DeliveryKind.NOTICE, "slack"),
    "deliveries of two notices": lambda store: store.deliveries.of(DeliveryKind.NOTICE, ["n", "m"]),
    "a cursor": lambda store: store.cursors.get("tracker:p"),
    "events after a cursor": lambda store: store.events.after(5),
    "events of a session": lambda store: store.events.before(None, 50, session_id="a"),
    "events of a project": lambda store: store.events.after(5, project_id="p"),
    "the end of the log": lambda store: store.events.last_seq(),
    "pull requests": lambda store: store.forge.pulls("p", PullState.OPEN),
    "a branch's pull request": lambda store: store.forge.pull_of("p", "b"),
    "checks": lambda store: store.forge.checks("p", "h"),
    "unfinished checks": lambda store: store.forge.unfinished_checks("p"),
    "reviews": lambda store: store.forge.reviews("p", 1),
    "an issue": lambda store: store.forge.issue("p", "1"),
}


@pytest.mark.parametrize("name", TICK)
def test_no_read_of_a_tick_scans_a_table_or_sorts(
    store: Store, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    statements: list[tuple[str, Sequence[object]]] = []
    run = store._connection._execute

    def keep(statement: str, parameters: Sequence[object]) -> object:
        statements.append((statement, parameters))
        return run(statement, parameters)

    monkeypatch.setattr(store._connection, "_execute", keep)
    TICK[name](store)
    assert statements
    for statement, parameters in statements:
        plan = [row[3] for row in run(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()]
        assert not [step for step in plan if step.startswith("SCAN") or "TEMP B-TREE" in step], (
            statement,
            plan,
        )


def _seconds(work: Callable[[], object]) -> float:
    """The best of several tries: a busy machine only ever makes it slower."""
    best = float("inf")
    for _ in range(15):
        begin = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - begin)
    return best


def test_a_long_history_does_not_slow_down_what_is_asked_at_every_tick(
    store: Store, spawn: Spawn, session: Session
) -> None:
    spawn("a")
    reads: list[Callable[[], object]] = [
        lambda: store.events.after(store.events.last_seq() - 5),
        lambda: store.events.before(None, 5, session_id="a"),
        lambda: store.messages.pending("a"),
    ]

    def emit(times: int) -> None:
        with store.transaction() as transaction:
            for number in range(times):
                transaction.emit("a", "my-app", Draft(EventType.SESSION_STEP, "x" * 200))
                store.messages.add(
                    Message(f"{times}-{number}", "b", "x" * 200, Origin.PERSON, session.created_at)
                )

    spawn("b")
    emit(20)
    short = [_seconds(read) for read in reads]
    emit(3000)
    long = [_seconds(read) for read in reads]
    assert all(after < 5 * before for before, after in zip(short, long, strict=True)), (short, long)
