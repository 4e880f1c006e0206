"""Where the board's news come from: one stream of events, one fetch of the rows they are about at
most four times a second, and a thread for each thing that is asked or done.
"""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from ennio.board.heading import header
from ennio.board.news import (
    Acted,
    Happened,
    Headed,
    Linked,
    Looked,
    News,
    Rows,
    Unlinked,
    Verbs,
)
from ennio.board.orders import Act
from ennio.board.verb_table import NO_VERBS, VerbTable
from ennio.model.errors import EnnioError, NotFound

_PERIOD = 0.25
"""Seconds between two fetches of rows, at least."""
_FIRST = 0.5
"""Seconds that the stream waits for the first rows, at most."""
_WHOLE = 60.0
"""So often all rows are read: time alone may change whose turn it is."""
_PAUSES = (0.2, 0.5, 1.0, 2.0)
_ABOUT_ALL = ("budget", "config", "disk", "node", "place", "all_")
_OUTPUT = 200
_MOST_IDS = 100
_PAST = 50
"""So many events from before the board was opened are shown."""
_FAULTS = (EnnioError, OSError, ValueError, LookupError, TypeError)
"""What an answer can be that is none; a thread that ended of it would leave the board asleep."""


class Client(Protocol):
    """The API, as far as the board asks it."""

    def get(self, path: str, /, **query: object) -> Any:
        """The data of a GET."""
        ...

    def document(
        self,
        method: str,
        path: str,
        query: Mapping[str, object],
        body: Mapping[str, object] | None = None,
    ) -> Any:
        """A whole answer."""
        ...

    def post(self, path: str, body: Mapping[str, object], /, **query: object) -> Any:
        """The data of a POST."""
        ...

    def post_once(self, path: str, body: Mapping[str, object], /) -> Any:
        """The data of a POST that is sent again, under its key, where its answer is lost."""
        ...

    def listen(
        self, path: str, cursor: int | None, query: Mapping[str, object]
    ) -> Iterator[tuple[int, Any]]:
        """Blocks of a stream, until it ends."""
        ...


Connect = Callable[[], Client]


