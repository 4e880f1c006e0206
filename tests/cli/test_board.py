"""The live board on a real terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios

import pytest

from tests.cli.conftest import Api
from tests.conftest import eventually

pytest.importorskip("blessed")

ROW = {
    "id": "ma-1a2b3c4d",
    "project_id": "my-app",
    "status": "working",
    "activity": "active",
    "created_at": "2026-01-01T00:00:00+00:00",
}


def _size(terminal: int, rows: int, columns: int) -> None:
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


@pytest.mark.parametrize("more", [{}, {"NO_COLOR": "1"}])
def test_the_board_paints_refreshes_follows_a_resize_and_quits(
    api: Api, more: dict[str, str]
) -> None:
    api.on("GET", "/sessions", [ROW]).on("GET", "/queue", [])
    ours, theirs = pty.openpty()
    _size(theirs, 20, 100)
    env = api.place.env | {"TERM": "xterm-256color"} | more
    with subprocess.Popen(
        api.place.command("board"),
        cwd=api.place.folder,
        env=env,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    ) as process:
        os.close(theirs)
        shown = bytearray()

        def read() -> bytes:
            if select.select([ours], [], [], 0.05)[0]:
                said = os.read(ours, 65536)
                shown.extend(said)
                # as every terminal does when it is asked where its cursor is
                os.write(ours, b"\x1b[1;1R" * said.count(b"\x1b[6n"))
            return bytes(shown)

        assert eventually(lambda: b"ma-1a2b3c4d" in read())
        assert eventually(lambda: read() and api.unchanged), "what it has is not sent to it again"
        api.on("GET", "/sessions", [ROW, ROW | {"id": "ma-2b3c4d5e"}])
        assert eventually(lambda: b"ma-2b3c4d5e" in read())
        assert (b"\x1b[34m" in shown) == (not more)
        shown.clear()
        _size(ours, 10, 30)
        assert eventually(lambda: b"ennio  http://127.0" in read())
        api.on("GET", "/sessions", "out of reach", status=504, error="TimedOut")
        assert eventually(lambda: b"not up to date: out of reach" in read())
        os.write(ours, b"q")
        assert process.wait(20) == 0
    os.close(ours)
