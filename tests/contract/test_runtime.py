"""What every runtime promises of launches, over all of them: started once,
surveyed together, ended whole.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from ennio.machine.local import LocalMachine
from ennio.machine.process_table import is_alive, start_of
from ennio.model.errors import Conflict, Invalid, NotFound
from ennio.model.session import RuntimeHandle
from ennio.plugins import orphans
from ennio.plugins.runtime import launch as launching
from ennio.plugins.runtime.liveness import process_of
from tests.contract.runtime_bench import Bench


def test_nothing_started_is_nothing_there(bench: Bench) -> None:
    assert bench.runtime.survey() == {}
    assert bench.runtime.screens([bench.name]) == {}


def test_a_started_agent_is_alive_in_the_survey(bench: Bench) -> None:
    handle = bench.start()
    pane = bench.pane()
    assert (pane.name, pane.number, pane.dead, str(pane.pid)) == (
        bench.name,
        1,
        False,
        handle.data["pid"],
    )
    assert (handle.id, handle.runtime_name) == (bench.name, bench.runtime.name)


def test_the_handle_holds_the_birth_of_its_process(real: Bench) -> None:
    handle = real.start()
    assert handle.data["started"] == start_of(int(handle.data["pid"])) != ""


def test_the_same_launch_is_found_again_and_not_started_twice(bench: Bench) -> None:
    handle = bench.start()
    assert bench.runtime.start(bench.launch()) == handle
    assert bench.again().start(bench.launch()) == handle


def test_a_launch_is_found_again_when_nothing_on_the_disk_tells_of_it(real: Bench) -> None:
    handle = real.start()
    directory = real.launch().directory
    shutil.rmtree(directory)
    assert real.again().start(real.launch()) == handle
    assert not directory.exists() or list(directory.iterdir()) == []


def test_a_launch_is_found_beside_a_launch_file_that_nobody_has_read(real: Bench) -> None:
    handle = real.start()
    (real.launch().directory / "launch.json").write_text("{}")
    assert real.again().start(real.launch()) == handle


def test_a_launch_file_that_nobody_has_read_does_not_keep_a_launch_from_beginning(
    real: Bench,
) -> None:
    real.launch().directory.mkdir(parents=True)
    (real.launch().directory / "launch.json").write_text("half of a launch fi")
    assert not real.runtime.survey()
    real.start()
    assert not real.pane().dead


def test_a_launch_that_already_ended_is_not_run_again(bench: Bench) -> None:
    handle = bench.start()
    bench.end(handle, exit_code=3)
    assert bench.runtime.start(bench.launch()).data["pid"] == handle.data["pid"]
    assert bench.pane().exit_code == 3


def test_a_dead_terminal_gives_way_to_the_next_launch(bench: Bench) -> None:
    bench.end(bench.start(), exit_code=3)
    later = bench.runtime.start(bench.launch(number=2))
    pane = bench.pane()
    assert (pane.number, pane.dead, pane.exit_code, str(pane.pid)) == (
        2,
        False,
        None,
        later.data["pid"],
    )


def test_nothing_alive_is_ever_replaced(bench: Bench) -> None:
    handle = bench.start()
    with pytest.raises(Conflict, match=r"still runs|in the way"):
        bench.runtime.start(bench.launch(number=2))
    assert str(bench.pane().pid) == handle.data["pid"]


def test_an_earlier_launch_never_comes_back(bench: Bench) -> None:
    bench.end(bench.start(number=2), exit_code=3)
    with pytest.raises(Conflict):
        bench.runtime.start(bench.launch(number=1))


def test_an_exit_code_is_told(bench: Bench) -> None:
    pane = bench.end(bench.start(), exit_code=3)
    assert (pane.exit_code, pane.signal) == (3, None)


def test_a_signal_is_told(bench: Bench) -> None:
    pane = bench.end(bench.start(), signal=signal.SIGKILL)
    assert (pane.exit_code, pane.signal) == (None, signal.SIGKILL)


def test_incident_20_a_name_that_begins_like_another_is_not_mistaken_for_it(bench: Bench) -> None:
    longer = bench.runtime.start(bench.launch(name=f"{bench.name}1"))
    nobody = RuntimeHandle(bench.name, bench.runtime.name)
    with pytest.raises(NotFound):
        bench.runtime.paste(nobody, "x")
    bench.runtime.stop(nobody)
    assert not bench.runtime.survey()[longer.id].dead
    bench.start()
    assert set(bench.runtime.survey()) == {bench.name, longer.id}


def test_incident_20_names_that_a_terminal_would_fold_together_are_refused(bench: Bench) -> None:
    for name in ("a.b", "a:b", "", "a b", "=a", "a\n"):
        with pytest.raises(Invalid, match="name"):
            bench.runtime.start(replace(bench.launch(), name=name))


def test_a_stopped_agent_is_gone_and_stopping_twice_is_fine(bench: Bench) -> None:
    handle = bench.start()
    bench.runtime.stop(handle)
    bench.runtime.stop(handle)
    assert bench.runtime.survey() == {}
    with pytest.raises(NotFound):
        bench.runtime.output(handle, 5)


def test_a_stopped_session_can_be_launched_anew(bench: Bench) -> None:
    first = bench.start()
    bench.runtime.stop(first)
    assert bench.runtime.start(bench.launch(number=2)).data["pid"] != first.data["pid"]
    assert bench.pane().number == 2


STUBBORN = ("sh", "-c", "trap '' HUP; while :; do sleep 0.2; done")


@pytest.mark.parametrize("again", [False, True], ids=["the same supervisor", "another supervisor"])
def test_stop_ends_an_agent_whose_terminal_was_taken_away(real: Bench, again: bool) -> None:
    handle = real.runtime.start(real.launch(*STUBBORN))
    assert not real.runtime.survey()[real.name].dead
    take_away(real, for_good=True)
    (real.again() if again else real.runtime).stop(handle)
    assert not is_alive(*process_of(handle))
    assert not orphans.find(LocalMachine(), real.name)


def test_a_launch_that_is_found_leaves_no_launch_file_of_a_supervisor_that_was_killed(
    real: Bench,
) -> None:
    handle = real.start()
    (launch := real.launch()).directory.mkdir(parents=True, exist_ok=True)
    launching.write(
        LocalMachine(), replace(launch, env={**launch.env, "NPM_TOKEN": "a secret"})
    )  # what it did last
    assert real.again().start(launch) == handle
    assert not list(launch.directory.glob("launch.json"))


def take_away(bench: Bench, *, for_good: bool) -> None:
    """The way to the terminals is gone, as after a cleaner of temporary folders or the
    daemon's end; the agents go on.
    """
    if bench.runtime.name == "process":
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if str(bench.root / "ptyd") in process.cmdline():
                    process.kill()
        return
    attach = bench.runtime.attach_command(RuntimeHandle(bench.name, "tmux"))
    asked = [*attach[: attach.index("attach-session")], "display", "-p", "#{socket_path}"]
    told = subprocess.run(asked, capture_output=True, text=True, check=True)
    place = Path(told.stdout.strip())
    place.unlink()
    if for_good:
        place.mkdir()


def test_incident_41_one_survey_of_many_terminals_is_one_request(
    real: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    # what one costs over there does not grow with them, so few will do
    names = [f"{real.name}-{index}" for index in range(12 if real.far else 50)]
    for name in names:
        real.runtime.start(real.launch("sleep", "600", name=name))
    real.runtime.survey()  # who answers is looked at once
    with counted(real, monkeypatch) as count:
        assert set(real.runtime.survey()) == set(names)
        assert count() <= 1
        assert set(real.runtime.screens(names)) == set(names)
        assert count() <= 2
    real.runtime.stop(RuntimeHandle(names[1], real.runtime.name))
    assert set(real.runtime.survey()) == {*names} - {names[1]}


_connects: list[object] = []
_hooked: list[bool] = []


@contextmanager
def counted(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], int]]:
    """Counts the tmux processes (by a wrapper on PATH), the connections to the
    daemon (by an audit hook), or what another machine is asked, in one way there and back each.
    """
    if bench.far is not None:
        asked, told = bench.far.count, bench.far.count.questions
        yield lambda: asked.questions - told
        return
    if bench.runtime.name == "tmux":
        log, wrapper = bench.root / "calls", bench.root / "bin" / "tmux"
        wrapper.parent.mkdir()
        log.write_text("")
        found = subprocess.run(
            ["which", "tmux"], capture_output=True, text=True, check=True
        ).stdout.strip()
        wrapper.write_text(f'#!/bin/sh\necho call >> {log}\nexec {found} "$@"\n')
        wrapper.chmod(0o755)
        monkeypatch.setenv("PATH", f"{wrapper.parent}:{os.environ['PATH']}")
        yield lambda: len(log.read_text().split())
        return
    if not _hooked:
        sys.addaudithook(
            lambda event, arguments: (
                _connects.append(arguments[1]) if event == "socket.connect" else None
            )
        )
        _hooked.append(True)
    before = len(_connects)
    yield lambda: len(_connects) - before
