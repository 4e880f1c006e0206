"""What every runtime promises, over all of them; what needs real processes, over the real ones."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from ennio.errors import Conflict, Invalid, NotFound
from ennio.model import RuntimeHandle
from ennio.plugins.runtime.birth import exists, started
from ennio.plugins.runtime.interface import Key
from tests.conftest import eventually
from tests.contract.runtime_bench import BENCHES, Bench

NASTY = (
    "it's a \"quote\"",
    "two\nlines\n\nand a tab\there",
    "ends with a semicolon;",
    "-leading dash",
    "Enter",
    "C-c",
    "$(touch /tmp/owned) `id` ${HOME} #{pane_id} %1 \\; !x",
    "umlaut ö, 漢字, 🙂, zero\u200bwidth",
    "\x1b[31mred\x1b[0m and \x03 and \x7f",
    "x" * 150_000 + "end",
)


@pytest.fixture(params=list(BENCHES))
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    yield from BENCHES[request.param](tmp_path)


@pytest.fixture(params=[name for name in BENCHES if name != "stub"])
def real(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    yield from BENCHES[request.param](tmp_path)


def test_nothing_started_is_nothing_there(bench: Bench) -> None:
    assert bench.runtime.survey() == {}
    assert bench.runtime.screens([bench.name]) == {}


def test_a_started_agent_is_alive_in_the_survey(bench: Bench) -> None:
    handle = bench.start()
    pane = bench.pane()
    assert (pane.name, pane.number, pane.dead, str(pane.pid)) == (bench.name, 1, False, handle.data["pid"])
    assert (handle.id, handle.runtime_name) == (bench.name, bench.runtime.name)


def test_the_handle_holds_the_birth_of_its_process(real: Bench) -> None:
    handle = real.start()
    assert handle.data["started"] == started(int(handle.data["pid"])) != ""


def test_the_same_launch_is_found_again_and_not_started_twice(bench: Bench) -> None:
    handle = bench.start()
    assert bench.runtime.start(bench.launch()) == handle
    assert bench.again().start(bench.launch()) == handle


def test_a_launch_that_already_ended_is_not_run_again(bench: Bench) -> None:
    handle = bench.start()
    bench.end(handle, exit_code=3)
    assert bench.runtime.start(bench.launch()).data["pid"] == handle.data["pid"]
    assert bench.pane().exit_code == 3


def test_a_dead_terminal_gives_way_to_the_next_launch(bench: Bench) -> None:
    bench.end(bench.start(), exit_code=3)
    later = bench.runtime.start(bench.launch(number=2))
    pane = bench.pane()
    assert (pane.number, pane.dead, pane.exit_code, str(pane.pid)) == (2, False, None, later.data["pid"])


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


@pytest.mark.parametrize("text", NASTY, ids=range(len(NASTY)))
def test_incident_48_any_text_arrives_unchanged_as_one_paste(bench: Bench, text: str) -> None:
    handle = bench.start()
    bench.runtime.paste(handle, text)
    assert bench.received(b"\x1b[201~") == b"\x1b[200~" + text.encode() + b"\x1b[201~"


def test_a_text_cannot_break_out_of_its_paste(bench: Bench) -> None:
    handle = bench.start()
    bench.runtime.paste(handle, "a\x1b[201~rm -rf\r\x9b201~b")
    received = bench.received(b"b\x1b[201~")
    assert received.count(b"\x1b[201~") == 1
    assert "\x9b".encode() not in received


def test_a_nul_is_refused_by_name(bench: Bench) -> None:
    handle = bench.start()
    with pytest.raises(Invalid, match="NUL"):
        bench.runtime.paste(handle, "a\0b")


def test_incident_26_lines_arrive_as_one_paste_and_enter_is_a_key_of_its_own(real: Bench) -> None:
    handle = real.start()
    real.runtime.paste(handle, "one\ntwo")
    real.runtime.press(handle, Key.ENTER)
    assert real.received(b"\r") == b"\x1b[200~one\ntwo\x1b[201~\r"


def test_every_key_arrives_as_its_byte(real: Bench) -> None:
    handle = real.start()
    for key in (Key.CLEAR, Key.INTERRUPT, Key.UP, Key.DOWN, Key.RIGHT, Key.LEFT, Key.ESCAPE, Key.ENTER):
        real.runtime.press(handle, key)
    assert real.received(b"\r") == b"\x15\x03\x1b[A\x1b[B\x1b[C\x1b[D\x1b\r"


def test_what_is_not_there_cannot_be_typed_to_or_read(bench: Bench) -> None:
    nobody = RuntimeHandle(bench.name, bench.runtime.name)
    for call in (
        lambda: bench.runtime.paste(nobody, "x"),
        lambda: bench.runtime.press(nobody, Key.ENTER),
        lambda: bench.runtime.output(nobody, 5),
    ):
        with pytest.raises(NotFound, match=bench.name):
            call()


def test_text_for_an_agent_that_has_ended_is_not_swallowed(bench: Bench) -> None:
    handle = bench.start()
    bench.end(handle, exit_code=3)
    with pytest.raises(NotFound, match="ended"):
        bench.runtime.paste(handle, "x")


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


def test_screens_show_every_terminal_asked_for_and_leave_out_the_gone(real: Bench) -> None:
    names = [f"{real.name}-{index}" for index in range(3)]
    for index, name in enumerate(names):
        real.runtime.start(real.launch("sh", "-c", f"printf '\\033[1mline\\033[0m one\\nagent {index}\\n'; exec sleep 60", name=name))
    eventually(lambda: all(f"agent {i}" in real.runtime.screens(names).get(name, "") for i, name in enumerate(names)))
    assert real.runtime.screens([*names, "nobody"]) == {name: f"line one\nagent {index}" for index, name in enumerate(names)}
    assert real.runtime.screens(names[:1], lines=1) == {names[0]: "agent 0"}
    real.runtime.stop(RuntimeHandle(names[1], real.runtime.name))
    assert set(real.again().screens(names)) == set(real.runtime.screens(names)) == {names[0], names[2]}


def test_output_reaches_back_to_what_scrolled_away(real: Bench) -> None:
    handle = real.runtime.start(real.launch("sh", "-c", "seq 1 500; exec sleep 60"))
    eventually(lambda: real.runtime.output(handle, 3) == "498\n499\n500")
    assert real.runtime.output(handle, 400).split("\n") == [str(number) for number in range(101, 501)]


def test_output_is_there_after_the_end(real: Bench) -> None:
    handle = real.runtime.start(real.launch("sh", "-c", "echo last words; exit 7"))
    eventually(lambda: real.pane().dead)
    assert real.pane().exit_code == 7
    assert real.runtime.output(handle, 10) == "last words"


def test_the_survey_tells_title_and_time_of_the_last_output(real: Bench) -> None:
    real.start()
    eventually(lambda: real.pane().title == "a|title")
    assert real.pane().output_at is not None


def test_the_environment_is_exactly_the_one_given(real: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUPERVISOR_SECRET", "hush")
    seen = real.root / "env"
    launch = real.launch("sh", "-c", f"exec env -0 > {seen}", WORDS="two words\nand a line; 'quoted'")
    real.runtime.start(launch)
    eventually(lambda: real.pane().dead)
    told = dict(entry.split("=", 1) for entry in seen.read_text().split("\0") if entry)
    assert told.pop("TERM") in {"screen-256color", "xterm-256color"}
    assert {name: value for name, value in told.items() if name not in {"PWD", "OLDPWD", "SHLVL", "_"}} == launch.env


def test_incident_48_arguments_reach_the_program_without_a_shell(real: Bench) -> None:
    seen = real.root / "argv"
    words = ["$(touch owned)", "a b", "", "'", "end;", "-x", "line\nline", "#{pid}"]
    script = f"import sys; open({str(seen)!r}, 'w').write(repr(sys.argv[1:]))"
    real.runtime.start(real.launch(sys.executable, "-c", script, *words))
    eventually(lambda: real.pane().dead)
    assert seen.read_text() == repr(words)
    assert not (real.root / "owned").exists()


def test_neither_prompt_nor_secret_is_on_a_command_line_or_left_on_disk(real: Bench) -> None:
    handle = real.runtime.start(real.launch("sleep", "60", API_KEY="hush-hush-hush"))
    eventually(lambda: Path(f"/proc/{handle.data['pid']}/cmdline").read_bytes() == b"sleep\x0060\0")
    assert list((real.root / "sessions" / real.name).iterdir()) == []
    assert "hush-hush-hush" not in subprocess.run(["ps", "axww", "-o", "args="], capture_output=True, text=True, check=True).stdout


def test_incident_50_a_program_that_cannot_start_says_so_and_ends_at_once(real: Bench) -> None:
    handle = real.runtime.start(real.launch("no-such-agent"))
    eventually(lambda: real.pane().dead)
    assert real.pane().exit_code == 127
    assert "could not start no-such-agent" in real.runtime.output(handle, 10)


def test_broken_pipes_end_the_agents_own_commands_quietly(real: Bench) -> None:
    handle = real.runtime.start(real.launch("sh", "-c", "yes | head -n 1; echo done"))
    eventually(lambda: real.pane().dead)
    assert real.runtime.output(handle, 5) == "y\ndone"


LEAVES = """
    import os, sys, time
    def note(): open(sys.argv[1], "a").write(f"{os.getpid()}\\n")
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:  # a daemon: another session, no parent of ours
            note()
            time.sleep(600)
        os._exit(0)
    if os.fork() == 0:  # no mark, but of the same terminal
        note()
        os.execve("/bin/sleep", ["sleep", "600"], {})
    import signal
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    note()
    time.sleep(600)
