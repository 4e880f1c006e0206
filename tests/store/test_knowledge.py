"""Facts, memories, evidence, metrics, projects and small facts of the instance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ennio.config.model import Project
from ennio.model.clock import ManualClock
from ennio.model.errors import NotFound, Refused
from ennio.model.evidence import Evidence, Ground
from ennio.model.facts import AgentSeen, Facts, ForgeSeen, Presence, ProcessSeen, WorkspaceSeen
from ennio.model.pulls import Check, CheckState, Comment, PullRequest, PullState, ReviewState
from ennio.model.session import Activity, Session, SessionStatus, Usage
from ennio.model.usage import Tokens
from ennio.policy.ledger.spending import Spending
from ennio.store import SessionMetrics, Store

Spawn = Callable[..., Session]


@pytest.fixture
def facts(clock: ManualClock) -> Facts:
    at = clock.now()
    pull = PullRequest(
        7,
        "u",
        "t",
        "fix",
        "main",
        "abc",
        PullState.OPEN,
        check_runs=(Check("1", "lint", CheckState.FAILING, log_tail="E501"),),
        comments=(Comment("c", "ann", "why?", at, decision=ReviewState.CHANGES_REQUESTED),),
        head_since=at,
    )
    return Facts(
        process=ProcessSeen(Presence.ALIVE, at, "tmux", pid=1, output_at=at),
        agent=AgentSeen(at, "hooks", Activity.ACTIVE, usage=Usage(1, 2, Decimal("0.5"))),
        workspace=WorkspaceSeen(at, exists=True, uncommitted=3),
        forge=ForgeSeen(Presence.ALIVE, at, "local", pull),
    )


@pytest.fixture
def written(store: Store, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements that changed a row, from now on."""
    changed: list[str] = []
    run = store._connection.dialect.execute

    def noted(statement: str, parameters: Sequence[Any]) -> Any:
        cursor = run(statement, parameters)
        changed.extend(
            [statement] * cursor.rowcount
            if statement.startswith(("INSERT", "UPDATE", "DELETE"))
            else ()
        )
        return cursor

    monkeypatch.setattr(store._connection.dialect, "execute", noted)
    return changed


def test_facts_come_back_as_they_were_seen(store: Store, spawn: Spawn, facts: Facts) -> None:
    spawn("a")
    spawn("b")
    store.facts.save("a", facts)
    store.facts.save("b", Facts(workspace=facts.workspace))
    assert store.facts.get("a") == facts
    assert store.facts.load_all() == {"a": facts, "b": Facts(workspace=facts.workspace)}
    assert store.facts.get("nobody") == Facts()


def test_only_the_kind_of_fact_that_changed_is_written(
    store: Store, spawn: Spawn, facts: Facts, written: list[str]
) -> None:
    spawn("a")
    store.facts.save("a", facts)
    assert facts.process is not None
    written.clear()
    store.facts.save("a", replace(facts, process=replace(facts.process, exit_code=1)))
    assert len(written) == 1


def test_incident_35_seeing_the_same_again_writes_nothing_within_a_minute(
    store: Store, spawn: Spawn, facts: Facts, clock: ManualClock, written: list[str]
) -> None:
    spawn("a")
    store.facts.save("a", facts)
    assert facts.process is not None
    written.clear()
    for _ in range(59):
        later = clock.advance(1)
        store.facts.save("a", replace(facts, process=replace(facts.process, at=later)))
    assert not written
    later = clock.advance(1)
    store.facts.save("a", replace(facts, process=replace(facts.process, at=later)))
    assert len(written) == 1
    stored = store.facts.get("a").process
    assert stored is not None
    assert stored.at == later


def test_a_fact_that_is_none_is_forgotten(store: Store, spawn: Spawn, facts: Facts) -> None:
    spawn("a")
    store.facts.save("a", facts)
    store.facts.save("a", replace(facts, process=None, agent=None))
    assert store.facts.get("a") == replace(facts, process=None, agent=None)


def test_facts_of_an_older_or_newer_version_are_read_and_broken_ones_named(
    store: Store, spawn: Spawn, facts: Facts
) -> None:
    spawn("a")
    store.facts.save("a", Facts(workspace=facts.workspace))
    store._connection.sql("""UPDATE facts SET value = '{"exists": true, "from_the_future": 1}'""")
    found = store.facts.get("a").workspace
    assert found is not None
    assert (found.exists, found.uncommitted) == (True, 0)
    store._connection.sql("UPDATE facts SET value = '{}'")
    with pytest.raises(
        Refused,
        match=r"session a cannot be read \(workspace\): WorkspaceSeen\.exists: it is missing",
    ):
        store.facts.load_all()


