"""Checks of the local forge: real commands on real check-outs."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import psutil
import pytest

from ennio.model.facts import Presence
from ennio.model.pulls import CheckState, PullRequest, PullState
from ennio.plugins.forge.local import LocalForge, check_log, check_pool, check_run
from tests.conftest import eventually
from tests.plugins.forge.hub import Hub, git, seen_pull, watch

WAITING = "while [ ! -e '{gate}' ]; do sleep 0.02; done"


def _check(run: str, name: str = "test", **more: object) -> dict[str, object]:
    return {"checks": [{"name": name, "run": run, **more}]}


def _finished(forge: LocalForge, number: int = 1) -> PullRequest:
    eventually(
        lambda: forge.look(number).checks in (CheckState.PASSING, CheckState.FAILING),
        why="checks to finish",
    )
    return forge.look(number)


def _alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_incident_17_a_new_head_is_pending_in_the_very_look_that_finds_it(hub: Hub) -> None:
    gate = hub.root / "gate"
    forge = hub.forge(**_check(WAITING.format(gate=gate)))
    hub.push("fix", {"a": "a"})
    assert seen_pull(forge, watch("fix")).checks is CheckState.PENDING
    gate.touch()
    assert _finished(forge).checks is CheckState.PASSING
    gate.unlink()
    head = hub.push("fix", {"a": "b"})
    pull = seen_pull(forge, watch("fix"))
    assert (pull.head, pull.checks) == (head, CheckState.PENDING)
    gate.touch()
    _finished(forge)


def test_incident_28_a_failing_check_brings_its_step_its_log_and_where_the_rest_is(
    hub: Hub,
) -> None:
    red = "seq 1 500; printf '\\033[31mboom\\033[0m\\n'; exit 3"
    forge = hub.forge(checks=[{"name": "unit tests", "run": red}, {"name": "lint", "run": "true"}])
    hub.push("fix", {"a": "a"})
    head = seen_pull(forge, watch("fix")).head
    pull = _finished(forge)
    eventually(lambda: all(run.state is not CheckState.PENDING for run in forge.look(1).check_runs))
    (failing,) = forge.look(1).failing
    log = hub.root / "forge" / "logs" / head / "unit+tests-1.log"
    assert pull.checks is CheckState.FAILING
    assert failing.name == "unit tests"
    lines = failing.log_tail.splitlines()
    assert lines[-2:] == ["boom", f"(the whole log: {log})"]
    assert len(lines) == check_log.TAIL_LINES + 1
    assert failing.url == log.as_uri()
    assert log.read_text().startswith("$ seq 1 500")
    assert "\n1\n2\n" in log.read_text()
    (row,) = (row for row in hub.store.checks("shop", head) if row.name == "unit tests")
    assert (row.exit_code, row.run) == (3, 1)
    assert row.started_at is not None


def test_a_check_sees_exactly_the_head_clean_and_detached(hub: Hub) -> None:
    run = "cat a; git status --porcelain --branch; git rev-parse HEAD origin/main; exit 1"
    forge = hub.forge(**_check(run))
    head = hub.push("fix", {"a": "committed\n"})
    seen_pull(forge, watch("fix"))
    tail = _finished(forge).failing[0].log_tail.splitlines()
    assert tail[1:5] == ["committed", "## HEAD (no branch)", head, hub.head("main")]


def test_checks_get_no_secret_and_no_input(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "s3cret")
    monkeypatch.setenv("ENNIO_API_TOKEN", "s3cret")
    forge = hub.forge(**_check("env; cat; exit 1"))
    head = hub.push("fix", {"a": "a"})
    seen_pull(forge, watch("fix"))
    tail = _finished(forge).failing[0].log_tail
    assert "s3cret" not in tail
    for line in (
        "CI=true",
        "ENNIO_PROJECT=shop",
        "ENNIO_BRANCH=fix",
        f"ENNIO_HEAD={head}",
        "ENNIO_CHECK=test",
        "ENNIO_PULL=1",
    ):
        assert line in tail.splitlines()


def test_a_check_past_its_limit_fails_and_says_so_and_leaves_no_process(hub: Hub) -> None:
    pids = hub.root / "pids"
    run = (
        f"sleep 300 & echo $! >> {pids}; setsid sleep 300 & echo $! >> {pids}; echo working; "
        "sleep 300"
    )
    forge = hub.forge(**_check(run, timeout="400ms"))
    hub.push("fix", {"a": "a"})
    seen_pull(forge, watch("fix"))
    tail = _finished(forge).failing[0].log_tail
    assert "working" in tail
    assert "longer than its limit of 400ms" in tail
    left = [int(pid) for pid in pids.read_text().split()]
    assert len(left) == 2
    eventually(lambda: not any(_alive(pid) for pid in left))


def test_a_check_that_ends_takes_its_background_processes_with_it(hub: Hub) -> None:
    pids = hub.root / "pids"
    forge = hub.forge(**_check(f"sleep 300 & echo $! > {pids}"))
    hub.push("fix", {"a": "a"})
    seen_pull(forge, watch("fix"))
    assert _finished(forge).checks is CheckState.PASSING
    eventually(lambda: not _alive(int(pids.read_text())))


def test_nothing_of_a_checkout_stays(hub: Hub) -> None:
    forge = hub.forge(**_check("mkdir -p deep/er && touch deep/er/file"))
    hub.push("fix", {"a": "a"})
    seen_pull(forge, watch("fix"))
    _finished(forge)
    eventually(
        lambda: [path.name for path in (hub.root / "forge" / "checks").glob("*/*")] == ["lock"]
    )
    assert len(git(hub.path, "worktree", "list").splitlines()) == 1
    forge.shutdown()
    assert list((hub.root / "forge" / "checks").iterdir()) == []


def test_a_superseded_heads_checks_are_ended_and_its_waiting_ones_never_start(hub: Hub) -> None:
    started = hub.root / "started"
    run = f"echo $ENNIO_HEAD $ENNIO_CHECK >> {started}; [ -e good ] || sleep 300"
    forge = hub.forge(checks=[{"name": name, "run": run} for name in "ab"], check_slots=1)
    old = hub.push("fix", {"a": "a"})
    seen_pull(forge, watch("fix"))
    eventually(started.exists)
    new = hub.push("fix", {"good": "now"})
    seen_pull(forge, watch("fix"))
    assert _finished(forge).checks is CheckState.PASSING
    assert started.read_text().splitlines() == [f"{old} a", f"{new} a", f"{new} b"]
    assert {row.state for row in hub.store.checks("shop", old)} == {CheckState.UNKNOWN}
    assert hub.store.unfinished_checks("shop") == ()


def test_a_head_that_comes_back_is_checked_again(hub: Hub) -> None:
    started = hub.root / "started"
    forge = hub.forge(
        **_check(
            f"echo $ENNIO_HEAD >> {started}; [ -e good ] || [ -e {hub.root}/gate ] || sleep 300"
        )
    )
    old = hub.push("fix", {"a": "a"})
    seen_pull(forge, watch("fix"))
    eventually(started.exists)
    new = hub.push("fix", {"good": "now"})
    seen_pull(forge, watch("fix"))
    _finished(forge)
    (hub.root / "gate").touch()
    git(hub.path, "update-ref", "refs/heads/fix", old)
    assert seen_pull(forge, watch("fix")).checks is CheckState.PENDING
    assert _finished(forge).head == old
    assert started.read_text().split() == [old, new, old]


def test_a_rerun_is_a_new_run_with_a_log_of_its_own(hub: Hub) -> None:
    gate = hub.root / "gate"
    forge = hub.forge(**_check(f"[ -e {gate} ]"))
    hub.push("fix", {"a": "a"})
    seen_pull(forge, watch("fix"))
    first = _finished(forge)
    assert first.checks is CheckState.FAILING
    gate.touch()
    assert forge.rerun(1).checks is CheckState.PENDING
    again = _finished(forge)
    assert again.checks is CheckState.PASSING
    assert again.check_runs[0].id != first.check_runs[0].id
    assert sorted(path.name for path in (hub.root / "forge" / "logs" / first.head).iterdir()) == [
        "test-1.log",
        "test-2.log",
    ]


def test_a_rerun_replaces_the_run_under_way_whose_end_then_counts_no_more(hub: Hub) -> None:
    gate, pids = hub.root / "gate", hub.root / "pids"
    forge = hub.forge(**_check(f"echo $$ >> {pids}; " + WAITING.format(gate=gate)))
    head = hub.push("fix", {"a": "a"})
    seen_pull(forge, watch("fix"))
    eventually(lambda: pids.exists() and pids.read_text().strip())
    forge.rerun(1)
    eventually(lambda: len(pids.read_text().split()) == 2)
    first, second = (int(pid) for pid in pids.read_text().split())
    eventually(lambda: not _alive(first))
    eventually(
        lambda: len(list((hub.root / "forge" / "checks").glob("*/*/"))) == 1,
        why="the first run to be over",
    )
    assert _alive(second)
    assert [(row.run, row.state) for row in hub.store.checks("shop", head)] == [
        (2, CheckState.PENDING)
    ]
    gate.touch()
    assert _finished(forge).checks is CheckState.PASSING
    assert [(row.run, row.state) for row in hub.store.checks("shop", head)] == [
        (2, CheckState.PASSING)
    ]


def test_no_more_checks_than_slots_run_at_once(hub: Hub) -> None:
    room = hub.root / "room"
    room.mkdir()
    run = (
        f"touch {room}/$ENNIO_CHECK; ls {room} | wc -l >> {hub.root}/counts; sleep 0.1; rm "
        f"{room}/$ENNIO_CHECK"
    )
    forge = hub.forge(checks=[{"name": f"c{n}", "run": run} for n in range(6)], check_slots=2)
    hub.push("fix", {"a": "a"})
    seen_pull(forge, watch("fix"))
    assert _finished(forge).checks is CheckState.PASSING
    counts = [int(line) for line in (hub.root / "counts").read_text().split()]
    assert len(counts) == 6
    assert max(counts) <= 2


def test_without_a_place_for_checkouts_the_sessions_are_unknown_until_there_is_one(
    hub: Hub,
) -> None:
    place = hub.root / "forge" / "checks"
    place.parent.mkdir()
    place.touch()
    forge = hub.forge(**_check("true"))
    hub.push("fix", {"a": "a"})
    seen = forge.survey([watch("fix")])["s-1"]
    assert seen.presence is Presence.UNKNOWN
    assert str(place) in seen.detail
    place.unlink()
    seen_pull(forge, watch("fix"))
    assert _finished(forge).checks is CheckState.PASSING


def test_a_check_for_which_the_machine_has_no_room_is_run_again_and_fails_for_nothing(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, tries = check_run.check_out, []

    def without_room(repository: Path, head: str, target: Path) -> None:
        tries.append(target)
        if len(tries) < 3:
            raise OSError(errno.ENOSPC, "No space left on device", str(target))
        real(repository, head, target)

    monkeypatch.setattr(check_run, "check_out", without_room)
    monkeypatch.setattr(check_pool, "AGAIN", 0.05)
    forge = hub.forge(**_check("true"))
    head = hub.push("fix", {"a": "a"})
    seen_pull(forge, watch("fix"))
    assert _finished(forge).checks is CheckState.PASSING
    assert len(tries) == 3
    assert [row.run for row in hub.store.checks("shop", head)] == [1], "it is the same run"


def test_a_head_that_cannot_be_checked_out_fails_and_says_why(hub: Hub) -> None:
    hub.push("fix", {".gitattributes": "*.x filter=broken\n", "a.x": "a\n"})
    forge = hub.forge(**_check("true"))
    global_config = hub.root / "gitconfig"
    global_config.write_text('[filter "broken"]\n\trequired = true\n\tsmudge = false\n')
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIT_CONFIG_GLOBAL", str(global_config))
        seen_pull(forge, watch("fix"))
        tail = _finished(forge).failing[0].log_tail
    assert "test could not be run" in tail
    assert "a.x" in tail


def test_shutting_down_ends_the_checks_and_the_next_start_runs_them_again(hub: Hub) -> None:
    gate, pid = hub.root / "gate", hub.root / "pid"
    config = _check(f"echo $$ > {pid}; " + WAITING.format(gate=gate))
    first = hub.forge(**config)
    head = hub.push("fix", {"a": "a"})
    seen_pull(first, watch("fix"))
    eventually(lambda: pid.exists() and pid.read_text().strip())
    first.shutdown()
    assert not _alive(int(pid.read_text()))
    assert hub.store.unfinished_checks("shop") == ()
    gate.touch()
    second = hub.forge(**config)
    assert seen_pull(second, watch("fix", number=1)).checks is CheckState.PENDING
    assert _finished(second).checks is CheckState.PASSING
    assert [(row.run, row.state) for row in hub.store.checks("shop", head)] == [
        (2, CheckState.PASSING)
    ]


def test_ended_pull_requests_end_their_checks(hub: Hub) -> None:
    started = hub.root / "started"
    forge = hub.forge(**_check(f"touch {started}; sleep 300"))
    head = hub.push("fix", {"a": "a"})
    seen_pull(forge, watch("fix"))
    eventually(started.exists)
    assert forge.close(1).state is PullState.CLOSED
    eventually(lambda: hub.store.unfinished_checks("shop") == ())
    assert hub.store.checks("shop", head)[0].state is CheckState.UNKNOWN


KILLED = """
import sys, time
from pathlib import Path
from ennio.model.clock import SystemClock
from ennio.plugins.forge.local.check_pool import CheckPool, CheckSubject
from ennio.plugins.forge.local.settings import CheckCommand
from tests.plugins.forge.memory_store import MemoryForgeStore
repository, directory, head, command = sys.argv[1:]
pool = CheckPool("shop", Path(repository), Path(directory), MemoryForgeStore(), SystemClock(), slots=1)
pool.queue(CheckSubject(head, "fix", "main", 1), CheckCommand("test", command), 1)
time.sleep(300)
"""


@pytest.mark.parametrize(
    "command",
    [
        pytest.param("echo $$ > {pid}; sleep 300", id="marked"),
        pytest.param(
            "env -i /bin/sh -c 'echo $$ > {pid}; sleep 300; :'; :", id="its mark cleared away"
        ),
        pytest.param(
            "setsid sh -c 'echo $$ > {pid}; sleep 300; :'; :", id="in a session of its own"
        ),
    ],
)
def test_a_killed_supervisors_checks_are_swept_up_but_not_a_living_ones(
    hub: Hub, command: str
) -> None:
    pid, gate = hub.root / "pid", hub.root / "gate"
    head = hub.push("fix", {"a": "a"})
    living = hub.forge(**_check(f"touch {gate}.on; " + WAITING.format(gate=gate)))
    seen_pull(living, watch("fix"))
    eventually(Path(f"{gate}.on").exists)
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            KILLED,
            str(hub.path),
            str(hub.root / "forge"),
            head,
            command.format(pid=pid),
        ]
    )
    try:
        eventually(lambda: pid.exists() and pid.read_text().strip())
    finally:
        process.kill()
        process.wait()
    orphan = int(pid.read_text())
    assert _alive(orphan)
    assert len(list((hub.root / "forge" / "checks").iterdir())) == 2
    hub.store.save_check(hub.store.checks("shop", head)[0])
    hub.forge().pulls()
    eventually(lambda: not _alive(orphan))
    assert len(list((hub.root / "forge" / "checks").iterdir())) == 1
    gate.touch()
    eventually(
        lambda: not list((hub.root / "forge" / "checks").glob("*/*/")),
        why="the living forge's own check to end",
    )


def test_old_logs_go_and_those_of_open_pull_requests_stay(hub: Hub) -> None:
    head = hub.push("fix", {"a": "a"})
    hub.forge().open("fix", "main", "t", "")
    logs = hub.root / "forge" / "logs"
    for name, age in (("old", 15), ("young", 13), (head, 15)):
        (logs / name).mkdir(parents=True)
        moment = hub.clock.now().timestamp() - age * 86400
        os.utime(logs / name, (moment, moment))
    hub.forge().pulls()
    assert sorted(path.name for path in logs.iterdir()) == sorted(["young", head])


GEVENT = """
from gevent import monkey
monkey.patch_all()
import sys, time, gevent
from pathlib import Path
from tests.conftest import eventually
from tests.plugins.forge.hub import Hub, seen_pull, watch
from ennio.model.pulls import CheckState
hub = Hub(Path(sys.argv[1]))
ticks = []
def tick():
    while True:
        ticks.append(1)
        gevent.sleep(0.01)
