"""An agent's terminal over a WebSocket: seen as it changes, typed into, cut and found again."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from http.client import HTTPConnection

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from ennio.http import client as http
from ennio.machine.home import Home
from ennio.model.errors import Conflict
from tests.conftest import eventually
from tests.e2e.house import Supervised
from tests.terminal.watching import PROTOCOL, address, control, token, typing, watching


def closing(one: ClientConnection) -> int:
    """The code with which the server closes it, whatever it says before that."""
    try:
        while True:
            one.recv(30)
    except ConnectionClosed as closed:
        assert closed.rcvd is not None, "it was cut without a word"  # noqa: PT017
        return closed.rcvd.code


def test_a_screen_appears_then_what_is_typed_and_what_it_does(
    house: Supervised, session: str
) -> None:
    with watching(house, session) as one:
        one.sees("$")
        state = one.hears("state")
        assert (state["cols"], state["rows"], state["alive"]) == (200, 50, True)
        assert state["control"] is None
        one.say("control", control=control(house, session))
        assert one.hears("state")["control"]["holder"] == "Lena"
        one.say("key", data="echo $((6*7))\r", id=1)
        one.hears("typed", id=1)
        one.sees("42")
        one.say("control", give=True)
        assert one.hears("state", control=None)
    told = [(event["event_type"], event["data"]) for event in house.events(session_id=session)]
    taken = next(data for kind, data in told if kind == "control_taken")
    assert (taken["who"], taken["from"]) == ("Lena", "127.0.0.1")
    assert [kind for kind, _ in told if kind.startswith("control")] == [
        "control_taken",
        "control_returned",
    ]


def test_who_has_no_control_types_nothing_and_gives_it_no_size(
    house: Supervised, session: str
) -> None:
    with watching(house, session) as one:
        one.sees("$")
        one.say("key", data="echo pwned\r", id=7)
        assert "read only" in one.hears("refused", id=7)["error"]
        one.say("paste", data="echo pwned", id=8)
        one.hears("refused", id=8)
        one.say("size", cols=60, rows=20)
        one.hears("refused")
    assert "pwned" not in house.client.get(f"/sessions/{session}/output")


def test_a_cut_connection_goes_on_without_a_gap(house: Supervised, session: str) -> None:
    with typing(house, session) as other:
        with watching(house, session) as one:
            one.sees("$")
            stream, offset = one.stream, one.offset
        other.say("key", data="echo while-away; echo $((50+5))\r")
        other.sees("55")
        with watching(house, session, stream=stream, offset=offset) as again:
            again.sees("55")
            assert again.pictures == 0, "only what is missing was sent"
            assert b"while-away" in again.shown
        with watching(house, session, stream="other", offset=3) as third:
            third.sees("55")
            assert third.pictures == 1


def test_control_is_one_persons_until_they_give_it_or_let_it_be_taken(
    house: Supervised, session: str
) -> None:
    with typing(house, session) as lena, watching(house, session) as omar:
        with pytest.raises(Conflict, match="Lena has control"):
            control(house, session, "Omar")
        lena.until(
            lambda: (lena.state.get("control") or {}).get("asked_by") == "Omar", "it is asked for"
        )
        lena.say("control", keep=True)
        lena.until(lambda: (lena.state.get("control") or {}).get("asked_by") is None, "it is kept")
        omar.until(
            lambda: (omar.state.get("control") or {}).get("holder") == "Lena",
            "Omar sees who has it",
        )
        assert not omar.state["control"]["mine"]
        assert omar.state["viewers"] == 2
        lena.say("control", give=True)
        omar.until(lambda: omar.state.get("control") is None, "it is given back")
        omar.say("control", control=control(house, session, "Omar"))
        omar.until(lambda: (omar.state.get("control") or {}).get("mine"), "Omar has it")
    eventually(lambda: _returned(house, session) == 2, 30, "whoever leaves gives it back")


def _returned(house: Supervised, session: str) -> int:
    return len(house.events(session_id=session, type="control_returned"))


def test_only_who_has_control_gives_a_terminal_its_size_and_all_see_it(
    house: Supervised, session: str
) -> None:
    with typing(house, session) as lena, watching(house, session) as omar:
        omar.sees("$")
        lena.say("size", cols=100, rows=30)
        lena.say("key", data="sleep 0.6; stty size\r")
        lena.sees("30 100")
        omar.hears("state", cols=100, rows=30)
        omar.sees("30 100")
        lena.say("size", cols=9, rows=9999)
        lena.hears("state", cols=40, rows=200)


def test_a_screen_is_shown_as_runs_of_letters_that_look_alike(
    house: Supervised, session: str
) -> None:
    with typing(house, session) as lena, watching(house, session, mode="screen") as phone:
        lines: dict[str, list[dict[str, object]]] = {}

        def shown() -> list[dict[str, object]]:
            for told in phone.told:
                if told["type"] == "screen":
                    lines.update(told["lines"])
            return [run for runs in lines.values() for run in runs]

        phone.until(shown, "something is shown")
        lena.say("key", data=r"printf '\033[1;31mred\033[0m plain\n'" + "\r")
        red = {"t": "red", "f": 1, "s": "b"}
        phone.until(lambda: red in shown(), "red letters are shown")
    shot = house.client.get(f"/sessions/{session}/screen", history=100)
    assert red in [run for runs in shot["lines"] for run in runs]
    assert (shot["columns"], shot["rows"]) == (200, 50)


def test_a_flood_is_bounded_and_hurts_nobody(house: Supervised) -> None:
    session = house.spawn("echo begun", project="process")
    house.becomes(session, "working", within=60)
    with (
        typing(house, session) as lena,
        watching(house, session) as omar,
        watching(house, session, acks=False) as lazy,
    ):
        lazy.sees("$")
        lazy.say("ack", offset=lazy.offset)  # of the first picture; who takes none is let go
        lena.say("key", data="yes $(seq 1 60)\r")
        lazy.until(lambda: any(told["type"] == "skip" for told in lazy.told), "it begins anew", 60)
        begun = time.monotonic()
        house.client.get("/sessions")
        assert time.monotonic() - begun < 5, "who asks something else is answered meanwhile"
        lena.say("key", data="\x03")
        lena.say("key", data="echo still $((20+3))\r")
        lena.sees("still 23", 60)
        omar.sees("still 23", 60)
    house.client.delete(f"/sessions/{session}")


def test_a_killed_session_keeps_its_last_screen(house: Supervised, session: str) -> None:
    with typing(house, session) as lena:
        lena.say("key", data="echo last-$((40+2))\r")
        lena.sees("last-42")
        house.client.delete(f"/sessions/{session}")
        end = lena.hears("end")
        assert "agent has ended" not in end["reason"], "nobody starts it again"
        assert b"last-42" in lena.shown.rpartition(b"\x1b[2J")[2]
        assert b"[exited]" not in lena.shown


def test_a_session_that_is_over_says_so_and_its_screen_stays(
    house: Supervised, session: str
) -> None:
    with typing(house, session) as lena:
        lena.say("key", data="echo last words; exit 3\r")
        end = lena.hears("end")
        assert end["status"] in ("exited", "working"), "it may be heard of before it is seen"
        assert b"last words" in lena.shown
        assert closing(lena.socket) == 1000
    house.becomes(session, "exited", within=60)
    with watching(house, session) as late:
        late.sees("last words")
        end = late.hears("end")
        assert "is over" not in end["reason"], "it can be restored"


# --- who speaks something else --------------------------------------------------------------------


@pytest.fixture(scope="module")
def shell(house: Supervised) -> str:
    session_id = house.spawn("echo begun", project="tmux")
    house.becomes(session_id, "working", within=60)
    return session_id


@pytest.mark.parametrize(
    ("rubbish", "code"),
    [
        ("no JSON", 1008),
        ("[]", 1008),
        ('{"type": "hello", "mode": "loud"}', 1008),
        ('{"type": "key", "data": "x"}', 1008),
        (b"\x00\xff", 1008),
        ("x" * 70_000, 1009),
    ],
)
def test_who_speaks_rubbish_is_let_go_with_a_code(
    house: Supervised, shell: str, rubbish: str | bytes, code: int
) -> None:
    with connect(**address(house, shell)) as one:
        one.send(rubbish)
        assert closing(one) == code


def test_however_many_look_tmux_has_one_client_more(house: Supervised, shell: str) -> None:
    with contextlib.ExitStack() as all_of_them:
        for _ in range(8):
            all_of_them.enter_context(watching(house, shell)).sees("$")
        with pytest.raises(InvalidStatus) as full:
            connect(**address(house, shell))
        assert full.value.response.status_code == 503
        told = house.ground.tmux("list-clients", "-F", "#{client_flags} #{client_session}").stdout
        readers = [line for line in told.splitlines() if "read-only" in line]
        assert [line.split()[-1] for line in readers].count(shell) == 1


def test_who_floods_is_let_go_and_nobody_else_is(house: Supervised, shell: str) -> None:
    with watching(house, shell) as good, connect(**address(house, shell)) as bad:
        good.sees("$")
        bad.send('{"type": "hello"}')

        def flood() -> None:
            with contextlib.suppress(ConnectionClosed):
                for _ in range(50_000):
                    bad.send('{"type": "hold", "on": false}')

        flooding = threading.Thread(target=flood)
        flooding.start()
        assert closing(bad) == 1008
        flooding.join(30)
        good.say("key", data="x", id=1)
        good.hears("refused", id=1)


def test_who_never_reads_holds_up_nobody(house: Supervised, shell: str) -> None:
    head = (
        f"GET /api/v1/sessions/{shell}/terminal HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: Bearer {token(house)}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Protocol: {PROTOCOL}\r\n\r\n"
    )
    port = int(house.client.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), 10) as deaf:
        deaf.sendall(head.encode())
        words = b'{"type":"hello"}'
        deaf.sendall(bytes([0x81, 0x80 | len(words), 0, 0, 0, 0]) + words)
        with typing(house, shell) as lena:
            lena.say("key", data="yes $(seq 1 60)\r")
            lena.until(lambda: len(lena.shown) > 1 << 16, "much is shown", 60)
            lena.say("key", data="\x03")
            lena.say("key", data="echo on $((20+4))\r")
            lena.sees("on 24", 60)


# --- who may not ----------------------------------------------------------------------------------


def test_a_foreign_page_opens_no_terminal_whatever_cookie_it_has(
    house: Supervised, shell: str
) -> None:
    url = house.client.url
    cookie = _cookie(house)
    for origin in ("http://evil.example", None, "null", "http://localhost:1"):
        headers = {"Cookie": cookie} | ({} if origin is None else {"Origin": origin})
        with pytest.raises(InvalidStatus) as refused:
            connect(**address(house, shell, additional_headers=headers))
        assert refused.value.response.status_code == 403, origin
    with connect(**address(house, shell, additional_headers={"Cookie": cookie, "Origin": url})):
        pass


def _cookie(house: Supervised) -> str:
    code = house.client.post("/auth/code")["code"]
    connection = HTTPConnection("127.0.0.1", int(house.client.url.rpartition(":")[2]), timeout=30)
    connection.request("GET", f"/auth?code={code}")
    cookie = connection.getresponse().headers["Set-Cookie"].partition(";")[0]
    connection.close()
    return str(cookie)


def test_no_other_token_opens_a_terminal(house: Supervised, shell: str) -> None:
    hook = json.loads((house.ground.home / "sessions" / shell / "bell.json").read_text())["token"]
    for given in ("", "Bearer wrong", f"Bearer {hook}"):
        headers = {"Authorization": given} if given else {}
        with pytest.raises(InvalidStatus) as refused:
            connect(**address(house, shell, additional_headers=headers))
        assert refused.value.response.status_code == 401


def test_a_plain_request_is_told_to_ask_for_an_upgrade_and_an_unknown_session_is_not_found(
    house: Supervised, shell: str
) -> None:
    with pytest.raises(Exception, match="WebSocket") as plain:
        house.client.get(f"/sessions/{shell}/terminal")
    assert "426" in str(plain.value) or "upgrade" in str(plain.value)
    with pytest.raises(InvalidStatus) as unknown:
        connect(**address(house, "tm-nobody"))
    assert unknown.value.response.status_code == 404


# --- the last one: it ends the supervisor ---------------------------------------------------------


def test_a_stop_of_the_supervisor_says_so_to_all_who_watch(house: Supervised, shell: str) -> None:
    with watching(house, shell) as one:
        one.sees("$")
        house.stop()
        assert closing(one.socket) == 1012
    house.start()
    assert http.find(house.ground.config, Home(house.ground.home), lambda: None)
    with watching(house, shell) as again:
        again.sees("$")
    log = house.log.read_text()
    assert "Traceback" not in log, log[-3000:]
