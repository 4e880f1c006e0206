"""A real terminal: a pane of tmux in which keys are typed and whose screen is read."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import eventually, need


@dataclass(frozen=True, slots=True)
class Pane:
    """One pane on a server of its own; a shell runs in it."""

    socket: str
    folder: Path
    env: Mapping[str, str]

    def tmux(self, *words: str) -> str:
        done = subprocess.run(
            ["tmux", "-L", self.socket, *words],
            env={**self.env, "TERM": "xterm-256color"},
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        return done.stdout

    def run(self, command: Sequence[str]) -> None:
        """Type a command and Enter, on a screen that is empty."""
        self.tmux("send-keys", "-l", f"clear; {shlex.join(command)}")
        self.keys("Enter")

    def keys(self, *names: str) -> None:
        """Press keys, as tmux names them."""
        for name in names:
            self.tmux("send-keys", name)

    def write(self, text: str) -> None:
        """Type a text."""
        self.tmux("send-keys", "-l", text)

    @property
    def screen(self) -> str:
        """What stands there."""
        return self.tmux("capture-pane", "-p")

    @property
    def modes(self) -> str:
        """Whether the alternate screen is shown, the cursor is seen, the mouse is taken."""
        return self.tmux(
            "display-message", "-p", "#{alternate_on} #{cursor_flag} #{mouse_any_flag}"
        ).strip()

    def shows(self, *texts: str, within: float = 30.0, without: str = "") -> str:
        """The screen, once all these texts stand there."""

        def seen() -> str:
            screen = self.screen
            missing = [text for text in texts if text not in screen]
            assert not missing, f"{missing} not in\n{screen}"
            assert not without or without not in screen, f"{without!r} still in\n{screen}"
            return screen

        return str(eventually(seen, within, f"{texts} on the screen"))

    def line(self, text: str) -> str:
        """The line of the screen that holds this."""
        return next((line for line in self.screen.splitlines() if text in line), "")


@contextmanager
def pane(folder: Path, env: Mapping[str, str], columns: int, lines: int) -> Iterator[Pane]:
    """A pane with a shell, and nothing left of it afterwards."""
    need("tmux")
    made = Pane(f"ennio-board-{os.getpid()}-{abs(hash(str(folder))) % 10**6}", folder, env)
    size = ("-x", str(columns), "-y", str(lines))
    made.tmux("-f", "/dev/null", "new-session", "-d", *size, "-c", str(folder), "bash --norc")
    made.tmux("set-option", "-g", "status", "off")
    try:
        yield made
    finally:
        made.tmux("kill-server")
