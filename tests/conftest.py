"""Fixtures everybody shares: patience without sleeping, and what must really be there."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sys
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
from hypothesis import settings

from ennio.lasting import lasting
from tests.properties import examples

if TYPE_CHECKING:
    from tests.by_file import FileScheduling
    from tests.postgres import Server

# how long an example takes says how busy the machine is, and nothing of what is tested
settings.register_profile("busy", settings(), deadline=None, max_examples=examples(100))
settings.load_profile("busy")

TESTS = Path(__file__).parent
PURE = (
    "board",
    "config",
    "demo",
    "hosts",
    "machine",
    "model",
    "node",
    "plugins/agent",
    "plugins/test_declared.py",
    "plugins/test_shipped.py",
    "plugins/tracker",
    "plugins/web/test_address.py",
    "policy",
    "store",
)
"""Where tests need no process, socket or terminal; so do the files beside this one. What does all
the same is marked ``real``.
"""

_REAL = re.compile(r"^pytestmark = pytest\.mark\.(?:real|live|e2e)$", re.MULTILINE)
"""A file that says of all its tests that they are real."""

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # a shell starts what runs in the background so, and all that the tests start would inherit
    # it and be deaf to Ctrl-C
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Import nothing that is real where nothing of it is to be run: that takes
    longer than all pure tests.
    """
    if config.option.markexpr != "not real":
        return None
    place = collection_path.relative_to(TESTS) if collection_path.is_relative_to(TESTS) else Path()
    leads_there = any(Path(pure).is_relative_to(place) for pure in PURE)
    if not (leads_there or _pure(place)):
        return True
    return True if place.suffix == ".py" and _REAL.search(collection_path.read_text()) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as ``real`` what lies in any other folder, so that a new folder is
    real until it is listed, and what says that it needs real processes by another word.
    """
    for item in items:
        told = any(item.get_closest_marker(name) for name in ("live", "e2e"))
        if told or not _pure(item.path.relative_to(TESTS)):
            item.add_marker("real")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Have the collector of garbage not go through all modules and tests again and again:
    neither while they become more, nor afterwards.
    """
    with lasting():
        return (yield)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> FileScheduling | None:
    """Share the tests out among processes by file."""
    from tests.by_file import FileScheduling

    return FileScheduling(config, log) if config.option.dist == "loadfile" else None


def pytest_configure(config: pytest.Config) -> None:
    """Watch over the pure tests, where these alone are run."""
    if config.option.markexpr == "not real":
        sys.addaudithook(_no_process)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Know which test is under way."""
    _under_way.append(item.nodeid)
    try:
        return (yield)
    finally:
        _under_way.pop()


_under_way: list[str] = []
_BEGINS = ("subprocess.Popen", "os.posix_spawn", "os.fork", "os.exec", "os.system")


def _no_process(event: str, _arguments: object) -> None:
    """Let no pure test begin a process: it would be a real one, and nobody would know."""
    if _under_way and event in _BEGINS:
        raise RuntimeError(f"{_under_way[-1]} begins a process, so it is not pure: mark it real")


def _pure(place: Path) -> bool:
    return (len(place.parts) == 1 and place.suffix == ".py") or any(
        place.is_relative_to(folder) for folder in PURE
    )


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A real PostgreSQL for all tests of this process; each takes a database of its own. A laptop
    skips without it, CI fails.
    """
    from tests.postgres import server

    with server() as started:
        yield started


def eventually(condition: Callable[[], object], within: float = 30.0, why: str = "") -> object:
    """Wait until the condition is true and return what it returned; fail with its last words."""
    deadline = time.monotonic() + within
    pause = 0.005
    last: object = None
    while True:
        try:
            last = condition()
            if last:
                return last
        except AssertionError as error:
            last = error
        if time.monotonic() > deadline:
            pytest.fail(f"not within {within} s: {why or condition}; last seen: {last!r}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.2)


def need(executable: str) -> str:
    """The path of an executable; a laptop skips without it, CI fails."""
    path = shutil.which(executable)
    if path is None:
        lacking(f"{executable} is not installed: what needs it was NOT tested")
    return path


def lacking(message: str) -> NoReturn:
    """End the test because something real is missing: a laptop skips, CI fails."""
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)
