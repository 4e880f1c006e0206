"""Requests that are sent again under the same key are carried out once, and
answered as the first time.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from ennio.board.feed import BoardFeed
from ennio.board.orders import Act
from ennio.http.app import create_app
from ennio.http.client import ApiClient, LostAnswer
from ennio.http.idempotency import HEADER
from ennio.model.clock import ManualClock
from ennio.model.errors import Conflict, Unreachable
from ennio.model.idempotency import KEPT_FOR, IdempotentRequest
from ennio.store import Store, open_store
from ennio.store.idempotency import RequestRepeatedError
from tests.conftest import eventually
from tests.http.api import TOKEN, Api
from tests.http.small_orchestrator import SmallOrchestrator

SPAWN = {"project_id": "my-app", "prompt": "Do it."}


def keyed(key: str) -> dict[str, str]:
    return {HEADER: key}


def test_a_repeated_spawn_gives_the_first_answer_and_makes_no_second_session(
    api: Api, orchestrator: SmallOrchestrator
) -> None:
    first = api.ask("POST", "/sessions", json=SPAWN, headers=keyed("k-1"))
    session = orchestrator.store.sessions.need(first.json["data"]["id"])
    orchestrator.store.sessions.save(replace(session, reason="it has changed since"))
    again = api.ask("POST", "/sessions", json=SPAWN, headers=keyed("k-1"))
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert len(orchestrator.store.sessions.list()) == 1


def test_requests_without_a_key_or_with_another_are_carried_out_each(
    api: Api, orchestrator: SmallOrchestrator
) -> None:
    for headers in ({}, {}, keyed("k-1"), keyed("k-2")):
        api.post("/sessions", SPAWN, headers=headers)
    assert len(orchestrator.store.sessions.list()) == 4


def test_a_repeated_message_is_sent_once(
    api: Api, orchestrator: SmallOrchestrator, session_id: str
) -> None:
    for _ in range(2):
        assert (
            api.post(f"/sessions/{session_id}/send", {"message": "go on"}, headers=keyed("k-1"))
            == "sent"
        )
    assert [one.text for one in orchestrator.store.messages.list(session_id)] == ["go on"]


def test_a_key_of_another_request_is_refused_with_the_reason(
    api: Api, orchestrator: SmallOrchestrator, session_id: str
) -> None:
    api.post("/sessions", SPAWN, headers=keyed("k-1"))
    for path, body in (
        ("/sessions", SPAWN | {"prompt": "Do more."}),
        (f"/sessions/{session_id}/send", {"message": "go on"}),
    ):
        assert (
            "was given to another request"
            in api.post(path, body, 409, headers=keyed("k-1"))["error"]
        )
    assert len(orchestrator.store.sessions.list()) == 2
    assert orchestrator.store.messages.list(session_id) == ()


@pytest.mark.parametrize("key", ["", " ", "a b", "é", "x" * 256])
def test_what_is_no_key_is_refused_naming_the_header(
    api: Api, orchestrator: SmallOrchestrator, key: str
) -> None:
    for path in ("/sessions", "/sessions?dry_run=true"):
        assert HEADER in api.post(path, SPAWN, 400, headers=keyed(key))["error"]
    assert orchestrator.store.sessions.list() == ()


def test_what_was_refused_is_looked_at_anew(api: Api, orchestrator: SmallOrchestrator) -> None:
    orchestrator.fails_with = Unreachable("away")
    api.post("/sessions", SPAWN, 504, headers=keyed("k-1"))
    orchestrator.fails_with = None
    assert api.post("/sessions", SPAWN, headers=keyed("k-1"))["id"]


def test_what_only_looks_needs_no_key_and_keeps_none(api: Api) -> None:
    api.post("/sessions?dry_run=true", SPAWN, headers=keyed("k-1"))
    assert api.post("/sessions", SPAWN, headers=keyed("k-1"))["id"]


def test_an_answer_is_kept_over_a_restart(
    api: Api, orchestrator: SmallOrchestrator, tmp_path: Path
) -> None:
    first = api.ask("POST", "/sessions", json=SPAWN, headers=keyed("k-1"))
    orchestrator.store.close()
    again = SmallOrchestrator.at(tmp_path)
    with closing(again.store):
        assert (
            Api(create_app(again, TOKEN))
            .ask("POST", "/sessions", json=SPAWN, headers=keyed("k-1"))
            .content
            == first.content
        )  # type: ignore[arg-type]
        assert len(again.store.sessions.list()) == 1


def test_a_crash_between_act_and_answer_leads_to_the_session_that_was_made(
    api: Api, orchestrator: SmallOrchestrator, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(
            orchestrator.store.idempotency, "answer", lambda *_: None
        )  # as if killed before it was kept
        first = api.post("/sessions", SPAWN, headers=keyed("k-1"))
    assert api.post("/sessions", SPAWN, headers=keyed("k-1"))["id"] == first["id"]
    assert len(orchestrator.store.sessions.list()) == 1


# --- the store ------------------------------------------------------------------------------------

ONE, OTHER = IdempotentRequest.of("k-1", {"a": 1}), IdempotentRequest.of("k-1", {"a": 2})


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def store(tmp_path: Path, clock: ManualClock) -> Iterator[Store]:
    with closing(open_store("sqlite:keys.db", tmp_path, clock)) as opened:
        yield opened


def test_who_begins_what_was_done_meanwhile_is_told_of_it_and_undoes_theirs(
    store: Store, clock: ManualClock
) -> None:
    store.idempotency.begin(ONE, "s-1", clock.now())

    def begin_again() -> None:
        with store.transaction():
            store.meta.set("begun", "again")
            store.idempotency.begin(ONE, "s-2", clock.now())

    with pytest.raises(RequestRepeatedError) as repeated:
        begin_again()
    assert repeated.value.done.subject == "s-1"
    assert store.meta.get("begun") is None


def test_a_key_is_for_one_request_until_its_day_is_over(store: Store, clock: ManualClock) -> None:
    store.idempotency.begin(ONE, "s-1", clock.now())
    store.idempotency.answer(ONE, "first")
    store.idempotency.answer(ONE, "second")
    clock.put(KEPT_FOR.total_seconds())
    done = store.idempotency.find(ONE, clock.now())
    assert done is not None
    assert done.answer == "first"
    with pytest.raises(Conflict):
        store.idempotency.begin(OTHER, "s-2", clock.now())
    now = clock.now() + timedelta(seconds=1)
    assert store.idempotency.find(ONE, now) is None
    store.idempotency.begin(OTHER, "s-2", now)
    again = store.idempotency.find(OTHER, now)
    assert again is not None
    assert again.subject == "s-2"


# --- the client -----------------------------------------------------------------------------------


class Cutting:
    """A server that takes requests and ends the connection instead of answering,
    ``times`` times; then it answers.
    """

    def __init__(self, times: int) -> None:
        self.asked: list[bytes] = []
        self._times = times
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._server.accept()
                with connection:
                    self.asked.append(connection.recv(65536))
                    if len(self.asked) > self._times:
                        connection.sendall(
                            b'HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{"data":"x"}'
                        )

    def keys(self) -> set[bytes]:
        return {
            line
            for request in self.asked
            for line in request.split(b"\r\n")
            if line.startswith(HEADER.encode())
        }

    def close(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()


def test_the_client_sends_what_got_no_answer_again_under_the_same_key() -> None:
    with closing(Cutting(2)) as server:
        assert ApiClient(server.url, "t").post_once("/sessions", SPAWN) == "x"
        assert (len(server.asked), len(server.keys())) == (3, 1)


def test_the_board_sends_what_is_done_once_again_under_the_same_key() -> None:
    for once, sent in ((True, 3), (False, 1)):
        with closing(Cutting(2)) as server:
            feed = BoardFeed(partial(ApiClient, server.url, "t"))
            act = Act("a-1", "POST", "/sessions/a-1/answer", {"answer": "1"}, once=once)
            feed.act(act)
            acted = eventually(lambda feed=feed: [*feed.news()])  # type: ignore[misc]
            assert [bool(one.fault) for one in acted] == [not once]  # type: ignore[attr-defined]
            assert (len(server.asked), len(server.keys())) == (sent, 1 if once else 0)


def test_the_board_spawns_one_session_where_an_answer_is_lost() -> None:
    with closing(Cutting(1)) as server:
        feed = BoardFeed(partial(ApiClient, server.url, "t"))
        assert feed.spawn("my-app", "Do it.", dry=False) == "x"
        assert (len(server.asked), len(server.keys())) == (2, 1)


def test_the_client_sends_no_request_twice_that_has_no_key() -> None:
    with closing(Cutting(2)) as server:
        with pytest.raises(LostAnswer):
            ApiClient(server.url, "t").post("/queue/a-1/move", {"position": 1})
        assert len(server.asked) == 1


def test_the_client_gives_up_and_says_that_no_answer_came(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ennio.http.client._PAUSES", (0.0, 0.0))
    with closing(Cutting(9)) as server:
        with pytest.raises(LostAnswer, match="the connection to"):
            ApiClient(server.url, "t").post_once("/sessions", SPAWN)
        assert len(server.asked) == 2