gevent.spawn(tick)
hub.push("fix", {"a": "a"})
forge = hub.forge(checks=[{"name": "slow", "run": "sleep 0.5"}, {"name": "endless", "run": "sleep 300", "timeout": "700ms"}])
seen_pull(forge, watch("fix"))
ticks.clear()
eventually(lambda: all(run.state is not CheckState.PENDING for run in forge.look(1).check_runs))
print({run.name: str(run.state) for run in forge.look(1).check_runs}, len(ticks) > 20)
forge.rerun(1)
hub.end()
"""


def test_checks_leave_other_greenlets_running_in_a_patched_process(
    hub: Hub, tmp_path: Path
) -> None:
    place = tmp_path / "patched"
    place.mkdir()
    answer = subprocess.run(
        [sys.executable, "-c", GEVENT, str(place)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.strip() == "{'slow': 'passing', 'endless': 'failing'} True"


def test_the_tail_is_bounded_and_readable(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    log.write_bytes(
        b"x" * 100_000
        + b"\nprogress 1%\rprogress 100%\r\n\x1b]0;title\x07bell\xff\n"
        + textwrap.dedent("end").encode()
    )
    tail = check_log.tail(log)
    assert len(tail.encode()) < check_log.TAIL_BYTES + 200
    assert tail.splitlines() == ["progress 100%", "bell\ufffd", "end", f"(the whole log: {log})"]
    assert "cannot be read" in check_log.tail(tmp_path / "none.log")
