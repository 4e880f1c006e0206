"""The webhook: its body, its signature, and every way in which a server can misbehave."""

from __future__ import annotations

import hashlib
import hmac
import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ennio.model.clock import ManualClock, rfc3339
from ennio.model.errors import ConfigError, Refused, TimedOut, Unreachable
from tests.contract.notifier_bench import SECRET, made
from tests.contract.test_notifier import NOTICE
from tests.notices.hook_server import HookServer, Reply

NOW = ManualClock().now()


@pytest.fixture
def server() -> Iterator[HookServer]:
    with HookServer() as server:
        yield server


def _to(server: HookServer, folder: Path, **more: Any) -> Any:
    settings = {"url": f"{server.url}/{SECRET}", "timeout": "500ms"}
    return made("webhook", settings | more, folder)


def test_the_body_is_the_documented_one_with_ours_beside_it(
    server: HookServer, tmp_path: Path
) -> None:
    _to(server, tmp_path).notify(NOTICE)
    (told,) = server.told
    documented = {
        "event_type": "merge_ready",
        "priority": "action",
        "session_id": "s-1",
        "project_id": "shop",
        "message": NOTICE.message,
        "timestamp": rfc3339(NOW),
        "actions": [
            {"label": one.label, "action": one.action, "url": one.url} for one in NOTICE.actions
        ],
    }
    ours = {
        "id": "n-1",
        "title": NOTICE.title,
        "url": NOTICE.url,
        "reaction": "approved-and-green",
    }
    assert told.body == documented | ours
    assert (told.method, told.path) == ("POST", f"/{SECRET}")
    assert told.headers["content-type"] == "application/json"
    assert told.headers["x-ennio-delivery"] == "n-1"
    assert told.headers["x-ennio-event"] == "merge_ready"
    assert "x-ennio-signature" not in told.headers


def test_the_signature_is_one_that_a_receiver_can_make_from_what_it_gets(
    server: HookServer, tmp_path: Path
) -> None:
    _to(server, tmp_path, secret="word").notify(NOTICE)
    (told,) = server.told
    signed = f"{told.headers['x-ennio-timestamp']}.".encode() + told.raw
    expected = hmac.new(b"word", signed, hashlib.sha256).hexdigest()
    assert told.headers["x-ennio-signature"] == f"sha256={expected}"
    assert told.headers["x-ennio-timestamp"] == str(int(NOW.timestamp()))


def test_a_cause_that_is_gone_is_told_only_to_who_wants_to_know(
    server: HookServer, tmp_path: Path
) -> None:
    _to(server, tmp_path).withdraw(NOTICE, None)
    assert server.told == []
    _to(server, tmp_path, resolved=True).withdraw(NOTICE, None)
    (told,) = server.told
    assert (told.body["event_type"], told.body["id"]) == ("notification_resolved", "n-1")
    assert told.headers["x-ennio-delivery"] == "n-1-resolved"


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 599])
def test_a_server_in_trouble_is_tried_again(
    server: HookServer, tmp_path: Path, status: int
) -> None:
    server.otherwise = Reply(status, b"<html>sorry</html>")
    with pytest.raises(Unreachable) as raised:
        _to(server, tmp_path).notify(NOTICE)
    assert str(raised.value) == f"127.0.0.1 answered {status}"
    assert raised.value.until is None


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 410, 413, 422])
def test_a_server_that_does_not_want_it_is_not_asked_again(
    server: HookServer, tmp_path: Path, status: int
) -> None:
    server.otherwise = Reply(status, SECRET.encode())
    with pytest.raises(Refused) as raised:
        _to(server, tmp_path).notify(NOTICE)
    assert str(raised.value) == f"127.0.0.1 refused it ({status})"


def test_a_redirect_is_not_followed_and_says_so(server: HookServer, tmp_path: Path) -> None:
    server.otherwise = Reply(307, headers={"Location": f"{server.url}/elsewhere"})
    with pytest.raises(Refused, match="a redirect, which is not followed"):
        _to(server, tmp_path).notify(NOTICE)
    assert len(server.told) == 1


@pytest.mark.parametrize(
    ("header", "pause"),
    [
        ("7", timedelta(seconds=7)),
        ("0", timedelta(0)),
        ("999999999999999999999", timedelta(days=1)),
        ("Mon, 01 Jan 2001 00:00:00 GMT", timedelta(0)),
        ("Fri, 31 Dec 2199 23:59:59 GMT", timedelta(days=1)),
        ("soon", None),
        ("-3", None),
        ("", None),
    ],
)
def test_the_pause_a_server_asks_for_is_kept_up_to_a_day(
    server: HookServer, tmp_path: Path, header: str, pause: timedelta | None
) -> None:
    server.otherwise = Reply(429, headers={"Retry-After": header})
    with pytest.raises(Unreachable) as raised:
        _to(server, tmp_path).notify(NOTICE)
    assert raised.value.until == (None if pause is None else NOW + pause)


def test_a_server_that_says_nothing_is_left_after_its_time(
    server: HookServer, tmp_path: Path
) -> None:
    server.otherwise = Reply(silent=True)
    with pytest.raises(TimedOut) as raised:
        _to(server, tmp_path).notify(NOTICE)
    assert SECRET not in str(raised.value)


def test_a_server_that_never_comes_to_an_end_is_left_too(
    server: HookServer, tmp_path: Path
) -> None:
    server.otherwise = Reply(drip=True, promised=1_000_000)
    with pytest.raises(TimedOut):
        _to(server, tmp_path).notify(NOTICE)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(hang_up=True),
        Reply(200, b"half", promised=400),
        Reply(garbage=b"\x00\xff\xfe nonsense\r\n\r\n"),
        Reply(garbage=b"HTTP/1.1 2000 OK\r\n\r\n"),
    ],
    ids=["hangs up", "half an answer", "garbage", "no status"],
)
def test_half_an_answer_and_garbage_are_no_answer_and_show_no_address(
    server: HookServer, tmp_path: Path, reply: Reply
) -> None:
    server.otherwise = reply
    with pytest.raises(Unreachable) as raised:
        _to(server, tmp_path).notify(NOTICE)
    assert SECRET not in str(raised.value)


def test_an_answer_that_is_no_json_is_fine_when_its_status_is(
    server: HookServer, tmp_path: Path
) -> None:
    server.otherwise = Reply(204)
    _to(server, tmp_path).notify(NOTICE)
    server.otherwise = Reply(202, b"\xff\xfe<html>")
    _to(server, tmp_path).notify(NOTICE)


def test_nobody_at_the_address_shows_no_address(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/{SECRET}"
        with pytest.raises(Unreachable) as raised:
            made("webhook", {"url": url}, tmp_path).notify(NOTICE)
    assert SECRET not in str(raised.value)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "config.url: is missing: write https://hooks.example.com/ennio"),
        ({"url": f"ftp://a/{SECRET}"}, "config.url: the value is no address"),
        ({"url": f"https://me:{SECRET}@a/"}, "config.url: the value has a name or password"),
        ({"url": f"https://a/{SECRET} b"}, "config.url: the value is no address"),
        ({"url": "https://a/", "secert": "x"}, "did you mean `secret`?"),
        ({"url": "https://a/", "timeout": "0s"}, "config.timeout"),
    ],
)
def test_what_is_wrong_with_its_settings_is_said_and_shows_no_secret(
    tmp_path: Path, settings: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigError) as raised:
        made("webhook", settings, tmp_path)
    assert words in str(raised.value)
    assert SECRET not in str(raised.value)
