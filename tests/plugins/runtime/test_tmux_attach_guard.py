"""A tmux before 3.7 ends, with all its sessions, when a control client is attached to it just as
it has something to tell: what Ennio asks of it stays out of that moment.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ennio.machine.local import LocalMachine
from ennio.plugins.runtime.interface import LaunchSpec
from ennio.plugins.runtime.tmux import TmuxRuntime
from ennio.plugins.runtime.tmux_attach_guard import AttachGuard
from tests.conftest import need

NAMES = ("a1", "b2", "c3", "d4")


def test_no_control_client_is_attached_beside_a_command() -> None:
    guard = AttachGuard()
    with guard.command():
        with guard.command(), guard.attach() as alone:
            assert not alone
        with guard.attach() as alone:
            assert not alone
    with guard.attach() as alone:
        assert alone


def test_a_command_waits_until_a_control_client_is_attached() -> None:
    guard, done = AttachGuard(), threading.Event()

    def command() -> None:
        with guard.command():
            done.set()

    thread = threading.Thread(target=command)
    with guard.attach():
        thread.start()
        assert not done.wait(0.1)
    assert done.wait(30)
    thread.join()


@pytest.fixture
def runtime() -> Iterator[TmuxRuntime]:
    need("tmux")
    name = f"ennio-{secrets.token_hex(4)}"
    runtime = TmuxRuntime(LocalMachine(), name)
    yield runtime
    runtime.shutdown()
    subprocess.run(["tmux", "-L", name, "kill-server"], capture_output=True, check=False)


@pytest.mark.parametrize("_again", range(5))
def test_a_new_server_that_is_looked_at_as_agents_begin_keeps_them_all(
    runtime: TmuxRuntime, tmp_path: Path, _again: int
) -> None:
    begun = threading.Event()

    def look() -> None:
        while not begun.is_set():
            runtime.survey()

    def begin(name: str) -> None:
        folder = tmp_path / name
        folder.mkdir(mode=0o700)
        env = {"PATH": os.environ["PATH"]}
        runtime.start(LaunchSpec(name, ("sleep", "60"), tmp_path, env, folder))

    with ThreadPoolExecutor() as pool:
        looks = [pool.submit(look) for _ in range(2)]
        try:
            [*pool.map(begin, NAMES)]
        finally:
            begun.set()
        for one in looks:
            one.result()
    assert {name: pane.dead for name, pane in runtime.survey().items()} == dict.fromkeys(
        NAMES, False
    )


def test_windows_are_not_named_after_what_runs_in_them(
    runtime: TmuxRuntime, tmp_path: Path
) -> None:
    """Each new name would be told to control clients."""
    (tmp_path / "a1").mkdir(mode=0o700)
    env = {"PATH": os.environ["PATH"]}
    runtime.start(LaunchSpec("a1", ("sleep", "60"), tmp_path, env, tmp_path / "a1"))
    asked = ["show-options", "-wgv", "automatic-rename"]
    assert runtime._client.ask(asked) == "off\n"