"""


def test_incident_40_stop_ends_whatever_the_agent_left_running(real: Bench) -> None:
    pids = real.root / "pids"
    handle = real.runtime.start(real.launch(sys.executable, "-c", textwrap.dedent(LEAVES), str(pids)))
    eventually(lambda: pids.exists() and len(pids.read_text().split()) == 3)
    real.runtime.stop(handle)
    assert [pid for pid in pids.read_text().split() if exists(int(pid)) and started(int(pid))] == []


def test_incident_40_a_daemon_is_found_after_its_agent_has_ended(real: Bench) -> None:
    pids = real.root / "pids"
    script = textwrap.dedent(LEAVES).split("if os.fork() == 0:  # no mark")[0]
    handle = real.runtime.start(real.launch(sys.executable, "-c", script, str(pids)))
    eventually(lambda: real.pane().dead and pids.exists() and pids.read_text())
    daemon = int(pids.read_text())
    assert started(daemon)
    real.runtime.stop(handle)
    assert not started(daemon)


def test_agents_survive_the_violent_death_of_who_started_them(real: Bench) -> None:
    launch = real.launch()
    script = f"""
        import os, signal
        from pathlib import Path
        from ennio.plugins.runtime.interface import Launch
        {real.construct}
        folders = Path({str(launch.cwd)!r}), Path({str(launch.directory)!r})
        runtime.start(Launch({launch.name!r}, {launch.argv!r}, folders[0], {launch.env!r}, folders[1]))
        os.killpg(0, signal.SIGKILL)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], start_new_session=True, check=False)
    assert done.returncode == -signal.SIGKILL
    handle = real.runtime.start(launch)
    eventually(lambda: "READY" in real.runtime.output(handle, 50))
    assert not real.pane().dead
    real.runtime.paste(handle, "still here")
    assert b"still here" in real.received(b"\x1b[201~")


