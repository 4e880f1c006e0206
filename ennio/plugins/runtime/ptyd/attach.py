"""A person's terminal on an agent's: raw in both directions until Ctrl-] or the agent's end."""

from __future__ import annotations

import fcntl
import os
import selectors
import signal
import socket
import struct
import sys
import termios
import tty
from pathlib import Path

from ennio.plugins.runtime.ptyd.protocol import ask, connect

DETACH = b"\x1d"  # Ctrl-]
_WITHIN = 5.0
# Leave what the agent may have switched on: alternate screen, mouse, bracketed paste, a
# hidden cursor, colours.
_PLAIN = b"\x1b[?1049l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[?25h\x1b[0m\r\n"


def main(directory: str, name: str) -> int:
    """Connect standard input and output to the agent of that name; 0 after
    detaching, 1 when there is none.
    """
    home = Path(directory)
    try:
        connection = connect(home, _WITHIN)
        answer, first = ask(connection, {"op": "attach", "name": name})
    except OSError:
        answer, first = {"error": "not_found"}, b""
    if "error" in answer:
        print(f"session {name} has no terminal here: its agent is not running", file=sys.stderr)
        return 1
    print(f"attached to {name}; Ctrl-] detaches, the agent goes on", file=sys.stderr)
    connection.settimeout(None)
    _with_raw_terminal(home, name, connection, first)
    return 0


def _with_raw_terminal(home: Path, name: str, connection: socket.socket, first: bytes) -> None:
    person = sys.stdin.fileno()
    before = termios.tcgetattr(person)
    wakeup, waker = socket.socketpair()
    waker.setblocking(False)
    signal.signal(signal.SIGWINCH, lambda *_: None)
    signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
    try:
        tty.setraw(person)
        _write(first)
        _fit(home, name, repaint=True)
        ended = _carry(home, name, connection, person, wakeup)
    finally:
        termios.tcsetattr(person, termios.TCSADRAIN, before)
        _write(_PLAIN)
    print(f"the agent of {name} has ended" if ended else f"detached from {name}", file=sys.stderr)


def _carry(
    home: Path, name: str, connection: socket.socket, person: int, wakeup: socket.socket
) -> bool:
    """Copy both ways; True when the agent's side closed."""
    selector = selectors.DefaultSelector()
    for source in (connection, person, wakeup):
        selector.register(source, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            if key.fileobj is wakeup:
                wakeup.recv(4096)
                _fit(home, name)
            elif key.fileobj is connection:
                shown = connection.recv(1 << 16)
                if not shown:
                    return True
                _write(shown)
            else:
                typed = os.read(person, 1 << 12)
                words, detach, _ = typed.partition(DETACH)
                connection.sendall(words)
                if detach or not typed:
                    return False


def _fit(home: Path, name: str, *, repaint: bool = False) -> None:
    """Give the agent the person's window size; a repaint makes it paint anew even if
    that is the size it has.
    """
    rows, columns, _, _ = struct.unpack(
        "HHHH", fcntl.ioctl(sys.stdin.fileno(), termios.TIOCGWINSZ, bytes(8))
    )
    if not rows or not columns:
        return
    for height in ([max(1, rows - 1)] if repaint else []) + [rows]:
        with connect(home, _WITHIN) as request:
            ask(request, {"op": "resize", "name": name, "columns": columns, "rows": height})


def _write(data: bytes) -> None:
    while data:
        data = data[os.write(sys.stdout.fileno(), data) :]
