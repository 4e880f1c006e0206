"""The run itself: it sees what fails, what dies and what never ran, it counts, and
it leaves nothing behind.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from tests.conftest import eventually
from tests.shards import __main__ as suite
from tests.shards.__main__ import TESTS, shards
from tests.shards.account import account
from tests.shards.lanes import BUSY, ROOT, STORIES, Job, Run, run_all

SECTION = """\
def pytest_terminal_summary(terminalreporter):
    terminalreporter.section("the days")
    terminalreporter.line("long ones")
"""
GOOD = "def test_a(): print('figure: 7')\ndef test_b(): pass\n"
BAD = """\
import pytest
def test_c(): pass
def test_d(): assert 'what' == 'is wrong'
@pytest.mark.skip(reason='no moon')
def test_e(): pass
"""
TORN = """\
import pytest
@pytest.fixture
def house():
    yield
    raise OSError('still there')
def test_a(house): pass
def test_b(): pass
"""


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the shards of these tests run needs no plugin of pytest's: they lie outside of the
    folder whose settings say so, and would load all there are, for seconds each.
    """
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


def shard(folder: Path, name: str, source: str, after: str = "") -> Job:
    file = folder / f"test_{name}.py"
    file.write_text(source)
    return Job(name, "busy", (str(file),), after=after)


def check(name: str, code: str, after: str = "") -> Job:
    return Job(name, "busy", (sys.executable, "-c", code), tests=False, after=after)


def ran(folder: Path, *jobs: Job, room: int = 2) -> tuple[int, list[str], list[Run]]:
    """The exit code, the lines that were shown at the end, and the runs."""
    place = folder / "place"
    place.mkdir()
    shown: list[str] = []
    runs = run_all(jobs, lambda _lane, _lanes: room, place, shown.append)
    code = account(runs, "further", shown.append)
    return code, "\n".join(shown).splitlines(), runs


def test_a_run_where_all_is_well_adds_up_and_shows_the_figures(tmp_path: Path) -> None:
    code, shown, _ = ran(
        tmp_path, shard(tmp_path, "one", GOOD), shard(tmp_path, "two", GOOD), check("lint", "pass")
    )
    assert (code, shown[-1]) == (0, "4 passed, 0 failed, 0 skipped")
    assert shown.count("    figure: 7") == 2


