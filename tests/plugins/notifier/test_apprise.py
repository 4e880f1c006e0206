"""Apprise: in a process of its own, and silent about its URL."""

from __future__ import annotations

from pathlib import Path

import pytest

from ennio.model.errors import ConfigError, Refused, TimedOut, Unreachable
from tests.contract.notifier_bench import SECRET, made
from tests.contract.test_notifier import NOTICE
from tests.notices.hook_server import HookServer, Reply

pytest.importorskip("apprise")


def test_a_url_it_does_not_know_is_refused_and_not_shown(tmp_path: Path) -> None:
    channel = made("apprise", {"url": f"nosuch://{SECRET}"}, tmp_path)
    for ask in (channel.probe, lambda: channel.notify(NOTICE)):
        with pytest.raises(Refused, match="does not understand the URL") as raised:
            ask()
        assert SECRET not in str(raised.value)


def test_what_is_not_taken_is_tried_again_and_shows_nothing(tmp_path: Path) -> None:
    with HookServer() as server:
        server.otherwise = Reply(500, SECRET.encode())
        channel = made("apprise", {"url": f"json://127.0.0.1:{server.port}/{SECRET}"}, tmp_path)
        with pytest.raises(Unreachable, match="apprise could not tell it") as raised:
            channel.notify(NOTICE)
        assert SECRET not in str(raised.value)


def test_one_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    with HookServer() as server:
        server.otherwise = Reply(silent=True)
        url = f"json://127.0.0.1:{server.port}/{SECRET}"
        with pytest.raises(TimedOut) as raised:
            made("apprise", {"url": url, "timeout": "4s"}, tmp_path).notify(NOTICE)
        assert SECRET not in str(raised.value)


def test_links_stand_below_the_words(tmp_path: Path) -> None:
    with HookServer() as server:
        made("apprise", {"url": f"json://127.0.0.1:{server.port}/"}, tmp_path).notify(NOTICE)
        (told,) = server.posts()
        assert told.body["title"] == NOTICE.title
        assert told.body["message"].endswith("Pull request #1: https://forge.example/pull/1")


@pytest.mark.parametrize("url", ["mailto:me", "://x", "a b://c", ""])
def test_a_url_that_is_none_is_said(tmp_path: Path, url: str) -> None:
    with pytest.raises(ConfigError, match=r"config\.url"):
        made("apprise", {"url": url}, tmp_path)