class BoardFeed:
    """Asks, and hands over the news. ``wake`` is called whenever there are some."""

    def __init__(self, connect: Connect, project: str | None = None) -> None:
        self._connect = connect
        self._project = project
        self._news: queue.SimpleQueue[News] = queue.SimpleQueue()
        self._ready, self._signal = os.pipe()
        for end in (self._ready, self._signal):
            os.set_blocking(end, False)
        self._turn = threading.Condition()
        self._dirty: set[str] = set()
        self._whole = False
        self._heading = False
        self._joined: tuple[int | None, int | None] | None = None
        self._told_past = False
        self._asked = threading.Event()
        self._over = False

    @property
    def wakes(self) -> tuple[int, int]:
        """Where a byte can be read once there are news, and written to wake whoever waits."""
        return self._ready, self._signal

    def start(self) -> None:
        """Begin to listen and to fetch."""
        for work in (self._listening, self._fetching):
            threading.Thread(target=work, daemon=True, name=work.__name__).start()

    def stop(self) -> None:
        """Nothing more is asked."""
        with self._turn:
            self._over = True
            self._turn.notify_all()

    def news(self) -> Iterator[News]:
        """All there are, now."""
        while True:
            try:
                yield self._news.get_nowait()
            except queue.Empty:
                return

    def tell(self, news: News) -> None:
        """Add something, and wake the board."""
        self._news.put(news)
        with suppress(OSError):  # where it is full, enough bytes are there to wake it
            os.write(self._signal, b".")

    # --- the stream -------------------------------------------------------------------------------

    def _listening(self) -> None:
        self._asked.wait(_FIRST)  # what is opened beside the first rows would hold them up
        cursor: int | None = None
        attempt = 0
        while not self._over:
            try:
                for seq, event in self._blocks(cursor):
                    if attempt >= 0 and cursor is not None and seq < cursor:
                        cursor, attempt = None, -1  # another log: it is read from now on
                        break
                    if attempt >= 0:
                        self._join(seq, cursor)
                        attempt = -1  # what has no event from here on is a heartbeat
                    cursor = seq
                    if event is not None:
                        self._happened(event)
                why = "the supervisor ended the connection"
            except _FAULTS as error:
                why = str(error) if isinstance(error, EnnioError) else repr(error)
            attempt = max(0, attempt)
            self._pause(why, _PAUSES[min(attempt, len(_PAUSES) - 1)])
            attempt += 1

    def _pause(self, why: str, seconds: float) -> None:
        now = datetime.now(UTC)
        self.tell(Unlinked(why, now, now + timedelta(seconds=seconds)))
        time.sleep(seconds)

    def _blocks(self, cursor: int | None) -> Iterator[tuple[int, Any]]:
        client = self._connect()
        if cursor is None:
            cursor = int(client.get("/status").get("last_seq") or 0)
        query = {"project_id": self._project} if self._project else {}
        return client.listen("/events/stream", cursor, query)

    def _join(self, seq: int, cursor: int | None) -> None:
        """The stream stands; the rows are read before it is called live."""
        with self._turn:
            self._joined = (seq, cursor)
            self._whole = self._heading = True
            self._turn.notify_all()

    def _happened(self, event: Mapping[str, Any]) -> None:
        self.tell(Happened((event,)))
        kind = str(event.get("event_type") or "")
        with self._turn:
            if event.get("session_id"):
                self._dirty.add(str(event["session_id"]))
            self._heading = self._heading or kind.startswith(_ABOUT_ALL)
            self._turn.notify_all()

    # --- the rows ---------------------------------------------------------------------------------

    def again(self, session_id: str) -> None:
        """The row of a session is read anew."""
        with self._turn:
            self._dirty.add(session_id)
            self._turn.notify_all()

    def _fetching(self) -> None:
        with suppress(*_FAULTS):  # before the stream is opened, which tells what is lost
            self._fetch(set(), None, whole=True, heading=False)
        self._asked.set()
        due = time.monotonic() + _WHOLE
        while True:
            with self._turn:
                self._turn.wait_for(self._wanted, max(0.0, due - time.monotonic()))
                if self._over:
                    return
                whole, heading = self._whole or time.monotonic() >= due, self._heading
                dirty, self._dirty = self._dirty, set()
                joined, self._joined = self._joined, None
                self._whole = self._heading = False
            begun = time.monotonic()
            if whole:
                due, heading = begun + _WHOLE, True
            try:
                self._fetch(dirty, joined, whole=whole or len(dirty) > _MOST_IDS, heading=heading)
            except _FAULTS:
                self._put_back(dirty, joined)  # the stream tells that it is lost
            time.sleep(max(0.0, _PERIOD - (time.monotonic() - begun)))

    def _wanted(self) -> bool:
        return bool(self._over or self._dirty or self._whole or self._heading)

    def _put_back(self, dirty: set[str], joined: tuple[int | None, int | None] | None) -> None:
        with self._turn:
            self._dirty |= dirty
            if joined is not None and self._joined is None:
                self._joined, self._whole = joined, True

    def _fetch(
        self,
        dirty: set[str],
        joined: tuple[int | None, int | None] | None,
        *,
        whole: bool,
        heading: bool,
    ) -> None:
        client = self._connect()
        if joined is not None:
            self._begin(client, joined)
        if whole:
            found = client.get("/sessions", project_id=self._project, view="row")
            self.tell(Rows(found))
        elif dirty:
            found = client.get("/sessions", ids=",".join(sorted(dirty)), view="row")
            mine = [one for one in found if self._project in (None, one["project_id"])]
            self.tell(Rows(mine, frozenset(dirty)))
        if heading:
            status = client.get("/status")
            self.tell(Headed(header(status, client.get("/budgets"))))
            if joined is not None:
                self._live(int(status.get("last_seq") or 0), joined)

    def _begin(self, client: Client, joined: tuple[int | None, int | None]) -> None:
        """What is known once for each connection: the verbs, and for the first one what happened
        just before.
        """
        self.tell(Verbs(verb_table(client)))
        if self._told_past:
            return
        self._told_past = True
        seq, _ = joined
        past = client.get("/events", limit=_PAST, project_id=self._project)
        known = [event for event in past if int(event["seq"]) <= (seq or 0)]
        if known:
            self.tell(Happened(tuple(sorted(known, key=lambda event: int(event["seq"])))))

    def _live(self, last: int, joined: tuple[int | None, int | None]) -> None:
        seq, cursor = joined
        missed = None if cursor is None else max(0, last - cursor)
        self.tell(Linked(max(last, seq or 0), missed))

    # --- one thing --------------------------------------------------------------------------------

    def act(self, act: Act) -> None:
        """Carry out an operation, beside everything else."""
        self._beside(lambda: self._act(act))

    def _act(self, act: Act) -> None:
        try:
            if act.once:
                self._connect().post_once(act.path, act.body or {})
            else:
                self._connect().document(act.method, act.path, {}, _body(act))
        except EnnioError as error:
            self.tell(Acted(act, str(error)))
        else:
            self.tell(Acted(act))
            self.again(act.id)

    def spawn(self, project: str, prompt: str, *, dry: bool) -> Any:
        """Begin a session, or ask what it would be. Raises EnnioError."""
        body = {"project_id": project, "prompt": prompt}
        if dry:
            return self._connect().post("/sessions", body, dry_run=True)
        return self._connect().post_once("/sessions", body)

    def look(
        self, session_id: str, project_id: str, number: int | None, tab: str, file: str = ""
    ) -> None:
        """Ask for what a pane shows; of a ``file`` what it changes."""
        paths = {
            "evidence": f"/sessions/{session_id}/evidence",
            "messages": f"/sessions/{session_id}/messages",
            "output": f"/sessions/{session_id}/output",
        }
        pull = f"/projects/{project_id}/pulls/{number}" if number else ""
        if tab == "files":
            paths = {"files": f"/sessions/{session_id}/diff"}
            if file:
                paths["hunks"] = f"/sessions/{session_id}/diff/file"
        elif tab == "pr" and pull:
            paths = {"pr": pull}
        elif tab == "output":
            paths = {"screen": f"/sessions/{session_id}/screen", "output": paths["output"]}
        self._beside(lambda: self._look(session_id, paths, file))

    def _look(self, session_id: str, paths: Mapping[str, str], file: str) -> None:
        queries: Mapping[str, Mapping[str, object]] = {
            "output": {"lines": _OUTPUT},
            "hunks": {"path": file},
            "screen": {"history": _OUTPUT},
        }
        for what, path in paths.items():
            query = queries.get(what, {})
            try:
                told = self._connect().get(path, **query)
            except NotFound as error:
                self.tell(Looked(session_id, what, fault=str(error)))
            except EnnioError as error:
                self.tell(Looked(session_id, what, fault=f"not known just now: {error}"))
            else:
                self.tell(Looked(session_id, what, told))

    def _beside(self, work: Callable[[], None]) -> None:
        threading.Thread(target=work, daemon=True).start()


def verb_table(client: Client) -> VerbTable:
    """What can be done; nothing, as far as a supervisor of an older version tells."""
    try:
        return VerbTable.of(client.get("/verbs"))
    except NotFound:
        return NO_VERBS


def _body(act: Act) -> Mapping[str, object] | None:
    return dict(act.body or {}) if act.method == "POST" else None
