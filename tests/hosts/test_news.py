"""Waiting for news: many wait and all are told, nothing is missed in between, and what nobody waits for is not watched."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ennio.hosts.news import HostNews
from ennio.machine.local import LocalMachine
from ennio.model.facts import Presence, ProcessSeen
from tests.conftest import eventually

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="nothing can be waited for")
MANY = 8


@pytest.fixture
def news() -> Iterator[HostNews]:
    news = HostNews(LocalMachine())
    yield news
    news.close()


def begun(news: HostNews) -> str:
    """Begin to wait; the first word is that nothing is known of anybody."""
    first = news.wait("", 0)
    assert first.everybody
    return first.cursor


def alive(pid: int) -> ProcessSeen:
    return ProcessSeen(Presence.ALIVE, datetime.now(UTC), "test", pid=pid)


def test_before_somebody_waits_nothing_is_watched(news: HostNews, tmp_path: Path) -> None:
    assert not news.rests_on("s", [tmp_path / "file"])
    assert not news.lives("s", alive(os.getpid()))
    begun(news)
    assert news.rests_on("s", [tmp_path / "file"])
    assert news.lives("s", alive(os.getpid()))


def test_everybody_who_waits_is_told_of_the_same(news: HostNews, tmp_path: Path) -> None:
    cursor = begun(news)
    news.rests_on("s", [tmp_path / "file"])
    with ThreadPoolExecutor(MANY) as pool:
        waits = [pool.submit(news.wait, cursor, 20.0) for _ in range(MANY)]
        eventually(lambda: news._is_attended)
        (tmp_path / "file").write_text("line")
        assert {wait.result().sessions for wait in waits} == {("s",)}


def test_what_happens_between_two_waits_is_told_by_the_next(news: HostNews, tmp_path: Path) -> None:
    cursor = begun(news)
    news.rests_on("s", [tmp_path / "file"])
    (tmp_path / "file").write_text("line")
    told = news.wait(cursor, 20)
    assert told.sessions == ("s",)
    assert news.wait(cursor, 20).sessions == ("s",), "asked again it is told again"
    assert news.wait(told.cursor, 0.1).sessions == ()


def test_what_is_first_watched_while_somebody_waits_is_waited_for(
    news: HostNews, tmp_path: Path
) -> None:
    cursor = begun(news)
    with ThreadPoolExecutor(1) as pool:
        wait = pool.submit(news.wait, cursor, 20.0)
        eventually(lambda: news._is_attended)
        news.rests_on("s", [tmp_path / "file"])
        (tmp_path / "file").write_text("line")
        assert wait.result().sessions == ("s",)


@pytest.mark.real
def test_an_end_is_news_also_of_a_process_that_began_while_somebody_waited(
    news: HostNews,
) -> None:
    cursor = begun(news)
    with subprocess.Popen(["sleep", "300"]) as process, ThreadPoolExecutor(1) as pool:
        wait = pool.submit(news.wait, cursor, 20.0)
        eventually(lambda: news._is_attended)
        assert news.lives("s", alive(process.pid))
        process.kill()
        assert wait.result().sessions == ("s",)


def test_a_burst_is_one_word(news: HostNews, tmp_path: Path) -> None:
    cursor = begun(news)
    names = [f"s{number}" for number in range(20)]
    for name in names:
        news.rests_on(name, [tmp_path / name])
    for _ in range(10):
        for name in names:
            (tmp_path / name).write_text("line")
    words = 0
    told: set[str] = set()
    while told != set(names):
        word = news.wait(cursor, 5)
        cursor, words = word.cursor, words + 1
        told |= set(word.sessions)
    assert words <= 2


def test_many_who_come_go_and_wait_at_once_leave_nothing_open_and_miss_nothing(
    news: HostNews, tmp_path: Path
) -> None:
    begun(news)
    before = len(os.listdir("/proc/self/fd"))

    def life(name: str) -> None:
        for _ in range(5):
            news.rests_on(name, [tmp_path / name])
            news.lives(name, alive(os.getpid()))
            cursor = news.wait("", 0).cursor
            (tmp_path / name).write_text("line")
            while name not in (word := news.wait(cursor, 10)).sessions:
                assert word.sessions, f"{name} was missed"
                cursor = word.cursor
            news.forget(name)

    with ThreadPoolExecutor(MANY) as pool:
        assert list(pool.map(life, [f"s{number}" for number in range(MANY)])) == [None] * MANY
    news.wait(news.wait("", 0).cursor, 0.05)  # whoever waits next closes what is left
    assert len(os.listdir("/proc/self/fd")) <= before + 1, "inotify itself"


HAMMERED = """
import ennio.supervise
import sys, time, gevent
from datetime import UTC, datetime
from pathlib import Path
from ennio.hosts.news import HostNews
from ennio.machine.local import LocalMachine
from ennio.model.facts import Presence, ProcessSeen

folder, news, until = Path(sys.argv[1]), HostNews(LocalMachine()), time.monotonic() + 3
first, done = news.wait("", 0).cursor, []
alive = ProcessSeen(Presence.ALIVE, datetime.now(UTC), "test", pid=1)

def reads():
    "As a look at agents does it, beside the loop."
    number = 0
    while time.monotonic() < until:
        for session in map(str, range(10)):
            number += 1
            news.rests_on(session, [folder / session], anew=number % 3 == 0)
            news.stands_on(session, [folder / session])
            if number % 7 == 0:
                news.has_ended(session)
    done.append("reads")

def looks(session):
    "As one at a runtime, and who forgets a session."
    while time.monotonic() < until:
        news.lives(session, alive)
        if int(session) % 3 == 0:
            news.forget(session)
        gevent.sleep(0.001)
    done.append("looks")

def writes():
    while time.monotonic() < until:
        (folder / "1").write_text(str(time.monotonic()))
        gevent.sleep(0.01)
    done.append("writes")

def waits():
    cursor = first
    while time.monotonic() < until:
        cursor = news.wait(cursor, 0.5).cursor
    done.append("waits")

jobs = [gevent.get_hub().threadpool.spawn(reads), gevent.spawn(writes), gevent.spawn(waits), gevent.spawn(waits)]
jobs += [gevent.spawn(looks, str(number)) for number in range(10)]
gevent.wait(jobs, timeout=20)
print(sorted(done).count("looks"), sorted(set(done)))
"""


@pytest.mark.real
def test_nobody_is_stuck_while_a_thread_reads_and_greenlets_look_and_wait(tmp_path: Path) -> None:
    """A greenlet that is forgotten at a lock is a poller that looks no more."""
    done = subprocess.run(
        [sys.executable, "-c", HAMMERED, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    told = (done.returncode, done.stderr, done.stdout)
    assert told == (0, "", "10 ['looks', 'reads', 'waits', 'writes']\n")
