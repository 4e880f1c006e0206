"""Whoever waits for news of a machine over there, and the hooks that bring it."""

from __future__ import annotations

import contextlib
import subprocess
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ennio.machine.news_watch import FILES, NOTIFIED
from ennio.machine.ssh.machine import SshMachine
from ennio.plugins.agent import hook_script
from tests.conftest import eventually
from tests.ssh.sshd import Account


class Ear:
    """Waits for news of these sessions beside the test; ``words`` are all that were told so far."""

    def __init__(self, machine: SshMachine, sessions: Sequence[str]) -> None:
        self.watch = machine.watch()
        self.words = list[frozenset[str]]()
        self._ended = threading.Event()
        for session_id in sessions:
            self.watch.files((session_id, FILES), ())
        self._waiting = threading.Thread(target=self._wait, daemon=True)
        self._waiting.start()

    @property
    def heard(self) -> frozenset[str]:
        """Everybody whose hook wrote so far."""
        return frozenset[str]().union(*self.words)

    def _wait(self) -> None:
        while not self._ended.is_set():
            found = self.watch.wait(1.0)
            assert {kind for _, kind in found} <= {NOTIFIED}
            if found:
                self.words.append(frozenset(session_id for session_id, _ in found))

    def close(self) -> None:
        self._ended.set()
        self.watch.close()
        self._waiting.join(30)


@contextlib.contextmanager
def listening(machine: SshMachine, *sessions: str) -> Iterator[Ear]:
    """Somebody who waits for news of these until the block is left."""
    ear = Ear(machine, sessions)
    try:
        yield ear
    finally:
        ear.close()


def pipes(account: Account) -> list[Path]:
    """The pipes that are over there."""
    folder = account.home / ".ennio" / "notify"
    return [path for path in folder.glob("[!.]*") if path.is_fifo()]


def await_pipes(account: Account, number: int = 1) -> None:
    """Wait until there are so many."""
    eventually(lambda: len(pipes(account)) == number, why=f"{number} pipes are read there")


def shells(account: Account) -> list[int]:
    """The shells of ours that live over there."""
    return account.processes(lambda one: any("ennio_l" in word for word in one.cmdline()))


def session_folder(account: Account, session_id: str) -> Path:
    """The folder of a session over there, with its hook."""
    folder = account.home / ".ennio" / "sessions" / session_id
    for made in (folder.parent.parent, folder.parent, folder):
        made.mkdir(mode=0o700, exist_ok=True)
        account.own(made)
    return folder


def notify(machine: SshMachine, account: Account, session_id: str) -> None:
    """What an agent of a session does when its turn is over."""
    folder = session_folder(account, session_id)
    for path, text in hook_script.files(machine, folder).items():
        path.write_text(text)
        account.own(path)
    run_as(account, "sh", str(folder / "hook.sh"), str(folder))


def run_as(account: Account, *words: str) -> None:
    """Run something over there, which says nothing and does not fail."""
    who: dict[str, Any] = dict(account.as_user)
    done = subprocess.run(
        words,
        cwd="/",
        input=b'{"hook_event_name": "Stop"}',
        env={"HOME": str(account.home), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        timeout=60,
        check=False,
        **who,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
