"""How a host is asked from elsewhere: every error comes as itself, and what
is no answer is no news.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from ennio.hosts import calls
from ennio.hosts.brief import Brief
from ennio.hosts.calls import CALLS, HostError, answered, done, packed, unpacked
from ennio.hosts.interface import Host
from ennio.hosts.news import HostNews
from ennio.hosts.reader import Reader
from ennio.machine.home import Home
from ennio.machine.local import LocalMachine
from ennio.model.clock import ManualClock
from ennio.model.errors import (
    ConfigError,
    Conflict,
    EnnioError,
    Exhausted,
    Invalid,
    NotFound,
    Problem,
    Refused,
    TimedOut,
    Unreachable,
)
from ennio.model.facts import Presence, ProcessSeen
from ennio.plugins.agent.dialog_choices import NothingAsked
from ennio.plugins.registry import Registry

NOW = datetime(2026, 1, 1, tzinfo=UTC)
BRIEF = Brief("p-1", "p", "stub", "stub", "stub")
ERRORS: tuple[EnnioError, ...] = (
    Unreachable("away", until=NOW),
    TimedOut("slow"),
    Exhausted("full"),
    Refused("no\nand no"),
    Conflict("taken"),
    NotFound("nobody"),
    Invalid("agent: wrong"),
    ConfigError("ennio.yaml", [Problem("a.b", "is wrong", 7), Problem("c", "too")]),
)


class Raising:
    """A host that answers one thing: what it is given to do."""

    name = ""

    def __init__(self, does: Callable[[], Any]) -> None:
        self.does = does

    def workspace_path(self, brief: Brief) -> Any:
        return self.does()


def _asked(does: Callable[[], Any]) -> str:
    """What a call that goes as bytes and comes as bytes brings."""
    call, host = CALLS["workspace_path"], cast("Host", Raising(does))
    told = packed(done(host, unpacked(packed(call.request(BRIEF)))))
    return str(answered(call, unpacked(told)))


def _raising(error: BaseException) -> Callable[[], Any]:
    def does() -> Any:
        raise error

    return does


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_comes_as_itself_with_its_words_and_what_it_carries(error: EnnioError) -> None:
    with pytest.raises(type(error)) as caught:
        _asked(_raising(error))
    assert type(caught.value) is type(error)
    assert str(caught.value) == str(error)
    assert getattr(caught.value, "until", None) == getattr(error, "until", None)
    assert getattr(caught.value, "problems", None) == getattr(error, "problems", None)


def test_an_error_of_a_plugins_own_comes_as_the_nearest_that_everybody_knows() -> None:
    with pytest.raises(Refused, match="nothing") as caught:
        _asked(_raising(NothingAsked("nothing is asked")))
    assert type(caught.value) is Refused


def test_a_full_disk_and_a_bug_over_there_come_as_what_can_be_said_of_them() -> None:
    with pytest.raises(Exhausted, match="no space left"):
        _asked(_raising(OSError(28, "No space left on device")))
    with pytest.raises(Unreachable, match="workspace_path failed: ZeroDivisionError"):
        _asked(_raising(ZeroDivisionError("by zero")))


def test_an_error_of_a_later_version_says_nothing_that_is_known_here() -> None:
    with pytest.raises(Unreachable, match="Tired: out of breath"):
        answered(CALLS["make"], {"error": {"kind": "Tired", "words": "out of breath"}})
    assert isinstance(HostError("Tired", "out of breath").error, Unreachable)


@pytest.mark.parametrize(
    "said", [b"HTTP/1.1 400 Bad Request\r\n", b"[]", b"{x", b"", b"[" * 100_000]
)
def test_what_is_no_message_is_told_apart(said: bytes) -> None:
    with pytest.raises(ValueError):
        unpacked(said)


@pytest.mark.parametrize("said", [{}, {"answer": 7}, {"answer": None}, {"error": []}])
def test_a_message_that_is_no_answer_is_told_apart(said: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        answered(CALLS["workspace_path"], said)


def test_a_call_of_another_version_is_refused_by_its_name() -> None:
    host = cast("Host", Raising(lambda: "x"))
    for request, words in (
        ({"call": "dance", "with": {}}, "dance"),
        ({"call": "make", "with": {"brief": 7}}, "make"),
        ({"call": "make"}, "make"),
    ):
        with pytest.raises(Invalid, match=words):
            answered(CALLS["make"], done(host, request))


def test_the_digest_of_the_interface_changes_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert calls._digest() == calls.INTERFACE

    def workspace_path(self: Any, brief: Brief, deep: bool) -> str:
        raise NotImplementedError

    monkeypatch.setattr(Host, "workspace_path", workspace_path)
    assert calls._digest() != calls.INTERFACE


def test_eight_threads_that_want_a_plugin_get_one_and_the_same(tmp_path: Path) -> None:
    gate, built = threading.Barrier(8), []

    class Slow(Registry):
        def _build(self, slot: str, name: str, whose: str, context: Any) -> Any:
            built.append(name)
            threading.Event().wait(0.1)
            return super()._build(slot, name, whose, context)

    plugins = Slow(Home(tmp_path), ManualClock())

    def want(_: int) -> object:
        gate.wait(timeout=20)
        return plugins.runtime("stub")

    with ThreadPoolExecutor(8) as pool:
        assert len(set(map(id, pool.map(want, range(8))))) == 1
    assert built == ["stub"]


def test_of_two_surveys_the_one_that_looked_later_counts_whenever_it_ends() -> None:
    reader = Reader(
        lambda _: pytest.fail("nothing is read"), ManualClock(), HostNews(LocalMachine())
    )
    alive, gone = (
        ProcessSeen(presence, NOW, "test") for presence in (Presence.ALIVE, Presence.GONE)
    )
    reader.surveyed({"p-1": gone}, 2.0)
    reader.surveyed({"p-1": alive, "p-2": alive}, 1.0)
    assert {name: seen.presence for name, (_, seen) in reader._processes.items()} == {
        "p-1": Presence.GONE,
        "p-2": Presence.ALIVE,
    }


def test_a_survey_that_was_under_way_brings_nobody_back_who_was_forgotten() -> None:
    reader = Reader(
        lambda _: pytest.fail("nothing is read"), ManualClock(), HostNews(LocalMachine())
    )
    alive = ProcessSeen(Presence.ALIVE, NOW, "test")
    with reader.surveying():
        reader.forget("p-1")
        reader.surveyed({"p-1": alive, "p-2": alive}, 1.0)
    assert set(reader._processes) == {"p-2"}
    with reader.surveying():
        reader.surveyed({"p-1": alive}, 2.0)
    assert set(reader._processes) == {"p-1", "p-2"}
