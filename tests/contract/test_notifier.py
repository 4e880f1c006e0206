"""What every channel to people promises, held against all that are shipped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ennio.model.clock import ManualClock
from ennio.model.errors import EnnioError, Unreachable
from ennio.model.session import Priority
from ennio.plugins.notifier.interface import Notification, NotificationAction
from ennio.plugins.registry import installed
from tests.contract.notifier_bench import BENCHES, SECRET, Bench

WORDS = 'Ready: $(rm -rf /) `x` "quoted" <b>&amp;</b> -- ü'
LINK = "https://ennio.example/s/s-1/pr"
NOTICE = Notification(
    "n-1",
    "merge_ready",
    Priority.ACTION,
    "s-1",
    "shop",
    WORDS,
    ManualClock().now(),
    "shop: approved and green",
    (
        NotificationAction("Open", "open", LINK),
        NotificationAction("Pull request #1", "pull_request", "https://forge.example/pull/1"),
    ),
    "approved-and-green",
)


@pytest.fixture(params=list(BENCHES))
def channel(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    """Every channel."""
    yield from BENCHES[request.param](tmp_path)


def test_every_shipped_channel_is_held_to_it() -> None:
    assert sorted(BENCHES) == sorted(installed("notifier"))


def test_it_goes_by_the_name_it_was_given(channel: Bench) -> None:
    assert channel.notifier.name == "team"


def test_title_words_and_link_arrive_unchanged(channel: Bench) -> None:
    channel.notifier.notify(NOTICE)
    (text,) = channel.texts()
    for part in ("shop: approved and green", WORDS, LINK):
        assert part in text


def test_what_is_told_arrives_in_order_and_whatever_its_priority(channel: Bench) -> None:
    for number, priority in enumerate(Priority):
        told = replace(NOTICE, id=f"n-{number}", priority=priority, message=f"number {number}")
        channel.notifier.notify(told)
    told = channel.texts()
    assert [f"number {n}" in text for n, text in enumerate(told)] == [True] * len(Priority)


@pytest.mark.parametrize(
    "words", ["half \ud83d a pair", "a\x1b[31m\x07 bell", "\n\n", "x" * 50_000]
)
def test_no_words_of_an_agent_are_too_odd_for_it(channel: Bench, words: str) -> None:
    channel.notifier.notify(replace(NOTICE, message=words))
    assert len(channel.texts()) == 1


def test_a_notice_without_title_and_links_is_told_all_the_same(channel: Bench) -> None:
    bare = Notification("n-2", "e", Priority.INFO, "s-1", "shop", "just words", NOTICE.timestamp)
    channel.notifier.notify(bare)
    assert "just words" in channel.texts()[0]


def test_nobody_there_is_unreachable_and_it_is_told_afterwards(channel: Bench) -> None:
    channel.down()
    with pytest.raises(Unreachable) as raised:
        channel.notifier.notify(NOTICE)
    assert SECRET not in str(raised.value)
    channel.up()
    channel.notifier.notify(NOTICE)
    assert len(channel.texts()) == 1


def test_what_is_told_again_after_doubt_is_there_once_where_the_channel_can(channel: Bench) -> None:
    channel.notifier.notify(NOTICE)
    channel.notifier.notify(NOTICE)
    assert channel.shown() == (1 if channel.once else 2)


def test_what_is_withdrawn_is_gone_where_the_channel_can_and_twice_is_fine(channel: Bench) -> None:
    receipt = channel.notifier.notify(NOTICE)
    if not hasattr(channel.notifier, "withdraw"):
        assert not channel.takes_back
        return
    for _ in range(2):
        channel.notifier.withdraw(NOTICE, receipt)
    channel.notifier.withdraw(replace(NOTICE, id="never told"), None)
    assert channel.shown() == (0 if channel.takes_back else 1)


def test_to_probe_it_tells_nobody_anything(channel: Bench) -> None:
    assert channel.notifier.probe()
    assert channel.texts() == []


def test_a_probe_of_what_is_down_says_so_or_that_it_does_not_know(channel: Bench) -> None:
    channel.down()
    try:
        words = channel.notifier.probe()
    except EnnioError as error:
        words = str(error)
    assert words
    assert SECRET not in words


def test_nothing_of_a_secret_address_is_in_its_repr(channel: Bench) -> None:
    parts = [
        value for value in vars(channel.notifier).values() if "Settings" in type(value).__name__
    ]
    assert SECRET not in repr(parts)
