"""Sessions come back as they were saved, and are found by what is asked of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import timedelta
from decimal import Decimal

import pytest

from ennio.model.clock import ManualClock
from ennio.model.errors import Conflict, NotFound, Refused
from ennio.model.session import Activity, RuntimeHandle, Session, SessionStatus, Usage
from ennio.store import Store, Waiting

Spawn = Callable[..., Session]


@pytest.fixture
def full(session: Session, clock: ManualClock) -> Session:
    now = clock.now()
    return replace(
        session,
        status=SessionStatus.DONE,
        activity=Activity.EXITED,
        branch="fix",
        base="main",
        issue_id="42",
        prompt="do it\nwell",
        workspace_path="/w",
        workspace_name="worktree",
        runtime_handle=RuntimeHandle("ma-1", "tmux", {"pid": "1"}),
        runtime_name="tmux",
        usage=Usage(1, 2, Decimal("0.1000000001"), "opus"),
        summary="sum",
        agent_name="aider",
        pr_url="u",
        pr_number=7,
        tmux_name="t",
        role="coordinator",
        priority=3,
        reason="because",
        outcome="merged",
        no_signal_since=now,
        no_signal="the forge: the disk is away",
        paused_since=now,
        paused="paused: budget global:daily is used up",
        restored_at=now,
        archived_at=now,
        host="b",
        metadata={"k": "v"},
    )


def test_a_session_with_every_field_comes_back_as_it_was(store: Store, full: Session) -> None:
    bare = [
        name for name in (field.name for field in fields(Session)) if getattr(full, name) is None
    ]
    assert not bare, "the fixture must fill every field"
    store.sessions.insert(full)
    assert store.sessions.get(full.id) == full


def test_a_session_with_nothing_optional_comes_back_as_it_was(
    store: Store, session: Session
) -> None:
    store.sessions.insert(session)
    assert store.sessions.get(session.id) == session


def test_saving_replaces_every_field(store: Store, session: Session, full: Session) -> None:
    store.sessions.insert(session)
    store.sessions.save(full)
    assert store.sessions.need(full.id) == full
    store.sessions.save(session)
    assert store.sessions.need(full.id) == session


@pytest.mark.parametrize("name", [each.name for each in fields(Session) if each.name != "id"])
def test_saving_what_differs_comes_to_the_same_as_saving_all(
    store: Store, session: Session, full: Session, name: str
) -> None:
    store.sessions.insert(session)
    one = replace(session, **{name: getattr(full, name)})
    store.sessions.save(one, session)
    assert store.sessions.need(full.id) == one
    store.sessions.save(full, one)
    assert store.sessions.need(full.id) == full
    store.sessions.save(session, full)
    assert store.sessions.need(full.id) == session


def test_only_what_differs_is_written(store: Store, session: Session) -> None:
    store.sessions.insert(session)
    elsewhere = replace(session, reason="by another hand", pr_number=7)
    store.sessions.save(elsewhere)
    store.sessions.save(replace(session, status=SessionStatus.EXITED), session)
    assert store.sessions.need(session.id) == replace(elsewhere, status=SessionStatus.EXITED)


def test_a_session_that_is_gone_is_not_found_however_little_differs(
    store: Store, session: Session
) -> None:
    for after in (session, replace(session, reason="other")):
        with pytest.raises(NotFound, match="no session ma-1"):
            store.sessions.save(after, session)


@pytest.mark.parametrize(
    "usage",
    [
        None,
        Usage(),
        Usage(5, 6, None, "m"),
        Usage(0, 0, Decimal(0)),
        Usage(1, 1, Decimal("12345678901234.000001")),
    ],
)
def test_usage_is_exact_and_unknown_money_stays_unknown(
    store: Store, session: Session, usage: Usage | None
) -> None:
    store.sessions.insert(replace(session, usage=usage, summary="s"))
    found = store.sessions.need(session.id).usage
    assert found == usage
    assert str(found) == str(usage)


def test_the_json_columns_are_those_that_v01_reads(store: Store, full: Session) -> None:
    store.sessions.insert(full)
    handle, info = store._connection.sql(
        "SELECT runtime_handle, agent_info FROM sessions"
    ).fetchone()
    assert json.loads(handle) == {"id": "ma-1", "runtime_name": "tmux", "data": {"pid": "1"}}
    cost = json.loads(info)["cost"]
    assert (json.loads(info)["summary"], cost["input_tokens"], cost["output_tokens"]) == (
        "sum",
        1,
        2,
    )
    assert cost["estimated_cost_usd"] == pytest.approx(0.1000000001)


def test_a_taken_id_is_a_conflict_and_changes_nothing(store: Store, session: Session) -> None:
    store.sessions.insert(session)
    with pytest.raises(Conflict, match="session ma-1 exists already"):
        store.sessions.insert(replace(session, project_id="other"))
    assert store.sessions.list() == (session,)


def test_an_unknown_session_is_none_or_not_found_with_the_way_out(
    store: Store, session: Session
) -> None:
    assert store.sessions.get("x") is None
    with pytest.raises(NotFound, match=r"no session x; `ennio session list` shows them"):
        store.sessions.need("x")
    with pytest.raises(NotFound, match="no session ma-1"):
        store.sessions.save(session)


def test_lists_are_oldest_first_and_leave_archived_ones_out_until_asked(
    store: Store, spawn: Spawn, clock: ManualClock
) -> None:
    now = clock.now()
    young = spawn("a", created_at=now + timedelta(seconds=2))
    old = spawn("b", created_at=now)
    put_away = spawn("c", created_at=now + timedelta(seconds=1), archived_at=now)
    assert store.sessions.list() == (old, young)
    assert store.sessions.list(archived=True) == (old, put_away, young)


def test_lists_are_filtered_by_project_and_status(store: Store, spawn: Spawn) -> None:
    a, b, c = spawn("a"), spawn("b", status=SessionStatus.KILLED), spawn("c", project_id="other")
    assert store.sessions.list("my-app") == (a, b)
    assert store.sessions.list(statuses={SessionStatus.WORKING}) == (a, c)
    assert store.sessions.list("other", statuses=[SessionStatus.KILLED]) == ()
    assert store.sessions.list(statuses=[]) == ()


def test_a_branch_is_held_by_sessions_that_have_not_ended_for_good(
    store: Store, spawn: Spawn
) -> None:
    for status in SessionStatus:
        spawn(f"s-{status}", status=status, branch="fix")
    spawn("elsewhere", branch="other")
    spawn("foreign", branch="fix", project_id="other")
    spawn("nameless")
    names = set(store.sessions.branches_held("my-app").items())
    assert {one for one in names if one[1] == "other"} == {("elsewhere", "other")}
    assert len(names) == len(SessionStatus) - 3 + 1
    held = {session.status for session in store.sessions.on_branch("my-app", "fix")}
    assert held == set(SessionStatus) - {
        SessionStatus.MERGED,
        SessionStatus.DONE,
        SessionStatus.KILLED,
    }


def test_live_sessions_are_counted_for_a_project_or_all(
    store: Store, spawn: Spawn, clock: ManualClock
) -> None:
    for status in SessionStatus:
        spawn(f"s-{status}", status=status)
    spawn("other", project_id="other")
    spawn("archived", archived_at=clock.now())
    assert store.sessions.count_live("my-app") == len(SessionStatus) - 4
    assert store.sessions.count_live() == len(SessionStatus) - 3
    assert store.sessions.count_live("none") == 0


def test_the_admitted_are_the_live_ones_that_do_not_wait_in_the_queue(
    store: Store, spawn: Spawn, clock: ManualClock
) -> None:
    for status in SessionStatus:
        spawn(f"s-{status}", status=status)
    spawn("second", status=SessionStatus.WORKING)
    spawn("other", project_id="other", status=SessionStatus.WORKING)
    spawn("elsewhere", status=SessionStatus.WORKING, host="there")
    spawn("archived", archived_at=clock.now())
    store.queue.add(Waiting("s-spawning", "my-app", 0, 0, False, clock.now(), ""))
    ended = {SessionStatus.EXITED, SessionStatus.MERGED, SessionStatus.DONE, SessionStatus.KILLED}
    once = {
        ("my-app", "", status): 1
        for status in set(SessionStatus) - ended - {SessionStatus.SPAWNING}
    }
    assert store.sessions.admitted() == once | {
        ("my-app", "", SessionStatus.WORKING): 2,
        ("my-app", "there", SessionStatus.WORKING): 1,
        ("other", "", SessionStatus.WORKING): 1,
    }


def test_who_waits_for_another_machine_is_told_apart(
    store: Store, spawn: Spawn, clock: ManualClock
) -> None:
    for session_id, host in (("a", ""), ("b", "there"), ("c", "there")):
        spawn(session_id, host=host)
    assert store.sessions.waiting_elsewhere() == {}
    for session_id in ("a", "b"):
        store.queue.add(Waiting(session_id, "my-app", 0, 0, False, clock.now(), ""))
    assert store.sessions.waiting_elsewhere() == {"b": "there"}


def test_a_row_that_cannot_be_read_names_table_row_and_field(store: Store, spawn: Spawn) -> None:
    spawn()
    store._connection.sql("UPDATE sessions SET status = 'dancing'")
    with pytest.raises(
        Refused, match=r"row ma-1 of table sessions in \S+ cannot be read: .*'dancing'"
    ):
        store.sessions.list()


def test_what_belongs_to_a_session_goes_with_its_row(store: Store, spawn: Spawn) -> None:
    spawn()
    store.memories.save("ma-1", "x")
    store._connection.sql("DELETE FROM sessions")
    assert store.memories.get("ma-1") is None


def test_incident_23_a_save_does_not_take_what_belongs_to_the_session_with_it(
    store: Store, spawn: Spawn
) -> None:
    session = spawn()
    store.memories.save("ma-1", "kept")
    store.reactions.save("ma-1", "ci-failed", "2 attempts")
    store.sessions.save(replace(session, status=SessionStatus.EXITED))
    assert store.memories.get("ma-1") == "kept"
    assert store.reactions.get("ma-1", "ci-failed") == "2 attempts"
