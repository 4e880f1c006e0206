"""A person attached in a terminal of their own, beside those who look from elsewhere."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import termios

from tests.conftest import eventually
from tests.e2e.house import Supervised
from tests.terminal.watching import typing, watching


def test_a_terminal_has_the_size_of_who_attached_to_it_until_they_leave(house: Supervised) -> None:
    session = house.spawn("echo begun", project="tmux")
    house.becomes(session, "working", within=60)
    command = house.client.get(f"/sessions/{session}/attach")
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 20, 70, 0, 0))
    with watching(house, session) as one:
        one.hears("state", cols=200, rows=50)
        person = subprocess.Popen(
            command,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**os.environ, "TERM": "xterm-256color"},
            start_new_session=True,
        )
        os.close(theirs)
        one.hears("state", cols=70, rows=20)
        os.close(ours)
        person.wait(20)
        eventually(lambda: size(house, session) == "200x50", 30, "its own size comes back")
        one.hears("state", cols=200, rows=50)


def test_a_terminal_begins_with_its_own_size_whoever_looks_at_another(house: Supervised) -> None:
    """Of tmux a new session has the size of the client that came last."""
    session = house.spawn("echo begun", project="tmux")
    house.becomes(session, "working", within=60)
    with typing(house, session) as one:
        one.say("size", cols=90, rows=25)
        one.hears("state", cols=90, rows=25)
        other = house.spawn("echo begun", project="tmux")
        house.becomes(other, "working", within=60)
        assert size(house, other) == "200x50"
        assert size(house, session) == "90x25"


def size(house: Supervised, session: str) -> str:
    told = house.ground.tmux(
        "display-message", "-p", "-t", f"={session}:", "#{window_width}x#{window_height}"
    )
    return told.stdout.strip()
