"""What every real runtime promises of the program it runs: what it is
given, what it leaves behind.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from ennio.machine.process_table import start_of
from tests.conftest import eventually
from tests.contract.runtime_bench import Bench


def test_the_environment_is_exactly_the_one_given(
    real: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUPERVISOR_SECRET", "hush")
    seen = real.root / "env"
    launch = real.launch(
        "sh", "-c", f"exec env -0 > {seen}", WORDS="two words\nand a line; 'quoted'"
    )
    real.runtime.start(launch)
    eventually(lambda: real.pane().dead)
    told = dict(entry.split("=", 1) for entry in seen.read_text().split("\0") if entry)
    assert told.pop("TERM") in {"screen-256color", "xterm-256color"}
    assert {
        name: value for name, value in told.items() if name not in {"PWD", "OLDPWD", "SHLVL", "_"}
    } == launch.env


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
    assert (
        "hush-hush-hush"
        not in subprocess.run(
            ["ps", "axww", "-o", "args="], capture_output=True, text=True, check=True
        ).stdout
    )


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
    os.wait()  # it is hung up with its terminal unless it has left it
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
    handle = real.runtime.start(
        real.launch(sys.executable, "-c", textwrap.dedent(LEAVES), str(pids))
    )
    eventually(lambda: pids.exists() and len(pids.read_text().split()) == 3)
    real.runtime.stop(handle)
    assert [pid for pid in pids.read_text().split() if start_of(int(pid))] == []


def test_incident_40_a_daemon_is_found_after_its_agent_has_ended(real: Bench) -> None:
    pids = real.root / "pids"
    script = textwrap.dedent(LEAVES).split("if os.fork() == 0:  # no mark")[0]
    handle = real.runtime.start(real.launch(sys.executable, "-c", script, str(pids)))
    eventually(lambda: real.pane().dead and pids.exists() and pids.read_text())
    daemon = int(pids.read_text())
    assert start_of(daemon)
    real.runtime.stop(handle)
    assert not start_of(daemon)


def test_agents_survive_the_violent_death_of_who_started_them(real: Bench) -> None:
    launch = real.launch()
    script = f"""
        import os, signal
        from pathlib import Path
        from ennio.plugins.runtime.interface import LaunchSpec
        {real.construct}
        folders = Path({str(launch.cwd)!r}), Path({str(launch.directory)!r})
        runtime.start(LaunchSpec({launch.name!r}, {launch.argv!r}, folders[0], {launch.env!r}, folders[1]))
        os.killpg(0, signal.SIGKILL)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], start_new_session=True, check=False
    )
    assert done.returncode == -signal.SIGKILL
    handle = real.runtime.start(launch)
    eventually(lambda: "READY" in real.runtime.output(handle, 50))
    assert not real.pane().dead
    real.runtime.paste(handle, "still here")
    assert b"still here" in real.received(b"\x1b[201~")
