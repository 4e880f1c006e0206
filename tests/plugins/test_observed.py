"""Calls of plugins are counted at one place, and nobody who calls one notices."""

from __future__ import annotations

import errno
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ennio.machine.home import Home
from ennio.model.clock import SystemClock
from ennio.model.errors import NotFound, Refused, Unreachable
from ennio.model.session import RuntimeHandle
from ennio.plugins.agent.interface import Agent, FileBacked
from ennio.plugins.forge.interface import Forge, Paced, Readable, RemindsReviewers, Rerunnable
from ennio.plugins.notifier.interface import Notifier
from ennio.plugins.observed import BOUNDS, PluginCalls, observed
from ennio.plugins.predictor.interface import Predictor
from ennio.plugins.registry import Registry
from ennio.plugins.runtime.interface import Runtime
from ennio.plugins.tracker.interface import TakesIssues, Tracker


class Files:
    """An agent that reads files."""

    name = "files"

    def files(self, _context: Any, _cursor: Mapping[str, str]) -> tuple[Path, ...]:
        return ()

    def version(self) -> str:
        return "1"


class NoFiles:
    """One that does not."""

    name = "none"

    def version(self) -> str:
        return "2"


class Reruns:
    """A forge, or a tracker, that offers more than it must."""

    name = "reruns"

    def rerun(self, number: int) -> Any:
        return number

    def add(self, title: str, _body: str, _labels: Any = ()) -> Any:
        return title


def test_each_call_is_counted_with_how_long_it_took_and_whether_it_failed(tmp_path: Path) -> None:
    plugins = Registry(Home(tmp_path), SystemClock())
    runtime = plugins.runtime("stub")
    runtime.survey()
    with pytest.raises(NotFound):
        runtime.paste(RuntimeHandle("nobody", "stub"), "hello")
    told = plugins.calls.read()["runtime", "stub"]
    assert (told.calls, told.failed) == (2, 1)
    assert sum(told.within) == 2
    assert 0 < told.seconds < BOUNDS[-1]


def test_what_a_plugin_offers_and_has_is_the_same_behind_the_counting() -> None:
    calls = PluginCalls()
    with_files = observed(Files(), "agent", "files", Agent, calls)
    without = observed(NoFiles(), "agent", "none", Agent, calls)
    assert (isinstance(with_files, FileBacked), isinstance(without, FileBacked)) == (True, False)
    assert type(with_files) is not type(without), "what a class offers is remembered by the class"
    assert (with_files.name, without.version()) == ("files", "2")
    assert not isinstance(observed(NoFiles(), "scm", "none", Forge, calls), Paced | Readable)
    assert not hasattr(without, "files")


def test_what_some_plugins_of_a_slot_offer_beside_it_is_counted_too() -> None:
    calls = PluginCalls()
    forge = observed(Reruns(), "scm", "reruns", Forge, calls)
    tracker = observed(Reruns(), "tracker", "takes", Tracker, calls)
    assert isinstance(forge, Rerunnable)
    assert not isinstance(forge, RemindsReviewers)
    assert isinstance(tracker, TakesIssues)
    assert (forge.rerun(7), tracker.add("a", "b")) == (7, "a")
    told = calls.read()
    assert (told["scm", "reruns"].calls, told["tracker", "takes"].calls) == (1, 1)


def test_calls_from_many_threads_are_all_counted() -> None:
    calls = PluginCalls()
    plugin = observed(NoFiles(), "agent", "none", Agent, calls)

    def often() -> None:
        for _ in range(2000):
            plugin.version()

    threads = [threading.Thread(target=often) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert calls.read()["agent", "none"].calls == 8000


class Broken:
    """A plugin of somebody's own with a bug."""

    name = "broken"

    def success(self, *_what: Any) -> Any:
        return {}["nothing"]

    def survey(self) -> Any:
        return {}["nothing"]

    def notify(self, _notification: Any) -> Any:
        raise self.raises

    raises: Exception = KeyError("https://hooks.example/s3cret")


def test_a_bug_in_what_one_can_do_without_is_an_error_that_names_it_and_nobody_elses_bug() -> None:
    calls = PluginCalls()
    predictor = observed(Broken(), "predictor", "broken", Predictor, calls)
    with pytest.raises(Refused, match=r"predictor broken failed in success: KeyError: 'nothing'"):
        predictor.success()
    assert calls.read()["predictor", "broken"].failed == 1
    runtime = observed(Broken(), "runtime", "broken", Runtime, calls)
    with pytest.raises(KeyError):
        runtime.survey()


@pytest.mark.parametrize(
    ("raises", "told"),
    [
        (KeyError("https://hooks.example/s3cret"), Refused),
        (ConnectionResetError("https://hooks.example/s3cret"), Unreachable),
        (OSError(errno.EMFILE, "too many open files"), OSError),
    ],
    ids=lambda value: getattr(value, "__name__", type(value).__name__),
)
def test_what_a_channel_of_somebodys_own_raises_is_an_error_of_that_channel_without_its_words(
    raises: Exception, told: type[Exception]
) -> None:
    broken = Broken()
    broken.raises = raises
    channel = observed(broken, "notifier", "own", Notifier, PluginCalls())
    with pytest.raises(told) as raised:
        channel.notify(None)
    assert "s3cret" not in str(raised.value)
    if told is not OSError:
        assert str(raised.value) == f"the notifier own failed in notify: {type(raises).__name__}"
