"""``ennio open`` at terminals of every kind."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

import pytest

from tests.cli.conftest import Api

SHOW = "import os, sys; print('TERM', os.environ['TERM'], 'TMUX' in os.environ)"


def opened(api: Api, **env: str) -> str:
    api.on("GET", "/sessions/ma-1a2b3c4d/attach", [sys.executable, "-c", SHOW])
    reader, writer = pty.openpty()
    process = subprocess.Popen(
        api.place.command("open", "ma-1a2b3c4d"),
        cwd=api.place.folder,
        env=api.place.env | env,
        stdin=writer,
        stdout=writer,
        stderr=writer,
    )
    os.close(writer)
    said = b""
    try:
        while piece := os.read(reader, 4096):
            said += piece
    except OSError:
        pass
    os.close(reader)
    assert process.wait(30) == 0
    return said.decode()


def test_a_known_terminal_stays_what_it_is(api: Api) -> None:
    assert opened(api, TERM="xterm", TMUX="/somewhere,1,0") == "TERM xterm False\r\n"


@pytest.mark.parametrize("term", ["no-such-terminal", "", "dumb"])
def test_a_terminal_of_an_unknown_type_is_taken_for_a_usual_one(api: Api, term: str) -> None:
    said = opened(api, TERM=term)
    assert f"the terminal type {term!r} is not known here" in said
    assert "TERM xterm-256color False" in said
