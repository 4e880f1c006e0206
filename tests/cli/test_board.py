"""The live board on a real terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
from dataclasses import asdict
from typing import Any

import pytest

from ennio.model.verbs import SESSION_VERBS
from tests.cli.conftest import Api
from tests.conftest import eventually

pytest.importorskip("blessed")

ROW: dict[str, Any] = {
    "id": "ma-1a2b3c4d",
    "project_id": "my-app",
    "status": "working",
    "activity": "active",
    "title": "Count the stars",
    "turn": "agent",
    "word": "works",
    "wants": ["tell", "interrupt"],
    "created_at": "2026-01-01T00:00:00+00:00",
}


def _size(terminal: int, rows: int, columns: int) -> None:
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


STREAM = "retry: 2000\nid: 7\n\n"


def stands(api: Api, *rows: dict[str, Any]) -> None:
    """A supervisor with these sessions. Its streams end at once, and begin again."""
    api.on("GET", "/sessions", list(rows)).on("GET", "/queue", []).on("GET", "/budgets", [])
    api.on("GET", "/events", [])
    api.on("GET", "/status", {"last_seq": 7}).on("GET", "/verbs", [])
    api.on("GET", "/events/stream", STREAM)


def _looked_at(api: Api, ours: int, *, colour: bool) -> None:
    shown = bytearray()

    def read() -> bytes:
        if select.select([ours], [], [], 0.05)[0]:
            said = os.read(ours, 65536)
            shown.extend(said)
            # as every terminal does when it is asked where its cursor is
            os.write(ours, b"\x1b[1;1R" * said.count(b"\x1b[6n"))
        return bytes(shown)

    assert eventually(lambda: b"Count the stars" in read())
    assert eventually(lambda: read() and api.unchanged), "what it has is not sent to it again"
    stands(api, ROW, ROW | {"id": "ma-2b3c4d5e", "title": "Name the planets"})
    assert eventually(lambda: b"Name the planets" in read())
    assert (b"\x1b[34m" in shown) == colour
    shown.clear()
    _size(ours, 10, 50)
    assert eventually(lambda: "►2".encode() in read())
    for path in ("/sessions", "/status", "/events/stream"):
        api.on("GET", path, "out of reach", status=504, error="TimedOut")
    assert eventually(lambda: b"out of reach" in read())
    assert b"lost" in shown
    os.write(ours, b"q")


@pytest.mark.parametrize("more", [{}, {"NO_COLOR": "1"}])
def test_the_board_paints_refreshes_follows_a_resize_and_quits(
    api: Api, more: dict[str, str]
) -> None:
    stands(api, ROW)
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
        try:
            _looked_at(api, ours, colour=not more)
        finally:
            process.terminate() if process.poll() is None else None
    os.close(ours)


def test_once_prints_a_frame_of_the_size_that_is_asked_for(api: Api) -> None:
    stands(api, ROW)
    ended = api.ennio("board", "--once", "--size", "80x10", "--ascii")
    lines = ended.out.splitlines()
    assert len(lines) == 10
    assert max(map(len, lines)) <= 80
    assert "AGENT'S TURN" in ended.out
    assert ended.out.isascii()
    assert api.ennio("board", "--once", "--json").document["sessions"][0]["id"] == ROW["id"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--once", "--size", "80"], "columns and lines are written like 80x24"),
        (["--size", "80x24"], "--size: it is of the frame that --once prints"),
        ([], "the board needs a terminal"),
    ],
)
def test_words_that_cannot_be_meant_are_told(api: Api, words: list[str], said: str) -> None:
    stands(api, ROW)
    ended = api.ennio("board", *words)
    assert ended.code != 0
    assert said in ended.err


def test_plain_says_events_as_sentences_and_takes_commands_as_lines(api: Api) -> None:
    stands(api, ROW)
    api.on("GET", "/verbs", [asdict(verb) for verb in SESSION_VERBS])
    api.on("POST", f"/sessions/{ROW['id']}/interrupt", "interrupted")
    given = f"list\ninterrupt {ROW['id']}\nkill {ROW['id']}\nmerge\nrubbish x\nlist t:nobody\n"
    with subprocess.Popen(
        api.place.command("board", "--plain"),
        cwd=api.place.folder,
        env=api.place.env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        said = ""
        while "1 session\n" not in said:
            said += process.stdout.readline()
        process.stdin.write(given)
        process.stdin.close()
        said += process.stdout.read()
        assert process.wait(20) == 0
    assert f"{ROW['id']} (my-app), Count the stars. agent, works" in said
    assert f"done: ennio interrupt {ROW['id']}" in said
    assert "Say yes." in said
    assert "there is no command rubbish; there are: answer" in said
    assert "nobody's turn" in said
