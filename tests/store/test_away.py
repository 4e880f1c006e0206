"""What is known while a server is away: to who only looks, and to nobody else; and orders
that wait for it in a file.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from ennio.model.clock import ManualClock
from ennio.model.errors import Away, NotFound, Refused, Unreachable
from ennio.model.events import Draft, EventType
from ennio.model.facts import Facts, Presence, ProcessSeen
from ennio.model.session import Session, SessionStatus
from ennio.store import SessionMetrics, Store, Waiting, open_store, postgres_server, wait_for_server
from ennio.store.remembered_stops import RememberedStops
from tests.conftest import eventually
from tests.postgres import Server, server

pytestmark = pytest.mark.real


def test_who_only_looks_is_shown_what_was_last_written_and_nobody_else_is(
    tmp_path: Path, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_server, "PATIENCE", 0.1)
    now = session.created_at
    with server() as alone:
        store = open_store(alone.made(), tmp_path, ManualClock())
        for name in ("a", "b", "gone"):
            store.sessions.insert(replace(session, id=name))
        store.sessions.save(replace(session, id="a", status=SessionStatus.PR_OPEN))
        store.queue.add(Waiting("b", "my-app", 0, 0, False, now, "max_sessions"))
        store.facts.save("a", Facts(process=ProcessSeen(Presence.ALIVE, now, "tmux", pid=1)))
        store.metrics.save(SessionMetrics("a", ci_runs=2))
        with suppress(ZeroDivisionError), store.transaction():
            store.sessions.save(replace(session, id="a", reason="never written"))
            raise ZeroDivisionError
        store.memories.save("a", "{}")
        alone.sql("DELETE FROM s1.sessions WHERE id = 'gone'")  # by another
        alone.stop()
        with pytest.raises(Unreachable):
            store.sessions.list()
        with store.last_known():
            assert {found.id: found.status.value for found in store.sessions.list()} == {
                "a": "pr_open",
                "b": "working",
                "gone": "working",
            }
            assert store.sessions.need("a").reason is None
            assert [waiting.session_id for waiting in store.queue.list()] == ["b"]
            assert store.facts.get("a").process is not None
            assert store.metrics.get("a").ci_runs == 2
            assert store.memories.get("a") == "{}", "its turn is told by it"
            assert store.data_version() != store.data_version(), "and nothing that is shown is kept"
        with pytest.raises(Unreachable):
            store.memories.get("a")
        alone.start()
        _again(store)
        alone.stop()
        with store.last_known():
            assert {found.id for found in store.sessions.list()} == {"a", "b"}, (
                "with the server back all was taken anew"
            )
        store.close()


def _again(store: Store) -> None:
    def written() -> bool:
        try:
            store.meta.set("k", "v")
        except Unreachable:
            return False
        return True

    eventually(written)


def test_it_knows_what_it_found_when_it_was_opened(
    postgres: Server, session: Session, tmp_path: Path
) -> None:
    url = postgres.made()
    first = open_store(url, tmp_path, ManualClock())
    first.sessions.insert(session)
    first.sessions.insert(replace(session, id="old", archived_at=session.created_at))
    first.close()
    store = open_store(url, tmp_path, ManualClock())
    read = store._connection.dialect.last_known
    assert read(
        'SELECT "t1"."id" FROM "sessions" AS "t1" WHERE ("t1"."project_id" = %s)', ["my-app"]
    ) == [("ma-1",)]
    store.close()


def test_with_a_file_who_looks_reads_as_everybody_does(
    sqlite_store: Store, session: Session
) -> None:
    sqlite_store.sessions.insert(session)
    with sqlite_store.last_known():
        assert sqlite_store.sessions.list() == (session,)


def test_an_order_that_was_remembered_outlives_the_process_until_it_is_forgotten(
    tmp_path: Path,
) -> None:
    file = tmp_path / "stops.json"
    stops = RememberedStops(file)
    stops.add("a", "a person")
    stops.add("b", "a person")
    stops.forget("b")
    stops.forget("nobody")
    again = RememberedStops(file)
    assert (again.by("a"), again.by("b")) == ("a person", None)
    assert file.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("content", ["", "[]", "{"])
def test_a_file_of_orders_that_cannot_be_read_keeps_nobody_from_starting(
    tmp_path: Path, content: str
) -> None:
    file = tmp_path / "stops.json"
    file.write_text(content)
    assert RememberedStops(file).by("a") is None


def test_without_a_folder_they_are_remembered_as_long_as_the_process() -> None:
    stops = RememberedStops(None)
    stops.add("a", "a person")
    assert stops.by("a") == "a person"


def test_a_store_whose_server_is_not_there_yet_shows_what_it_is_given_refuses_the_rest_and_joins(
    session: Session, tmp_path: Path
) -> None:
    with server() as alone:
        url = alone.made()
        alone.stop()
        with pytest.raises(Away) as away:
            open_store(url, tmp_path, ManualClock())
        waiting = wait_for_server(url, tmp_path, ManualClock(), away.value, beside=tmp_path)
        store = waiting.store
        waiting.known.sessions.insert(session)
        with store.last_known():
            assert store.sessions.list() == (session,)
            assert store.memories.get(session.id) is None
            with pytest.raises(Away, match="not known here"):
                store.sessions.need("another")
        with pytest.raises(Away, match=r"the database is away since .* UTC, waiting: the server"):
            store.sessions.list()
        with pytest.raises(Away, match="is away since"):
            store.sessions.insert(session)
        with pytest.raises(Away, match="is away since"), store.transaction():
            pytest.fail("it was begun")
        assert store.problem is not None
        assert store.problem.count("is away since") == 1
        store.stops.add("a", "a person")
        with pytest.raises(Away):
            waiting.join()

        alone.start()
        waiting.join()
        assert (store.problem, store.sessions.list()) == (None, ())
        store.sessions.insert(session)
        with store.transaction() as tx:
            assert (
                tx.emit(session.id, "my-app", Draft(EventType.SESSION_SPAWNED, "spawned")).seq == 1
            )
        with pytest.raises(NotFound):
            store.sessions.need("another")
        assert RememberedStops(tmp_path / "stops.json").by("a") == "a person"
        store.close()


def test_a_server_that_is_waited_for_and_will_never_do_says_why(
    session: Session, tmp_path: Path
) -> None:
    with server() as alone:
        url = alone.made().replace("ennio@", "nobody_known@")
        waiting = wait_for_server(url, tmp_path, ManualClock(), Away("it did not answer"))
        with pytest.raises(Refused, match="refuses the user"):
            waiting.join()
        assert "refuses the user" in str(waiting.store.problem)
        waiting.store.close()