def test_what_a_conftest_adds_to_the_end_is_shown(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(SECTION)
    _, shown, _ = ran(tmp_path, shard(tmp_path, "one", GOOD))
    assert "  one: long ones" in shown


def test_a_shard_that_fails_is_seen_and_told_whole(tmp_path: Path) -> None:
    code, shown, _ = ran(tmp_path, shard(tmp_path, "bad", BAD), shard(tmp_path, "good", GOOD))
    assert (code, shown[-1]) == (1, "3 passed, 1 failed, 1 skipped")
    assert "E   AssertionError: assert 'what' == 'is wrong'" in "\n".join(shown)
    assert "  1 x no moon" in shown
    assert [line for line in shown if line.endswith("skipped")] == shown[-1:]


@pytest.mark.parametrize(
    ("source", "passed", "words"),
    [
        (
            "import os\ndef test_a(): pass\ndef test_b(): os._exit(0)\ndef test_c(): pass\n",
            1,
            "ended after 1 of 3 tests, in ",
        ),
        ("import os\ndef test_a(): os.kill(os.getpid(), 9)\n", 0, "was ended by SIGKILL, in "),
        ("import nowhere\ndef test_a(): pass\n", 0, "ended with 2"),
        ("", 0, "ran no tests"),
        (
            "import pytest\ndef test_a(): pass\ndef test_b(): pytest.exit('enough', 0)\n",
            1,
            "ended after ",
        ),
    ],
)
def test_a_shard_that_dies_or_runs_nothing_is_a_failure_however_it_ends(
    tmp_path: Path, source: str, passed: int, words: str
) -> None:
    code, shown, runs = ran(tmp_path, shard(tmp_path, "odd", source))
    assert (code, shown[-1]) == (1, f"{passed} passed, 1 failed, 0 skipped")
    assert words in runs[0].trouble


def test_a_teardown_that_fails_is_a_failure_of_its_test(tmp_path: Path) -> None:
    code, shown, _ = ran(tmp_path, shard(tmp_path, "torn", TORN))
    assert (code, shown[-1]) == (1, "1 passed, 1 failed, 0 skipped")
    assert "OSError: still there" in "\n".join(shown)


def test_a_check_that_fails_is_seen_and_what_needs_it_is_not_run(tmp_path: Path) -> None:
    dependent = shard(tmp_path, "agents", GOOD, after="install")
    code, shown, runs = ran(
        tmp_path,
        check("install", "raise SystemExit('no network')"),
        dependent,
        shard(tmp_path, "good", GOOD),
    )
    assert (code, shown[-1]) == (1, "2 passed, 2 failed, 0 skipped")
    assert "no network" in shown
    assert "was not run, since install failed" in {run.trouble for run in runs}


def test_what_waits_for_nothing_does_not_wait_behind_what_does(tmp_path: Path) -> None:
    """With room for one, the job that must wait stands first in the list."""
    dependent = shard(tmp_path, "agents", GOOD, after="install")
    code, shown, runs = ran(tmp_path, dependent, check("install", "pass"), room=1)
    assert (code, shown[-1], [run.job.name for run in runs]) == (
        0,
        "2 passed, 0 failed, 0 skipped",
        ["install", "agents"],
    )


@pytest.mark.parametrize("cores", [1, 2, 16])
def test_the_busy_lane_has_all_cores_once_no_real_agent_is_looked_at(
    cores: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suite, "CORES", cores)
    rooms = [
        suite.rooms(BUSY, lanes)
        for lanes in ({"agents", STORIES, BUSY}, {"agents", BUSY}, {STORIES, BUSY}, {BUSY})
    ]
    assert rooms == [max(1, cores // 2), max(1, cores // 2), cores + 1, cores + 2]


@pytest.mark.parametrize("cores", [1, 2, 16])
def test_stories_are_told_side_by_side_once_nothing_else_is_left(
    cores: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suite, "CORES", cores)
    rooms = [
        suite.rooms(STORIES, lanes)
        for lanes in ({"agents", STORIES, BUSY}, {STORIES, BUSY}, {"agents", STORIES}, {STORIES})
    ]
    assert rooms == [1, 1, 1, cores]


MEET = """\
import threading
from pathlib import Path
def test_a():
    Path({mine!r}).touch()
    while not Path({other!r}).exists():
        threading.Event().wait(0.02)
"""


def test_a_lane_gets_more_room_as_soon_as_another_is_over(tmp_path: Path) -> None:
    """Two that wait for each other end only when both run at once, which there is room for when the
    lane beside them is over.
    """
    one, two = str(tmp_path / "one"), str(tmp_path / "two")
    jobs = [
        shard(tmp_path, "left", MEET.format(mine=one, other=two)),
        shard(tmp_path, "right", MEET.format(mine=two, other=one)),
        replace(check("beside", "pass"), lane="agents"),
    ]
    (tmp_path / "place").mkdir()
    runs = run_all(
        jobs,
        lambda _lane, lanes: 1 if "agents" in lanes else 2,
        tmp_path / "place",
        lambda _words: None,
    )
    assert [run.good for run in runs] == [True] * 3


def test_a_test_that_hangs_is_interrupted_named_and_told(tmp_path: Path) -> None:
    source = "import threading\ndef test_a(): pass\ndef test_stuck(): threading.Event().wait()\n"
    run = Run(shard(tmp_path, "slow", source), tmp_path)
    run.start()
    eventually(lambda: "test_stuck" in run.record.running)
    run.begun -= run.job.limit
    run.look()

    def over() -> bool:
        run.look()
        return run.code is not None

    eventually(over)
    assert run.trouble.startswith("did not end within 1200 s, in ")
    assert run.trouble.endswith("::test_stuck")
    shown: list[str] = []
    assert account([run], "further", shown.append) == 1
    assert shown[-1] == "1 passed, 1 failed, 0 skipped"


def test_what_a_test_leaves_running_is_ended_and_named(tmp_path: Path) -> None:
    source = (
        "import subprocess\ndef test_a(): subprocess.Popen(('sleep', '4321'), "
        "start_new_session=True)\n"
    )
    _, shown, _ = ran(tmp_path, shard(tmp_path, "careless", source))
    assert any(
        line.startswith("ended what was left running: ") and "sleep 4321" in line for line in shown
    )
    eventually(lambda: not _alive(tmp_path))


RUN = """\
import sys
from pathlib import Path
from tests.shards.lanes import Job, ended_by_signals, run_all
place = Path(sys.argv[1])
with ended_by_signals():
    run_all([Job("stuck", "busy", (sys.argv[2],))], lambda _lane, _lanes: 1, place, print)
"""
STUCK = """\
import subprocess, threading, pytest
@pytest.fixture
def house(tmp_path):
    subprocess.Popen(("sleep", "4322"), start_new_session=True)
    yield
    (tmp_path.parents[1] / "cleared").touch()
def test_a(house, tmp_path):
    (tmp_path.parents[1] / "begun").touch()
    threading.Event().wait()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_run_that_is_ended_lets_its_tests_clear_away_and_leaves_no_process(
    tmp_path: Path, number: signal.Signals
) -> None:
    (tmp_path / "place").mkdir()
    (tmp_path / "test_stuck.py").write_text(STUCK)
    words = (sys.executable, "-c", RUN, str(tmp_path / "place"), str(tmp_path / "test_stuck.py"))
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.DEVNULL) as run:
        eventually((tmp_path / "place" / "begun").exists)
        assert _alive(tmp_path)
        run.send_signal(number)
        assert run.wait(30) == 128 + number
    assert (tmp_path / "place" / "cleared").exists()
    eventually(lambda: not _alive(tmp_path))


def _alive(folder: Path) -> list[int]:
    """The processes that have to do with this folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if (
                process.environ().get("TMPDIR") == str(folder / "place")
                and process.status() != psutil.STATUS_ZOMBIE
            ):
                found.append(process.pid)
        except (psutil.Error, OSError):
            continue
    return found


def test_every_test_of_the_tree_is_in_one_shard() -> None:
    found = sorted(file for job in shards(TESTS) for file in _files(job))
    assert found == sorted(TESTS.rglob("test_*.py"))


def _files(job: Job) -> set[Path]:
    left = {
        Path(word.removeprefix("--ignore=")) for word in job.words if word.startswith("--ignore=")
    }
    paths = [Path(word) for word in job.words if not word.startswith("--")]
    return {
        file for path in paths for file in (path.rglob("test_*.py") if path.is_dir() else [path])
    } - left


def test_a_folder_or_file_that_nobody_named_is_run_too(tmp_path: Path) -> None:
    for name in (
        "e2e/test_a.py",
        "e2e/test_many.py",
        "agents/test_new.py",
        "new/deep/test_b.py",
        "test_c.py",
        "empty/words.py",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert {job.name: job.words for job in shards(tmp_path)} == {
        "agents": (str(tmp_path / "agents"),),
        "e2e": (str(tmp_path / "e2e"), f"--ignore={tmp_path / 'e2e' / 'test_many.py'}"),
        "many": (str(tmp_path / "e2e" / "test_many.py"),),
        "rest": (str(tmp_path / "new"), str(tmp_path / "test_c.py")),
    }