def test_facts_of_an_unknown_session_are_not_kept(store: Store, facts: Facts) -> None:
    with pytest.raises(NotFound, match="no session nobody"):
        store.facts.save("nobody", facts)
    assert store.facts.load_all() == {}


def test_a_memory_is_replaced_by_the_next(store: Store, spawn: Spawn) -> None:
    spawn("a")
    assert store.memories.get("a") is None
    store.memories.save("a", "one")
    store.memories.save("a", "two")
    assert store.memories.get("a") == "two"
    with pytest.raises(NotFound, match="no session b"):
        store.memories.save("b", "x")


def test_evidence_is_kept_in_the_order_it_was_given_even_within_one_moment(
    store: Store, spawn: Spawn, clock: ManualClock
) -> None:
    spawn("a")
    spawn("b")
    ground = Ground("process is gone, exit code 1", "tmux", clock.now())
    pieces = [
        Evidence(clock.now(), SessionStatus.EXITED, f"rule {number}", (ground, Ground("x", "y")))
        for number in range(4)
    ]
    for piece in pieces:
        store.evidence.add("a", piece)
        store.evidence.add("b", piece)
    assert store.evidence.list("a") == tuple(pieces[::-1])
    assert store.evidence.list("a", limit=2) == (pieces[3], pieces[2])
    assert store.evidence.latest("b") == pieces[3]
    assert store.evidence.latest("nobody") is None


def test_metrics_are_zeros_before_and_exact_after(
    store: Store, spawn: Spawn, clock: ManualClock
) -> None:
    spawn("a")
    assert store.metrics.get("a") == SessionMetrics("a")
    metrics = SessionMetrics("a", 1, 2, Decimal("0.10000000000000000001"), 3, 4, 5, 6, 7)
    store.metrics.save(metrics)
    found = store.metrics.get("a")
    assert found == replace(metrics, updated_at=clock.now())
    ((cost,),) = store._connection.sql("SELECT estimated_cost_usd FROM session_metrics").fetchall()
    assert isinstance(cost, float)
    store.metrics.save(
        replace(metrics, estimated_cost_usd=None)
    )  # a column of 0.1, which knows no null, holds a zero beside it
    assert store.metrics.get("a").estimated_cost_usd is None


def test_what_a_session_used_is_noted_beside_how_it_went(
    store: Store, spawn: Spawn, clock: ManualClock
) -> None:
    spawn("a")
    store.metrics.charge("a", Spending(2, 2, Tokens(200, 30)))
    found = store.metrics.get("a")
    assert (found.estimated_cost_usd, found.unpriced_requests) == (None, 2)
    store.metrics.save(replace(found, ci_runs=3))
    spent = Spending(3, 1, Tokens(200, 30, 900, 100), Decimal("0.1"), Decimal("0.02"))
    store.metrics.charge("a", spent)
    found = store.metrics.get("a")
    assert (found.total_tokens_in, found.total_tokens_out, found.ci_runs) == (1200, 30, 3)
    assert (found.estimated_cost_usd, found.unpriced_requests) == (Decimal("0.12"), 1)
    store.metrics.charge("a", Spending(1, 0, Tokens(200, 30)))
    assert store.metrics.get("a").estimated_cost_usd == 0
    with pytest.raises(NotFound, match="no session nobody"):
        store.metrics.charge("nobody", spent)


def test_a_project_is_kept_once_and_touched_only_when_it_changed(
    store: Store, clock: ManualClock
) -> None:
    born = clock.now()
    project = Project(
        id="my-app", name="My App", repo="git@x:y", path=Path("/src"), config_hash="cafe"
    )
    store.projects.upsert(project)
    clock.advance(10)
    store.projects.upsert(project)
    first = store.projects.get("my-app")
    assert first is not None
    assert (first.created_at, first.updated_at, first.path, first.default_branch) == (
        born,
        born,
        "/src",
        "main",
    )
    store.projects.upsert(replace(project, config_hash="beef"))
    (changed,) = store.projects.list()
    assert (changed.created_at, changed.updated_at, changed.config_hash) == (
        born,
        born + timedelta(seconds=10),
        "beef",
    )
    assert store.projects.get("other") is None


def test_a_small_fact_is_replaced_by_the_next(store: Store) -> None:
    assert store.meta.get("cursor") is None
    store.meta.set("cursor", "1")
    store.meta.set("cursor", "2")
    assert store.meta.get("cursor") == "2"
