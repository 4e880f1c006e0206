"""A house over stubs for every test of the actors; patience of the delivery cut short.

The supervisor's interpreter is patched by gevent from its first line. Here nothing but
``time.sleep`` ever waits, so it alone is made cooperative, for the length of a test: the other
tests' subprocesses, sockets and threads stay as they are.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import gevent
import pytest

from ennio.hosts import message_delivery, typing_place
from tests.actors.ground import Play, Stage


@pytest.fixture(autouse=True)
def _cooperative(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", gevent.sleep)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typing_place, "PASTE_SETTLES", 0.1)
    monkeypatch.setattr(message_delivery, "ENTER_SETTLES", 0.1)
    monkeypatch.setattr(typing_place, "PAUSE", 0.005)


@pytest.fixture
def play(tmp_path: Path) -> Play:
    return Play(tmp_path)


@pytest.fixture
def stage(play: Play) -> Iterator[Stage]:
    with play.opened() as opened:
        yield opened
