"""What every notifier promises, held against the stub."""

from __future__ import annotations

import pytest

from ennio.model.clock import ManualClock
from ennio.model.errors import Unreachable
from ennio.model.session import Priority
from ennio.plugins.notifier.interface import Notification
from ennio.plugins.notifier.stub import StubNotifier

NOTICE = Notification(
    "n-1",
    "merge_ready",
    Priority.ACTION,
    "s-1",
    "shop",
    'Ready: $(rm -rf /) `x` "quoted"\nü',
    ManualClock().now(),
)


@pytest.fixture
def notifier() -> StubNotifier:
    return StubNotifier("team")


def test_it_goes_by_the_name_it_was_given(notifier: StubNotifier) -> None:
    assert notifier.name == "team"


def test_what_is_told_arrives_unchanged_and_in_order(notifier: StubNotifier) -> None:
    notifier.notify(NOTICE)
    notifier.notify(NOTICE)
    assert notifier.sent == [NOTICE, NOTICE]


def test_trouble_is_raised_and_nothing_counts_as_sent(notifier: StubNotifier) -> None:
    notifier.trouble = Unreachable("the channel is down")
    with pytest.raises(Unreachable):
        notifier.notify(NOTICE)
    assert notifier.sent == []
    notifier.trouble = None
    notifier.notify(NOTICE)
    assert notifier.sent == [NOTICE]
