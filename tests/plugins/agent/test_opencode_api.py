"""Answers to opencode's questions: by the name of the permission,
whatever the screen has marked.
"""

from __future__ import annotations

import base64
import contextlib
import json
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from ennio.config.model import AgentConfig
from ennio.machine.at_place import LOOPBACK
from ennio.machine.local import LocalMachine
from ennio.model.errors import Refused, Unreachable
from ennio.plugins.agent import opencode_api, opencode_database
from ennio.plugins.agent.interface import AgentContext
from ennio.plugins.agent.opencode import OpenCode
from ennio.plugins.agent.opencode_api import OpenCodeServer

pytestmark = pytest.mark.real

OPEN = "open"
SCREEN = "  ┃  △ Permission required\n  ┃  $ touch {}\n  ┃   Allow once   Allow always   Reject\n"


@dataclass
class Counterpart:
    """The two endpoints of opencode, over real HTTP."""

    waiting: list[dict[str, Any]] = field(default_factory=list)
    replies: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    password: str = OPEN
    port: int = 0

    def asks(self, name: str) -> None:
        about = {
            "permission": "bash",
            "patterns": [f"touch {name}"],
            "metadata": {"command": f"touch {name}"},
        }
        self.waiting.append(
            {"id": f"per_{name}", "sessionID": "ses_1", "always": ["touch *"], **about}
        )

    def served(self, method: str, path: str, body: dict[str, str]) -> tuple[int, Any]:
        if method == "GET":
            return (200, self.waiting) if path == "/permission" else (404, {})
        name = path.removeprefix("/permission/").removesuffix("/reply")
        if name not in [single["id"] for single in self.waiting]:
            return 404, {"_tag": "PermissionNotFoundError"}
        self.replies.append((name, body))
        self.waiting = [single for single in self.waiting if single["id"] != name]
        return 200, True


@pytest.fixture
def counterpart() -> Iterator[Counterpart]:
    found = Counterpart()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            expected = base64.b64encode(f"ennio:{found.password}".encode()).decode()
            if self.headers.get("Authorization") != f"Basic {expected}":
                return self.answer(401, {})
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            return self.answer(*found.served(self.command, self.path, json.loads(raw or "{}")))

        do_POST = do_GET  # noqa: N815 - the base class's name

        def answer(self, code: int, document: Any) -> None:
            body = json.dumps(document).encode()
            self.send_response(code)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
            """Nothing."""

    with ThreadingHTTPServer((LOOPBACK, 0), Handler) as server:
        found.port = int(server.server_address[1])
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield found
        server.shutdown()


@pytest.fixture
def desk(tmp_path: Path) -> AgentContext:
    return AgentContext(
        "s-1", "p", tmp_path, tmp_path, "c", AgentConfig(), home=tmp_path, machine=LocalMachine()
    )


def started(desk: AgentContext, port: int, password: str = OPEN) -> None:
    opencode_api.save(desk, OpenCodeServer(port, password))


@pytest.mark.parametrize(
    ("text", "reply"),
    [
        ("yes", "once"),
        ("1", "once"),
        ("allow always", "always"),
        ("2", "always"),
        ("no", "reject"),
        ("Reject", "reject"),
    ],
)
def test_an_answer_goes_to_the_permission_itself_and_no_key_is_pressed(
    desk: AgentContext, counterpart: Counterpart, text: str, reply: str
) -> None:
    started(desk, counterpart.port)
    counterpart.asks("x")
    assert OpenCode().reply(desk, SCREEN.format("x"), text)
    assert counterpart.replies == [("per_x", {"reply": reply})]


@pytest.mark.parametrize("text", ["perhaps", "", "7", "ye", "allow"])
def test_an_answer_that_fits_no_choice_is_refused_with_the_choices(
    desk: AgentContext, counterpart: Counterpart, text: str
) -> None:
    started(desk, counterpart.port)
    counterpart.asks("x")
    with pytest.raises(Refused, match=r"1\. Allow once; 2\. Allow always; 3\. Reject"):
        OpenCode().reply(desk, SCREEN.format("x"), text)
    assert counterpart.replies == []


