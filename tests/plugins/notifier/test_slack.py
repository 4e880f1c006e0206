"""Slack: its limits, its errors, and what it must not be taken for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ennio.model.errors import Refused, Unreachable
from ennio.model.session import Priority
from ennio.plugins.notifier.interface import Notification, NotificationAction, Notifier
from ennio.plugins.notifier.slack import escaped, payload
from tests.contract.notifier_bench import SECRET, made
from tests.contract.test_notifier import NOTICE
from tests.notices import slack
from tests.notices.hook_server import HookServer, Reply, Told


@pytest.fixture
def server() -> Iterator[HookServer]:
    with HookServer(judge=slack.judge) as server:
        yield server


def _to(server: HookServer, folder: Path) -> Notifier:
    url = f"{server.url}/services/T0/B0/{SECRET}"
    return made("slack", {"webhook_url": url, "timeout": "500ms"}, folder)


def _told(notification: Notification) -> Told:
    from ennio.plugins.notifier.wording import encoded

    return Told("POST", "/", {}, encoded(payload(notification)))


@pytest.mark.parametrize(
    "odd",
    [
        replace(NOTICE, message="&" * 9000),
        replace(NOTICE, message="<" * 3000 + "é" * 3000),
        replace(NOTICE, message=""),
        replace(NOTICE, title="t" * 500),
        replace(NOTICE, title="", session_id="", project_id="", actions=()),
        replace(
            NOTICE, actions=(NotificationAction("l" * 200, "open", "https://x/" + "a" * 2900),)
        ),
        replace(NOTICE, actions=(NotificationAction("open", "open", "https://x/" + "a" * 9000),)),
        replace(NOTICE, actions=NOTICE.actions * 20),
    ],
    ids=["signs", "letters", "no words", "title", "bare", "label", "address", "buttons"],
)
def test_every_message_is_within_slacks_limits(odd: Notification) -> None:
    assert slack.judge(_told(odd)) is None


def test_slacks_library_notices_what_is_beyond_its_limits() -> None:
    body = payload(NOTICE)
    body["blocks"][0]["text"]["text"] = "x" * 151
    assert slack.judge(Told("POST", "/", {}, b'{"text": ""}')) == "no_text"
    from ennio.plugins.notifier.wording import encoded

    assert slack.judge(Told("POST", "/", {}, encoded(body))) == "invalid_blocks"
    body = payload(NOTICE)
    body["blocks"][1]["text"]["text"] = "x" * 3001
    assert slack.judge(Told("POST", "/", {}, encoded(body))) == "invalid_blocks"


def test_words_are_no_markup_and_call_nobody(server: HookServer, tmp_path: Path) -> None:
    _to(server, tmp_path).notify(replace(NOTICE, message="<!channel> & <@U1> <https://a|b>"))
    (told,) = server.told
    text = told.body["blocks"][1]["text"]["text"]
    assert text == "&lt;!channel&gt; &amp; &lt;@U1&gt; &lt;https://a|b&gt;"
    assert "<!channel>" not in told.raw.decode()


def test_what_is_cut_is_cut_between_its_signs() -> None:
    assert escaped("a&b", 100) == "a&amp;b"
    assert escaped("aa&b", 7) == "aa…"
    assert len(escaped("&" * 100, 50)) <= 50


def test_a_button_leads_to_the_session_and_a_sign_says_how_grave_it_is() -> None:
    body = payload(replace(NOTICE, priority=Priority.CRITICAL))
    (buttons,) = [one["elements"] for one in body["blocks"] if one["type"] == "actions"]
    assert [(one["text"]["text"], one["url"]) for one in buttons] == [
        (one.label, one.url) for one in NOTICE.actions
    ]
    signs = {payload(replace(NOTICE, priority=one))["text"][0] for one in Priority}
    assert len(signs) == len(Priority)


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(404, b"no_service"), "(404 no_service)"),
        (Reply(403, b"action_prohibited"), "(403 action_prohibited)"),
        (Reply(410, b"channel_is_archived"), "(410 channel_is_archived)"),
        (Reply(400, b"invalid_blocks"), "(400 invalid_blocks)"),
        (Reply(403, f"<html>{SECRET}".encode()), "(403)"),
    ],
)
def test_what_slack_refuses_says_its_word_and_the_way_out(
    server: HookServer, tmp_path: Path, reply: Reply, words: str
) -> None:
    server.otherwise = reply
    with pytest.raises(Refused) as raised:
        _to(server, tmp_path).notify(NOTICE)
    assert words in str(raised.value)
    assert "make a new incoming webhook" in str(raised.value)
    assert SECRET not in str(raised.value)
    if reply.status != 400:
        with pytest.raises(Refused, match="make a new incoming webhook"):
            _to(server, tmp_path).probe()


@pytest.mark.parametrize("reply", [Reply(429, headers={"Retry-After": "30"}), Reply(500)])
def test_what_slack_cannot_just_now_is_tried_again(
    server: HookServer, tmp_path: Path, reply: Reply
) -> None:
    server.otherwise = reply
    for ask in (lambda: _to(server, tmp_path).notify(NOTICE), _to(server, tmp_path).probe):
        with pytest.raises(Unreachable) as raised:
            ask()
        assert (raised.value.until is not None) is (reply.status == 429)


def test_a_server_that_is_no_slack_is_not_taken_for_one(server: HookServer, tmp_path: Path) -> None:
    server.otherwise = Reply(200, b"<html>")
    with pytest.raises(Refused, match="answers, but not as Slack does"):
        _to(server, tmp_path).probe()
