"""What outlives an agent is found by its mark and ended."""

import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator

import pytest

from ennio.machine.local import LocalMachine
from ennio.machine.process_table import start_of
from ennio.plugins import orphans
from tests.conftest import eventually

STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', "
    "flush=True); time.sleep(600)"
)
Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def session_id() -> str:
    return f"fix-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def start(session_id: str) -> Iterator[Start]:
    running = []

    def begin(*argv: str, mark: str = session_id) -> "subprocess.Popen[bytes]":
        env = {"PATH": os.environ["PATH"], "ENNIO_SESSION_ID": mark}
        running.append(
            subprocess.Popen(argv, env=env, start_new_session=True, stdout=subprocess.PIPE)
        )
        return running[-1]

    yield begin
    for process in running:
        process.kill()
        process.communicate()


def test_incident_40_only_what_carries_the_mark_is_found(start: Start, session_id: str) -> None:
    mine, other = start("sleep", "60"), start("sleep", "60", mark=f"{session_id}0")
    eventually(
        lambda: [process.pid for process in orphans.find(LocalMachine(), session_id)] == [mine.pid]
    )
    orphans.end(LocalMachine(), session_id)
    assert mine.wait(30) == -15
    assert other.poll() is None


def test_what_ignores_a_request_is_killed_after_the_grace(start: Start, session_id: str) -> None:
    process = start(sys.executable, "-c", STUBBORN)
    assert process.stdout is not None
    assert process.stdout.readline() == b"up\n"
    orphans.end(LocalMachine(), session_id, grace=0.2)
    assert process.wait(30) == -9


def test_ending_nothing_is_fine(session_id: str) -> None:
    orphans.end(LocalMachine(), session_id)


def test_one_who_carries_the_mark_itself_never_ends_itself_or_its_ancestors(
    session_id: str,
) -> None:
    imports = "from ennio.machine.local import LocalMachine; from ennio.plugins import orphans"
    script = f"{imports}; orphans.end(LocalMachine(), {session_id!r}, 0.2); print('alive')"
    inner = [sys.executable, "-c", script]
    outer = (
        f"import subprocess; print(subprocess.run({inner!r}, capture_output=True, "
        "text=True).stdout)"
    )
    env = {**os.environ, "ENNIO_SESSION_ID": session_id}
    done = subprocess.run(
        [sys.executable, "-c", outer],
        env=env,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert done.stdout.strip() == "alive"


def test_a_family_is_the_process_its_descendants_and_its_kernel_session(start: Start) -> None:
    process = start("sh", "-c", "env -i sleep 60 & setsid sleep 60 & echo up; wait")
    assert process.stdout is not None
    process.stdout.readline()
    eventually(lambda: len(orphans.family(LocalMachine(), process.pid, start_of(process.pid))) == 3)
    assert orphans.family(LocalMachine(), process.pid, "1") == []
    assert orphans.family(LocalMachine(), None, "") == []
    orphans.end(
        LocalMachine(),
        "nobody",
        1.0,
        orphans.family(LocalMachine(), process.pid, start_of(process.pid)),
    )