def test_of_several_the_one_on_the_screen_is_answered_and_none_when_nobody_can_tell(
    desk: AgentContext, counterpart: Counterpart
) -> None:
    started(desk, counterpart.port)
    for name in ("one", "other"):
        counterpart.asks(name)
    for screen in ("", SCREEN.format("one") + SCREEN.format("other")):
        with pytest.raises(Refused, match="several"):
            OpenCode().reply(desk, screen, "yes")
    assert OpenCode().reply(desk, SCREEN.format("other"), "yes")
    assert counterpart.replies == [("per_other", {"reply": "once"})]


def test_a_question_that_is_gone_meanwhile_confirms_nothing(
    desk: AgentContext, counterpart: Counterpart, monkeypatch: pytest.MonkeyPatch
) -> None:
    started(desk, counterpart.port)
    counterpart.asks("x")
    served = counterpart.served
    monkeypatch.setattr(
        counterpart,
        "served",
        lambda method, *rest: served(method, *rest) if method == "GET" else (404, {}),
    )
    with pytest.raises(Refused, match="answered elsewhere"):
        OpenCode().reply(desk, SCREEN.format("x"), "yes")


def test_where_nothing_is_asked_or_no_api_was_switched_on_nothing_is_replied(
    desk: AgentContext, counterpart: Counterpart
) -> None:
    counterpart.asks("x")
    assert not OpenCode().reply(desk, SCREEN.format("x"), "yes")
    counterpart.waiting.clear()
    started(desk, counterpart.port)
    assert not OpenCode().reply(desk, SCREEN.format("x"), "yes")


def test_an_api_of_somebody_else_or_none_is_no_answer(
    desk: AgentContext, counterpart: Counterpart
) -> None:
    counterpart.asks("x")
    started(desk, counterpart.port, "another word")
    with pytest.raises(Unreachable, match="401"):
        OpenCode().reply(desk, SCREEN.format("x"), "yes")
    started(desk, opencode_api.server_for(desk).port)
    with pytest.raises(Unreachable, match="attach to its terminal"):
        OpenCode().reply(desk, SCREEN.format("x"), "yes")
    assert counterpart.replies == []


def test_the_password_is_in_the_environment_and_the_sessions_file_alone_and_stays_the_same(
    desk: AgentContext,
) -> None:
    agent = OpenCode()
    agent.prepare(desk)
    server = opencode_api.load_server(desk)
    assert server is not None
    assert opencode_api.path_of(desk).stat().st_mode & 0o777 == 0o600
    command = agent.launch(desk, "go")
    assert server.password not in " ".join(command.argv)
    assert str(server.port) in command.argv
    assert command.env["OPENCODE_SERVER_PASSWORD"] == server.password
    agent.prepare(desk)
    assert opencode_api.load_server(desk) == server
    assert agent.resume(desk, None).env == command.env


def test_a_start_ordered_twice_keeps_the_door_of_what_runs_and_leaves_a_strangers_port_alone(
    desk: AgentContext, counterpart: Counterpart
) -> None:
    started(desk, counterpart.port)
    assert opencode_api.server_for(desk) == OpenCodeServer(counterpart.port, OPEN)
    counterpart.password = "a stranger's"
    moved = opencode_api.server_for(desk)
    assert moved.port != counterpart.port
    assert moved.password == OPEN


def test_words_go_to_the_conversation_that_is_open_and_to_a_new_one_where_none_is(
    desk: AgentContext, counterpart: Counterpart, monkeypatch: pytest.MonkeyPatch
) -> None:
    started(desk, counterpart.port)
    asked: list[str] = []

    def served(_method: str, path: str, _body: dict[str, str]) -> tuple[int, Any]:
        asked.append(path)
        return 200, {"id": "ses_new"}

    monkeypatch.setattr(counterpart, "served", served)
    database = opencode_database.database(desk)
    database.parent.mkdir(parents=True)
    with contextlib.closing(sqlite3.connect(database)) as base:
        base.execute("CREATE TABLE session (id, directory, parent_id, time_updated)")
        base.execute("INSERT INTO session VALUES ('ses_old', ?, NULL, 1)", (str(desk.workspace),))
        base.commit()
    OpenCode().tell(desk, "  ┃  :say hello\n\n     hello\n\n  ┃\n  ┃  Build · scripted\n", "words")
    OpenCode().tell(
        desk, '  ┃\n  ┃  Ask anything… "Fix broken tests"\n  ┃\n  ┃  Build · scripted\n', "words"
    )
    assert asked == [
        "/session/ses_old/prompt_async",
        "/session",
        "/session/ses_new/prompt_async",
        "/tui/select-session",
    ]
