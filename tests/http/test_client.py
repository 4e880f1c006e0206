"""The client against servers that do not behave, and what it costs to load."""

from __future__ import annotations

import shlex
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest

from ennio.http import address
from ennio.http.app import create_app
from ennio.http.client import ApiClient, LostAnswer, NoSupervisor, Tagged, find
from ennio.machine.home import Home, private
from ennio.model.errors import TimedOut, Unreachable
from tests.http.api import TOKEN
from tests.http.small_orchestrator import SmallOrchestrator

ROOT = Path(__file__).parents[2]


@contextmanager
def answering(*answers: bytes) -> Iterator[str]:
    """A server that gives these answers to one connection each, then is gone; its base URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            for answer in answers:
                connection, _ = listener.accept()
                with connection:
                    connection.recv(65536)
                    connection.sendall(answer)
            listener.close()  # or whoever comes back would be accepted by nobody, and wait

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno",
    ],
)
def test_an_answer_that_breaks_off_or_is_no_json_is_unreachable(answer: bytes) -> None:
    with answering(answer) as url, pytest.raises(Unreachable):
        ApiClient(url, "t").get("/sessions")


def test_a_connection_that_is_cut_names_the_way_out() -> None:
    with (
        answering(b"") as url,
        pytest.raises(
            Unreachable, match=r"failed .*; whether the supervisor still runs says: ennio doctor"
        ),
    ):
        ApiClient(url, "t").get("/sessions")


@pytest.mark.parametrize(
    ("path", "look"),
    [
        ("/sessions/ma-1/answer", "ennio session info ma-1"),
        ("/sessions/a%20b%3B/send", "ennio session info 'a b;'"),
        ("/sessions", "ennio session list"),
        ("/projects/my-app/pulls/7/merge", "ennio pr show my-app#7"),
        ("/projects/my-app/issues", "ennio issue list my-app"),
        ("/budgets/global:daily/raise", "ennio budget list"),
        ("/queue/ma-1/hold", "ennio queue list"),
        ("/nodes/shop/connect", "ennio status"),
    ],
)
@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"])
def test_an_order_whose_answer_is_lost_may_have_been_done_and_it_is_said_how_to_look(
    path: str, look: str, answer: bytes
) -> None:
    with answering(answer) as url, pytest.raises(LostAnswer) as raised:
        ApiClient(url, "t").post(path, {"answer": "blue"})
    words = str(raised.value)
    assert f"; it may have been done, which says: {look}" in words
    shlex.split(look)  # as a shell takes it
    assert ("; whether the supervisor still runs says: ennio doctor" in words) is (not answer)


def test_what_only_asks_or_reached_nobody_was_not_done() -> None:
    def words(url: str, method: str, **more: Any) -> str:
        with pytest.raises(Unreachable) as raised:
            ApiClient(url, "t").document(method, "/sessions/ma-1", more.pop("query", {}), **more)
        return str(raised.value)

    with answering(b"", b"", b"") as url:
        assert "may have been done" not in words(url, "GET")
        assert "may have been done" not in words(url, "POST", query={"dry_run": True})
        assert "may have been done" not in words(url, "POST", body={"dry_run": True})
    assert "may have been done" not in words("http://nobody.invalid:9", "POST", body={})


def test_an_order_that_is_not_answered_in_time_may_have_been_done() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        client = ApiClient(f"http://127.0.0.1:{silent.getsockname()[1]}", "t", timeout=0.1)
        with pytest.raises(TimedOut, match=r"within 0\.1 s; it may have been done, which says: "):
            client.post("/sessions/ma-1/interrupt")


def test_an_error_without_an_envelope_is_still_told() -> None:
    with (
        answering(b"HTTP/1.1 503 Busy\r\nContent-Length: 2\r\n\r\nno") as url,
        pytest.raises(Unreachable, match="503 Busy"),
    ):
        ApiClient(url, "t").get("/sessions")


def test_no_answer_in_time_is_timed_out() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.raises(TimedOut, match=r"within 0\.1 s"),
    ):
        ApiClient(f"http://127.0.0.1:{silent.getsockname()[1]}", "t", timeout=0.1).get("/sessions")


def _stream(*blocks: str) -> bytes:
    return (
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
        + "".join(blocks)
    ).encode()


def test_a_stream_that_breaks_off_in_a_block_goes_on_behind_the_last_whole_one() -> None:
    first = _stream("retry: 2000\nid: 4\n\n", 'id: 5\ndata: {"seq": 5}\n\n', 'id: 6\ndata: {"se')
    second = _stream('id: 6\ndata: {"seq": 6}\n\n')
    with answering(first, second) as url:
        events = ApiClient(url, "t").stream(after=4)
        assert [next(events)["seq"], next(events)["seq"]] == [5, 6]


def test_a_stream_gives_up_when_its_patience_ends() -> None:
    with answering(_stream("id: 1\n\n")) as url:
        pass_on = ApiClient(url, "t").stream(after=0, patience=0.2)
        with pytest.raises(NoSupervisor, match=r"0\.2 s"):
            next(pass_on)


def test_a_stream_that_never_begins_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    with pytest.raises(NoSupervisor):
        next(ApiClient(f"http://127.0.0.1:{port}", "t").stream())


def test_without_a_supervisor_the_words_tell_how_to_start_one(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with pytest.raises(
        NoSupervisor, match=r"no supervisor runs for .*ennio.yaml; start it with: ennio start"
    ) as caught:
        find(tmp_path / "ennio.yaml", home, lambda: None)
    assert caught.value.exit_code == 4
    run_dir = private(home.run(tmp_path / "ennio.yaml"))
    address.write(
        run_dir,
        address.SupervisorAddress(1, "http://127.0.0.1:1", "2026-01-01T00:00:00+00:00", "x"),
    )
    with pytest.raises(NoSupervisor):
        find(tmp_path / "ennio.yaml", home, lambda: None)


def test_a_token_is_made_once_kept_private_and_removed_when_one_is_configured(
    tmp_path: Path,
) -> None:
    made = address.token(tmp_path, None)
    path = tmp_path / "api_token"
    assert address.token(tmp_path, None) == made == address.known_token(tmp_path)
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o644)
    assert address.known_token(tmp_path) == made
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_text("")
    assert address.token(tmp_path, None) not in ("", made)
    assert address.token(tmp_path, "configured") == "configured"
    assert address.known_token(tmp_path) is None


@pytest.mark.parametrize("text", ["", "[]", "{", '{"pid": "x"}', '{"pid": 1}'])
def test_an_address_that_cannot_be_read_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "supervisor.json").write_text(text)
    assert address.read(tmp_path) is None


def test_who_holds_the_lock_is_running(tmp_path: Path) -> None:
    assert not address.locked(tmp_path)
    hold = (
        "import sys, pathlib; from ennio.http import address; "
        "address.take(pathlib.Path(sys.argv[1])); print(flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", hold, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    )
    assert holder.stdout is not None
    holder.stdout.readline()
    assert address.locked(tmp_path)
    assert address.take(tmp_path) is None
    holder.kill()
    holder.wait()
    holder.stdout.close()
    assert not address.locked(tmp_path)


def test_loading_the_client_loads_nothing_heavy() -> None:
    words = "import sys, ennio.http.client; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", words],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        timeout=30,
    )
    assert not {"falcon", "gevent", "http.client", "pykka", "ssl", "yaml"} & set(
        loaded.stdout.split()
    )


@contextmanager
def serving(app: Callable[..., Any], said: list[str]) -> Iterator[str]:
    """The app behind a real socket; its base URL. Notes the status of every answer."""

    def noted(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        def start(status: str, *rest: Any) -> Any:
            said.append(status)
            return start_response(status, *rest)

        return app(environ, start)

    class Silent(WSGIRequestHandler):
        def log_message(self, *_words: object) -> None:
            pass

    with make_server("127.0.0.1", 0, noted, handler_class=Silent) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_who_polls_is_sent_only_what_is_different(
    orchestrator: SmallOrchestrator, session_id: str
) -> None:
    said: list[str] = []
    with serving(create_app(orchestrator, TOKEN), said) as url:
        known: Tagged = {}

        def ask() -> Any:
            return ApiClient(url, TOKEN, known=known).get("/sessions", all=True)

        first = ask()
        assert [one["id"] for one in first] == [session_id]
        assert ask() == first
        store = orchestrator.store
        store.sessions.save(replace(store.sessions.need(session_id), reason="it works"))
        assert [ask()[0]["reason"], ask()[0]["reason"]] == ["it works", "it works"]
        client = ApiClient(url, TOKEN, known=known)
        assert client.get("/sessions", project_id="my-app") == client.get("/sessions"), (
            "each question has its own answer"
        )
        client.get("/status")
        client.get("/status")
    codes = [one.partition(" ")[0] for one in said]
    assert codes == ["200", "304", "200", "304", "200", "200", "200", "200"]
    assert all(tag.startswith('"') for tag, _ in known.values())


def test_of_answers_with_a_tag_only_the_last_are_kept(
    orchestrator: SmallOrchestrator, session_id: str
) -> None:
    known: Tagged = {}
    with serving(create_app(orchestrator, TOKEN), []) as url:
        for limit in range(1, 40):
            ApiClient(url, TOKEN, known=known).page("/events", limit=limit)
    assert len(known) == 16
    assert next(reversed(known)).endswith("limit=39")
