"""A failed look is never proof of death."""

import os
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from ennio.machine.local import LocalMachine
from ennio.machine.process_table import is_alive, start_of
from ennio.model.facts import Presence
from ennio.model.session import RuntimeHandle
from ennio.plugins.runtime.interface import Pane
from ennio.plugins.runtime.liveness import UNTETHERED, judge

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def sleeper() -> Iterator[RuntimeHandle]:
    process = subprocess.Popen(["sleep", "60"])
    yield handle(process.pid, start_of(process.pid))
    process.kill()
    process.wait()


def handle(pid: int = 1_000_000_000, born: str = "1", number: int = 1) -> RuntimeHandle:
    return RuntimeHandle("fix-1", "tmux", {"pid": str(pid), "started": born, "number": str(number)})


def test_a_living_terminal_is_alive_with_what_was_seen() -> None:
    seen = judge(
        LocalMachine(),
        handle(),
        Pane("fix-1", 1, 7, dead=False, output_at=NOW, title="t"),
        True,
        "tmux",
        NOW,
    )
    assert (seen.presence, seen.pid, seen.output_at, seen.title, seen.at, seen.source) == (
        Presence.ALIVE,
        7,
        NOW,
        "t",
        NOW,
        "tmux",
    )


@pytest.mark.parametrize(("code", "signal"), [(0, None), (3, None), (None, 9)])
def test_a_dead_terminal_is_gone_with_its_ending(code: int | None, signal: int | None) -> None:
    seen = judge(
        LocalMachine(), handle(), Pane("fix-1", 1, 7, True, code, signal), True, "tmux", NOW
    )
    assert (seen.presence, seen.exit_code, seen.signal) == (Presence.GONE, code, signal)


def test_incident_10_a_failed_survey_proves_nothing() -> None:
    assert judge(LocalMachine(), handle(), None, False, "tmux", NOW).presence is Presence.UNKNOWN
    assert (
        judge(LocalMachine(), handle(), Pane("fix-1", 1, 7, True, 0), False, "tmux", NOW).presence
        is Presence.UNKNOWN
    )


@pytest.mark.parametrize("pane", [None, Pane("fix-1", 1, 7, dead=True)])
def test_incident_10_a_process_that_lives_without_its_terminal_is_not_dead(
    sleeper: RuntimeHandle, pane: Pane | None
) -> None:
    seen = judge(LocalMachine(), sleeper, pane, True, "tmux", NOW)
    assert (seen.presence, seen.detail) == (Presence.UNKNOWN, UNTETHERED)


@pytest.mark.parametrize("pane", [None, Pane("fix-1", 1, 7, dead=True)])
def test_no_terminal_and_no_process_is_gone_without_a_word(pane: Pane | None) -> None:
    seen = judge(LocalMachine(), handle(), pane, True, "tmux", NOW)
    assert (seen.presence, seen.exit_code, seen.signal) == (Presence.GONE, None, None)
    assert seen.detail


def test_another_process_with_the_same_pid_is_not_the_agent() -> None:
    mine = os.getpid()
    assert is_alive(mine, start_of(mine))
    assert not is_alive(mine, "1")
    assert (
        judge(LocalMachine(), handle(mine, "1"), None, True, "tmux", NOW).presence is Presence.GONE
    )


def test_the_end_of_an_earlier_launch_is_not_the_end_of_this_one(sleeper: RuntimeHandle) -> None:
    later = RuntimeHandle("fix-1", "tmux", {**sleeper.data, "number": "2"})
    assert (
        judge(LocalMachine(), later, Pane("fix-1", 1, 7, True, 0), True, "tmux", NOW).presence
        is Presence.UNKNOWN
    )


def test_a_terminal_nobody_wrote_down_is_seen_all_the_same() -> None:
    assert (
        judge(LocalMachine(), None, Pane("fix-1", 1, 7, dead=False), True, "tmux", NOW).presence
        is Presence.ALIVE
    )
    assert judge(LocalMachine(), None, None, True, "tmux", NOW).presence is Presence.GONE


def test_a_zombie_does_not_live() -> None:
    process = subprocess.Popen(["true"])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert start_of(process.pid) == ""
    process.wait()
