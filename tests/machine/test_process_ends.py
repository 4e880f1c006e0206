"""Whose process has ended is told once, and nothing stays open."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from collections.abc import Iterator

import pytest

from ennio.machine.process_ends import ProcessEnds, close

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(sys.platform != "linux", reason="pidfd is of Linux alone"),
]

ME = ("me", "end")


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "300"]) as process:
        yield process
        process.kill()


@pytest.fixture
def ends() -> Iterator[ProcessEnds]:
    ends = ProcessEnds(lambda: None)
    yield ends
    ends.close()


def readable(ends: ProcessEnds, within: float = 5.0) -> list[int]:
    return select.select(ends.descriptors(), [], [], within)[0]


def test_an_end_is_told_once(ends: ProcessEnds, sleeper: subprocess.Popen[bytes]) -> None:
    assert ends.watch(ME, sleeper.pid)
    assert readable(ends, 0.1) == []
    sleeper.kill()
    found = readable(ends)
    assert ends.ended(found) == {ME}
    assert ends.ended(found) == set()
    assert ends.descriptors() == set()


def test_the_next_process_takes_the_place_of_the_one_before(
    ends: ProcessEnds, sleeper: subprocess.Popen[bytes]
) -> None:
    ends.watch(ME, os.getpid())
    ends.watch(ME, sleeper.pid)
    assert len(ends.descriptors()) == 1
    sleeper.kill()
    assert ends.ended(readable(ends)) == {ME}


def test_who_is_asked_for_again_costs_nothing_more(ends: ProcessEnds) -> None:
    begun: list[None] = []
    ends = ProcessEnds(lambda: begun.append(None))
    for _ in range(5):
        assert ends.watch(ME, os.getpid())
    assert len(begun) == len(ends.descriptors()) == 1
    ends.close()


def test_who_has_ended_before_cannot_be_waited_for(ends: ProcessEnds) -> None:
    process = subprocess.Popen(["true"])
    process.wait()
    assert not ends.watch(ME, process.pid)
    assert ends.trouble == ""


def test_what_is_of_no_interest_stays_open_until_nobody_waits_for_it(ends: ProcessEnds) -> None:
    ends.watch(ME, os.getpid())
    (descriptor,) = ends.descriptors()
    ends.forget(ME)
    os.fstat(descriptor)
    close(ends.take_left())
    with pytest.raises(OSError, match="Bad file"):
        os.fstat(descriptor)


def test_when_too_few_files_may_be_open_some_are_not_waited_for_and_it_is_said(
    ends: ProcessEnds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resource.getrlimit", lambda _which: (4, 4))
    assert [ends.watch((str(number), "end"), os.getpid()) for number in range(3)] == [
        True,
        True,
        False,
    ]
    assert "ulimit -n" in ends.trouble
