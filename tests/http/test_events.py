"""The event log over the API, page by page and as it grows."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import gevent
import gevent.socket
import pytest

from ennio.actors.feed import Feed
from ennio.actors.orchestrator import EventApi
from ennio.http.app import create_app
from ennio.http.client import blocks
from ennio.http.selection import EventSelection
from ennio.http.sse import SseConnections, stream
from ennio.model.events import Draft, Event, EventType
from ennio.model.session import Priority
from tests.conftest import eventually
from tests.http.api import TOKEN, Api
from tests.http.small_orchestrator import SmallOrchestrator


def test_pages_lead_on_in_both_directions(
    api: Api, orchestrator: SmallOrchestrator, session_id: str
) -> None:
    for number in range(5):
        orchestrator.tell(session_id, str(number))
    first = api.ask("GET", "/events?after=0&limit=4").json
    assert [event["seq"] for event in first["data"]] == [1, 2, 3, 4]
    last = api.ask("GET", f"/events?after={first['next']}&limit=4").json
    assert ([event["seq"] for event in last["data"]], last["next"]) == ([5, 6], None)
    newest = api.ask("GET", "/events?limit=5").json
    assert ([event["seq"] for event in newest["data"]], newest["next"]) == ([6, 5, 4, 3, 2], 2)
    assert [event["seq"] for event in api.get("/events?before=2")] == [1]


def test_events_are_filtered(api: Api, orchestrator: SmallOrchestrator, session_id: str) -> None:
    other = orchestrator.store.sessions.need(
        api.post("/sessions", {"project_id": "bare", "prompt": "x"})["id"]
    )
    orchestrator.tell(session_id, kind=EventType.CI_FAILING, priority=Priority.URGENT)
    orchestrator.tell(other.id, kind=EventType.PR_CREATED, priority=Priority.ACTION)
    kinds = lambda query: [event["event_type"] for event in api.get(f"/events?after=0&{query}")]  # noqa: E731
    assert (
        kinds("type=ci_failing,pr_created")
        == kinds("type=ci_failing&type=pr_created")
        == ["ci_failing", "pr_created"]
    )
    assert kinds("priority=action") == ["ci_failing", "pr_created"]
    assert kinds("priority=urgent") == ["ci_failing"]
    assert (
        kinds(f"session_id={other.id}")
        == kinds("project_id=bare")
        == ["session_spawned", "pr_created"]
    )
    assert [event["event_type"] for event in api.get(f"/sessions/{session_id}/events?after=0")] == [
        "session_spawned",
        "ci_failing",
    ]


@pytest.mark.parametrize("route", ["/events", "/events/stream"])
@pytest.mark.parametrize(
    ("who", "said"),
    [
        ("project_id=nosuch", "no project nosuch; configured: my-app"),
        ("session_id=ma-nosuch", "no session ma-nosuch"),
    ],
)
def test_nobody_waits_for_events_of_one_that_is_not_there(
    api: Api, session_id: str, route: str, who: str, said: str
) -> None:
    assert said in api.get(f"{route}?{who}", 404)["error"]
    assert said in api.get(f"{route}?after=0&{who}&type=ci_failing", 404)["error"]


def test_what_was_told_of_one_that_is_gone_is_read_on(
    api: Api, orchestrator: SmallOrchestrator, session_id: str
) -> None:
    gone = replace(orchestrator.deps.config.projects[0], id="gone")
    orchestrator.store.projects.upsert(gone)
    assert api.get("/events?project_id=gone") == []
    with orchestrator.store.transaction() as tx:
        tx.emit("", "long-gone", Draft(EventType.CI_FAILING, "red"))
    assert [event["message"] for event in api.get("/events?project_id=long-gone")] == ["red"]
    assert api.get("/events?project_id=long-gone&type=pr_created") == []


def test_an_events_project_is_named_as_everywhere(api: Api, session_id: str) -> None:
    assert api.get("/events?project_id=my-app") == api.get(f"/events?session_id={session_id}")


class Listening:
    """One open stream and what it brought."""

    def __init__(
        self,
        orchestrator: Any,
        after: int,
        selection: EventSelection | None = None,
        heartbeat: float = 15.0,
    ) -> None:
        self.sse_connections = SseConnections(2, heartbeat)
        self._chunks = stream(
            orchestrator, self.sse_connections, after, selection or EventSelection()
        )
        self._blocks = blocks(self._lines())

    def _lines(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            yield from chunk.splitlines(keepends=True)

    def event(self) -> Any:
        """The next event; heartbeats are passed over."""
        return next(event for _, event in self._blocks if event is not None)

    def block(self) -> tuple[int, Any]:
        """The next block, whatever it is."""
        return next(self._blocks)

    def rest(self) -> list[Any]:
        """What comes until it ends."""
        return list(self._blocks)


def test_a_stream_brings_the_past_and_then_the_present(
    orchestrator: SmallOrchestrator, session_id: str
) -> None:
    for number in range(450):
        orchestrator.tell(session_id, str(number))
    listening = Listening(orchestrator, 0)
    assert [listening.event()["seq"] for _ in range(451)] == list(range(1, 452))
    threading.Timer(0.05, orchestrator.tell, (session_id, "new")).start()
    assert listening.event()["message"] == "new"


def test_a_stream_goes_on_behind_the_last_event_seen(
    orchestrator: SmallOrchestrator, session_id: str
) -> None:
    orchestrator.tell(session_id, "two")
    assert Listening(orchestrator, 1).event()["message"] == "two"


def test_a_stream_tells_at_once_from_where_it_goes_on(
    orchestrator: SmallOrchestrator, session_id: str
) -> None:
    assert Listening(orchestrator, 1).block() == (1, None)


def test_a_seq_from_another_log_begins_at_the_beginning(
    orchestrator: SmallOrchestrator, session_id: str
) -> None:
    assert Listening(orchestrator, 9999).event()["seq"] == 1


def test_a_stream_is_filtered_and_its_heartbeat_moves_on(
    orchestrator: SmallOrchestrator, session_id: str
) -> None:
    chosen = EventSelection(type=("pr_created",))
    listening = Listening(orchestrator, 1, chosen, heartbeat=0.05)
    assert listening.block() == (1, None)
    orchestrator.tell(session_id, "not wanted")
    last = orchestrator.tell(session_id, "not wanted either").seq
    while (block := listening.block()) != (last, None):
        assert block[1] is None
    orchestrator.tell(session_id, kind=EventType.PR_CREATED)
    assert listening.event()["event_type"] == "pr_created"


class PatientEvents(EventApi):
    """Notes how long each wait was to be."""

    patience: list[float] = []  # noqa: RUF012 - of the one that is fed

    def wait(self, after: int, timeout: float) -> list[Event]:
        self.patience.append(timeout)
        return super().wait(after, timeout)


class Fed(SmallOrchestrator):
    """Its events come as those of the real one do; ``patience`` is how long each wait was to be."""

    feed: Feed
    patience: list[float]


@pytest.fixture
def fed(tmp_path: Path) -> Iterator[Fed]:
    made = Fed.at(tmp_path)
    made.feed = Feed(made.store)
    made.events, made.patience = PatientEvents(made.deps, made.feed), PatientEvents.patience
    made.patience.clear()
    yield made
    made.feed.close()
    made.store.close()


HOUR = 3600.0


class Served:
    """A stream that is sent in a greenlet of its own; nothing but what happens
    wakes it within an hour.
    """

    def __init__(self, orchestrator: Fed) -> None:
        self.orchestrator = orchestrator
        self.sse_connections = SseConnections(2, HOUR)
        self.client, self._server = gevent.socket.socketpair()
        self.greenlet = gevent.spawn(self._serve)
        eventually(self.waits, why="the stream waits")

    def _serve(self) -> None:
        with self._server:
            for chunk in stream(
                self.orchestrator, self.sse_connections, 0, EventSelection(), self._server
            ):
                self._server.sendall(chunk)

    def waits(self) -> bool:
        gevent.sleep(0)
        return bool(self.orchestrator.patience)

    def has_ended(self) -> bool:
        """Whether the greenlet ends without anything else having to happen."""
        self.greenlet.join(30)
        return bool(self.greenlet.successful()) and self.sse_connections.open == 0


def test_a_silent_stream_sleeps_from_heartbeat_to_heartbeat(fed: Fed) -> None:
    served = Served(fed)
    assert fed.patience == [pytest.approx(HOUR, abs=30)]
    served.client.close()
    assert served.has_ended()


def test_a_client_that_leaves_ends_its_silent_stream_at_once(fed: Fed) -> None:
    served = Served(fed)
    assert served.sse_connections.open == 1
    served.client.close()
    assert served.has_ended()


def test_a_client_that_talks_while_it_listens_is_heard_once_and_goes_on_listening(fed: Fed) -> None:
    served = Served(fed)
    served.client.sendall(b"GET / HTTP/1.1\r\n\r\n")
    eventually(lambda: served.waits() and len(fed.patience) == 2, why="it waits again")
    for _ in range(20):
        gevent.sleep(0.001)  # each of them is a round of the loop, in which sockets are looked at
    assert len(fed.patience) == 2, "what it says is never read, and wakes the stream no more"
    assert not served.greenlet.ready()
    served.sse_connections.close()
    assert served.has_ended()


def test_a_server_that_closes_wakes_its_silent_streams(fed: Fed) -> None:
    served = Served(fed)
    served.sse_connections.close()
    assert served.has_ended()


def test_listeners_are_bounded(orchestrator: SmallOrchestrator, session_id: str) -> None:
    sse_connections = SseConnections(most=0)
    api = Api(create_app(orchestrator, TOKEN, sse_connections))
    answer = api.ask("GET", "/events/stream")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")


def test_head_on_the_stream_opens_none(api: Api) -> None:
    answer = api.ask("HEAD", "/events/stream")
    assert (answer.status_code, answer.headers["Content-Type"]) == (
        200,
        "text/event-stream; charset=utf-8",
    )


@pytest.mark.parametrize("last", ["x", "-1", "1.5", "", "9" * 30])
def test_a_last_event_id_that_is_no_seq_is_refused(api: Api, last: str) -> None:
    assert (
        "Last-Event-ID" in api.get("/events/stream", 400, headers={"Last-Event-ID": last})["error"]
    )


def test_blocks_are_read_as_the_format_says() -> None:
    data = json.dumps({"a": 1}).encode()
    text = (
        b"retry: 2000\n\n: hello\nid: 7\r\nevent: x\r\ndata: " + data + b"\r\n\r\nid: 8\n\nid: 9\n"
    )
    assert list(blocks(iter(text.splitlines(keepends=True)))) == [(7, {"a": 1}), (8, None)]
