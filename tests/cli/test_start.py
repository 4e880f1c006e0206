"""Starting and stopping, as far as it can go wrong; the whole way is told
by the end-to-end tests.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys

from ennio.board.quantities import local
from ennio.board.sessions import living
from ennio.cli.logfile import grown, tail
from ennio.cli.process import command, holders, is_supervisor, within
from ennio.http.address import LOCK
from ennio.machine.home import Home, private
from tests.cli.conftest import MINIMAL, Api, Place


def test_a_supervisor_that_runs_is_not_started_again(api: Api) -> None:
    for words in (["start"], ["start", "--detach"]):
        ended = api.ennio(*words)
        assert ended.code == 1
        since = local("2026-01-01T00:00:00+00:00")
        assert f"it runs already: pid {os.getpid()} since {since}, {api.url}" in ended.err


def test_incident_51_a_taken_port_ends_the_start_with_the_reason_alone(
    place: Place,
) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        (place.folder / "ennio.yaml").write_text(MINIMAL.format(port=port))
        ended = place.ennio("start", "--detach")
    assert ended.code == 1
    assert f"the supervisor could not start: port {port} on 127.0.0.1 is taken by" in ended.err
    assert "the last lines of" not in ended.err
    assert str(port) in place.ennio("logs").out
    assert place.ennio("stop").code == 4


def test_of_two_starts_at_once_one_stands_and_the_other_is_gone_and_never_takes_its_place(
    place: Place,
) -> None:
    """The one that lost waited for the lock, and stood up when the other was stopped."""
    (place.folder / "ennio.yaml").write_text(MINIMAL.format(port=0))
    lock = Home(place.home / "ennio").run(place.folder / "ennio.yaml") / LOCK
    words = place.command("start", "--detach")
    for _ in range(3):
        both = [
            subprocess.Popen(
                words, cwd=place.folder, env=place.env, stderr=subprocess.PIPE, text=True
            )
            for _ in range(2)
        ]
        said = sorted((one.communicate(timeout=60)[1], one.returncode) for one in both)
        assert sorted(code for _, code in said) == [0, 1], said
        assert [code for words, code in said if "runs already" in words] == [1], said
        assert place.ennio("stop").code == 0
        # a loser that was still there would take it within a tenth of a second
        assert not within(0.5, lambda: bool(holders(lock)))


def test_a_start_that_fails_shows_its_own_words_and_none_of_an_earlier_run(place: Place) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        (place.folder / "ennio.yaml").write_text(MINIMAL.format(port=listener.getsockname()[1]))
        log = (
            private(Home(place.home / "ennio").run(place.folder / "ennio.yaml")) / "supervisor.log"
        )
        log.write_text("".join(f"a word of an earlier run {number}\n" for number in range(3)))
        ended = place.ennio("start", "--detach")
    assert ended.code == 1
    assert "the supervisor could not start: " in ended.err
    assert "earlier run" not in ended.err
    assert "earlier run" in log.read_text()


def test_stop_asks_counts_the_agents_and_waits(api: Api) -> None:
    living = {"id": "a", "status": "working", "activity": "active", "queued": None}
    api.on("GET", "/sessions", [living, living | {"status": "exited"}]).on(
        "POST", "/shutdown", "stopping"
    )
    ended = api.ennio("stop", "--timeout", "0.2")
    # this test's process holds the lock and does not end: that is told too
    assert ended.code == 1
    assert f"pid {os.getpid()} still runs after 0.2 s" in ended.err
    assert "ennio stop --force" in ended.err
    forced = api.ennio("stop", "--timeout", "0.2", "--force")
    assert forced.code == 1
    assert "is still held, by no supervisor of yours" in forced.err
    assert ("POST", "/shutdown", {}, {}) in api.asked


def test_stop_counts_the_agents_that_live_on_after_their_merge() -> None:
    over = {"id": "a", "status": "merged", "activity": "idle", "queued": None}
    kept = [
        over,
        over | {"id": "b", "activity": "exited"},
        over | {"id": "c", "status": "killed"},
        over | {"id": "d", "activity": None},
    ]
    assert [session["id"] for session in living(kept)] == ["a"]


def test_stop_does_not_signal_a_process_that_is_no_supervisor(api: Api) -> None:
    api.on("GET", "/sessions", "gone", status=504).on("POST", "/shutdown", "gone", status=504)
    ended = api.ennio("stop")
    assert ended.code == 1
    assert "is no supervisor" in ended.err


def test_a_pid_is_a_supervisors_only_when_its_command_line_says_so(place: Place) -> None:
    assert not is_supervisor(os.getpid())
    assert not is_supervisor(2**22 + 1)
    code = "import time; time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code, "-m", "ennio.supervise"]) as process:
        assert within(10, lambda: is_supervisor(process.pid))
        process.kill()
        process.wait()
        assert not is_supervisor(process.pid)


def test_the_command_names_the_configuration(place: Place) -> None:
    assert command(place.folder / "ennio.yaml")[-4:] == [
        "-m",
        "ennio.supervise",
        "--config",
        str(place.folder / "ennio.yaml"),
    ]


def test_the_supervisors_module_makes_everything_cooperative_first(place: Place) -> None:
    modules = ("socket", "threading", "subprocess", "time", "select")
    code = (
        "import ennio.supervise, gevent.monkey as m; print(all(map(m.is_module_patched, "
        f"{modules})))"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env=place.env,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("True\n", "")


def test_the_end_of_a_log_is_read_from_its_end(place: Place) -> None:
    log = place.home / "log"
    log.write_text("".join(f"line {number} {'x' * 90}\n" for number in range(5000)))
    assert [line.split()[1] for line in tail(log, 3)] == ["4997", "4998", "4999"]
    assert len(tail(log, 10_000)) == 5000
    assert tail(log, 0) == []
    assert tail(log, 10, begin=log.stat().st_size) == []
    assert tail(log, 10, begin=log.stat().st_size - len(tail(log, 1)[0]) - 1) == tail(log, 1)


def test_a_log_begun_anew_is_followed_from_its_beginning(place: Place) -> None:
    log = place.home / "log"
    log.write_text("old\n")
    lines = grown(log, log.stat().st_size)
    place.home.joinpath("other").write_text("new\n")
    import threading

    threading.Timer(0.3, lambda: (place.home / "other").replace(log)).start()
    assert next(lines) == "new\n"


def test_the_last_words_of_a_log_that_was_moved_away_are_followed_too(place: Place) -> None:
    log = place.home / "log"
    log.write_text("old\n")
    lines = grown(log, 0)
    assert next(lines) == "old\n"
    log.rename(place.home / "log.1")
    with (place.home / "log.1").open("a") as moved:
        moved.write("last\n")
    log.write_text("new\n")
    assert (next(lines), next(lines)) == ("last\n", "new\n")


def test_logs_says_where_the_log_would_be(place: Place) -> None:
    config = place.folder / "ennio.yaml"
    config.write_text(MINIMAL.format(port=3000))
    ended = place.ennio("logs")
    assert ended.code == 3
    assert "--detach" in ended.err
    run_dir = private(Home(place.home / "ennio").run(config))
    (run_dir / "supervisor.log").write_text("a\nb\n")
    assert place.ennio("logs", "-n", "1").out == "b\n"
    (run_dir / "supervisor.log.1").write_text("x\ny\n")
    assert place.ennio("logs", "-n", "3").out == "y\na\nb\n"