@contextmanager
def attached(bench: Bench, handle: RuntimeHandle) -> Iterator[int]:
    """A person's terminal that runs the attach command."""
    pid, master = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "xterm-256color"
        command = bench.runtime.attach_command(handle)
        os.execvp(command[0], command)  # noqa: S606
    try:
        yield master
    finally:
        os.close(master)  # hangs up whatever still runs there
        os.waitpid(pid, 0)


def read_until(master: int, words: bytes) -> None:
    seen = b""
    while words not in seen:
        if not select.select([master], [], [], 20)[0]:
            pytest.fail(f"the terminal never showed {words!r}: {seen!r}")
        try:
            seen += os.read(master, 4096)
        except OSError:
            pytest.fail(f"the terminal closed before it showed {words!r}: {seen!r}")


def test_a_person_can_attach_type_and_leave_and_the_agent_goes_on(real: Bench) -> None:
    handle = real.start()
    with attached(real, handle) as terminal:
        read_until(terminal, b"READY")
        os.write(terminal, b"hello")
        assert real.received(b"hello") == b"hello"
        for key in (b"\x02", b"d") if real.runtime.name == "tmux" else (b"\x1d",):
            select.select([], [], [], 0.05)  # keys that follow each other at once are a paste to tmux
            os.write(terminal, key)
        read_until(terminal, b"detached")
    assert not real.pane().dead
    real.runtime.paste(handle, "after")
    assert real.received(b"after\x1b[201~")


def test_incident_41_one_survey_of_150_terminals_is_one_request(real: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"{real.name}-{index}" for index in range(150)]
    for name in names:
        real.runtime.start(real.launch("sleep", "600", name=name))
    with counted(real, monkeypatch) as count:
        assert set(real.runtime.survey()) == set(names)
        assert count() == 1
        assert set(real.runtime.screens(names)) == set(names)
        assert count() == 2
    real.runtime.stop(RuntimeHandle(names[1], real.runtime.name))
    assert set(real.runtime.survey()) == {*names} - {names[1]}


_connects: list[object] = []
_hooked: list[bool] = []


@contextmanager
def counted(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], int]]:
    """Counts the tmux processes (by a wrapper on PATH) or the connections to the keeper (by an audit hook)."""
    if bench.runtime.name == "tmux":
        log, wrapper = bench.root / "calls", bench.root / "bin" / "tmux"
        wrapper.parent.mkdir()
        log.write_text("")
        found = subprocess.run(["which", "tmux"], capture_output=True, text=True, check=True).stdout.strip()
        wrapper.write_text(f'#!/bin/sh\necho call >> {log}\nexec {found} "$@"\n')
        wrapper.chmod(0o755)
        monkeypatch.setenv("PATH", f"{wrapper.parent}:{os.environ['PATH']}")
        yield lambda: len(log.read_text().split())
        return
    if not _hooked:
        sys.addaudithook(lambda event, arguments: _connects.append(arguments[1]) if event == "socket.connect" else None)
        _hooked.append(True)
    before = len(_connects)
    yield lambda: len(_connects) - before
