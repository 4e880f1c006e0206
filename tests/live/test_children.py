"""Children that are begun natively under gevent: as right as gevent's own, and
nobody waits while they run.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BEGIN = """
from gevent import monkey; monkey.patch_all()
from ennio.children import begin_natively; begin_natively()
import gc, gevent, os, signal, subprocess, time
"""


def told(code: str) -> list[str]:
    """What a process printed that begins its children so."""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", BEGIN + code],
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def test_the_standard_library_begins_them() -> None:
    assert told("from gevent.subprocess import Popen; print(Popen._execute_child.__module__)") == [
        "ennio.children"
    ]


def test_a_child_gets_its_input_its_folder_and_its_environment_and_gives_output_and_code() -> None:
    code = """
done = subprocess.run(["sh", "-c", "pwd; echo $WORD; cat | wc -c; echo oops >&2; exit 7"],
                      cwd="/", env={"WORD": "here", "PATH": os.environ["PATH"]}, input="x" * 1000000, capture_output=True, text=True)
print(*done.stdout.split(), done.stderr.strip(), done.returncode)
"""
    assert told(code) == ["/ here 1000000 oops 7"]


@pytest.mark.parametrize(
    ("call", "error"),
    [
        ("['/nowhere/program']", "FileNotFoundError"),
        ("['no-such-program']", "FileNotFoundError"),
        ("['/etc/passwd']", "PermissionError"),
        ("['true'], cwd='/nowhere'", "FileNotFoundError"),
        ("['sleep', '60'], timeout=0.2", "TimeoutExpired"),
    ],
)
def test_what_cannot_begin_or_does_not_end_is_said_as_ever(call: str, error: str) -> None:
    code = f"""
try:
    subprocess.run({call})
except (OSError, subprocess.SubprocessError) as error:
    print(type(error).__name__)
"""
    assert told(code) == [error]


def test_a_child_has_a_session_of_its_own_and_dies_of_a_signal() -> None:
    code = """
child = subprocess.Popen(["sleep", "60"], start_new_session=True)
print(os.getsid(child.pid) == child.pid)
os.killpg(child.pid, signal.SIGTERM)
print(child.wait())
"""
    assert told(code) == ["True", "-15"]


def test_hundreds_at_once_each_end_with_their_own_code_and_leave_no_descriptor() -> None:
    code = """
def one(number):
    return subprocess.run(["sh", "-c", f"sleep 0.0{number % 9}; exit {number % 100}"], capture_output=True).returncode == number % 100
one(0)
before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
jobs = gevent.joinall([gevent.spawn(one, number) for number in range(300)], timeout=50)
print(all(job.value for job in jobs), len(jobs))
gc.collect()
print((len(os.listdir("/proc/self/fd")) if before else 0) - before)
"""
    assert told(code) == ["True 300", "0"]


def test_others_go_on_while_one_waits_for_a_child() -> None:
    code = """
ticks = 0
waiting = gevent.spawn(subprocess.run, ["sleep", "0.5"])
while not waiting.ready():
    gevent.sleep(0.01)
    ticks += 1
print(ticks > 10)
"""
    assert told(code) == ["True"]


def test_the_supervisor_begins_its_children_so() -> None:
    code = (
        "import ennio.supervise; from gevent.subprocess import Popen; "
        "print(Popen._execute_child.__module__)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        cwd=ROOT,
    )
    assert done.stdout == "ennio.children\n"
