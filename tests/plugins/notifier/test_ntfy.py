"""ntfy: its limits, its access control, and older servers."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ennio.model.errors import ConfigError, Refused, Unreachable
from ennio.model.session import Priority
from ennio.plugins.notifier.interface import NotificationAction, NotificationAnswer
from ennio.plugins.notifier.ntfy import message, sequence_of
from tests.contract.notifier_bench import SECRET, made
from tests.contract.test_notifier import NOTICE
from tests.notices.hook_server import HookServer, Reply
from tests.notices.ntfy import Ntfy


def _to(server: HookServer, folder: Path, **more: Any) -> Any:
    settings = {"url": server.url, "topic": SECRET, "timeout": "500ms", **more}
    return made("ntfy", settings, folder)


def test_a_priority_is_one_of_ntfys_and_a_sign(tmp_path: Path) -> None:
    found = [message(replace(NOTICE, priority=one), "t") for one in Priority]
    assert [one["priority"] for one in found] == [2, 3, 4, 5]
    assert len({one["tags"][0] for one in found}) == 4


def test_it_never_becomes_a_file_and_has_three_buttons_at_most(tmp_path: Path) -> None:
    with Ntfy(SECRET) as server:
        many = tuple(NotificationAction(f"b{n}", "open", f"https://x/{n}") for n in range(9))
        for words in ("é" * 9000, "\U0001f600" * 4000, "x" * 4097):
            _to(server, tmp_path).notify(replace(NOTICE, message=words, actions=many))
        assert server.faults == []
        (shown,) = server.shown.values()
        assert len(shown["actions"]) == 3
        assert shown["click"] == "https://x/0"


def test_the_same_notice_is_one_on_the_phone_and_another_is_another(tmp_path: Path) -> None:
    with Ntfy(SECRET) as server:
        channel = _to(server, tmp_path)
        for one in (NOTICE, NOTICE, replace(NOTICE, id="n-2")):
            channel.notify(one)
        assert set(server.shown) == {"n-1", "n-2"}
        assert [one.headers["x-sequence-id"] for one in server.posts()] == ["n-1", "n-1", "n-2"]
    assert sequence_of("a b/c") == "a-b-c"


def test_answers_are_buttons_that_the_phone_presses_by_itself_and_come_first(
    tmp_path: Path,
) -> None:
    answers = tuple(NotificationAnswer(f"way {n}", "https://x/a", f"link{n}") for n in range(2))
    view = NotificationAction("Open", "open", "https://x/s/ma-1")
    with Ntfy(SECRET, "tk_right") as server:
        channel = _to(server, tmp_path, token="tk_right")
        assert channel.takes_answers
        channel.notify(replace(NOTICE, actions=(view, view), answers=answers))
        assert server.faults == []
        (shown,) = server.shown.values()
        first, _, last = shown["actions"]
        assert first["label"] == "way 0"
        assert (first["action"], first["method"], first["url"]) == ("http", "POST", "https://x/a")
        assert json.loads(first["body"]) == {"link": "link0"}
        assert first["headers"] == {"Content-Type": "application/json"}
        assert (last["action"], shown["click"]) == ("view", "https://x/s/ma-1")
    assert "link0" not in repr(answers)


def test_a_topic_that_anybody_reads_takes_no_answers(tmp_path: Path) -> None:
    with Ntfy(SECRET) as server:
        assert not _to(server, tmp_path).takes_answers


def test_a_topic_that_wants_a_token_says_so(tmp_path: Path) -> None:
    with Ntfy(SECRET, "tk_right") as server:
        for channel in (_to(server, tmp_path), _to(server, tmp_path, token="tk_wrong")):
            with pytest.raises(Refused, match="set its access token"):
                channel.notify(NOTICE)
            with pytest.raises(Refused, match="set its access token") as raised:
                channel.probe()
            assert SECRET not in str(raised.value)
        assert "lets us use the topic" in _to(server, tmp_path, token="tk_right").probe()


def test_a_server_too_old_to_delete_is_fine(tmp_path: Path) -> None:
    with HookServer() as server:
        for status in (404, 405, 400):
            server.otherwise = Reply(status)
            _to(server, tmp_path).withdraw(NOTICE, "n-1")
        server.otherwise = Reply(503)
        with pytest.raises(Unreachable):
            _to(server, tmp_path).withdraw(NOTICE, "n-1")


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"success":"yes"}', b"<html>"])
def test_a_server_that_is_no_ntfy_is_not_taken_for_one(tmp_path: Path, body: bytes) -> None:
    with HookServer() as server:
        server.otherwise = Reply(200, body)
        with pytest.raises(Refused, match="not as ntfy does"):
            _to(server, tmp_path).probe()


@pytest.mark.parametrize("topic", ["", "a b", "a/b", "x" * 65, "../up"])
def test_a_topic_that_is_none_is_told_without_showing_it(tmp_path: Path, topic: str) -> None:
    with pytest.raises(ConfigError) as raised:
        made("ntfy", {"topic": topic}, tmp_path)
    assert "config.topic" in str(raised.value)
    assert not topic or f"`{topic}`" not in str(raised.value)
