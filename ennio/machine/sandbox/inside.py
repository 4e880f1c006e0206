"""The first of ours behind the walls: ``python -I -S inside.py PORTS -- PROGRAM ...``.

It gives the agent a kernel session with its terminal, nothing but that open, and every signal as it
is by default; then it becomes the agent. ``PORTS`` (``1234,80``, or nothing) are led out through
the doors of their names, for programs that speak to nothing but ``127.0.0.1``. The standard library
only.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import socket
import sys
import termios
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

_DOORS = "/run/ennio"
_PIECE = 65536
_NOT_STARTED = 127


def become(ports: list[int], argv: list[str]) -> NoReturn:
    """Turn this process into the agent; exits 127 with one clear line when that cannot be."""
    os.closerange(3, 65536)
    listeners = [_listener(port) for port in ports]
    if listeners and os.fork() == 0:
        _lead_out(listeners)
    for one, _ in listeners:
        one.close()
    with contextlib.suppress(OSError):  # it leads one already
        os.setsid()
    with contextlib.suppress(OSError):  # no terminal: a test, say
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
        with contextlib.suppress(OSError, ValueError):
            signal.signal(number, signal.SIG_DFL)
    try:
        os.execvp(argv[0], argv)  # noqa: S606  no shell is the point
    except OSError as error:
        print(f"ennio could not start {argv[0]} in its sandbox: {error.strerror}", flush=True)
    sys.exit(_NOT_STARTED)


def _listener(port: int) -> tuple[socket.socket, str]:
    listener = socket.create_server(("127.0.0.1", port))
    return listener, f"{_DOORS}/{port}.sock"


def _lead_out(listeners: list[tuple[socket.socket, str]]) -> NoReturn:
    """Stand at the ports for as long as the sandbox stands."""
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(nothing, number)
    for listener, door in listeners[1:]:
        threading.Thread(target=_stand, args=(listener, door), daemon=True).start()
    _stand(*listeners[0])
    os._exit(0)


def _stand(listener: socket.socket, door: str) -> None:
    while True:
        try:
            guest, _ = listener.accept()
        except OSError:
            continue
        threading.Thread(target=_lead, args=(guest, door), daemon=True).start()


def _lead(guest: socket.socket, door: str) -> None:
    with guest, contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as there:
        there.connect(door)
        back = threading.Thread(target=pump, args=(there, guest), daemon=True)
        back.start()
        pump(guest, there)
        back.join()


def pump(source: socket.socket, to: socket.socket) -> None:
    """Pass on what comes until it ends."""
    with contextlib.suppress(OSError):
        while piece := source.recv(_PIECE):
            to.sendall(piece)
    with contextlib.suppress(OSError):
        to.shutdown(socket.SHUT_WR)


if __name__ == "__main__":
    become([int(port) for port in sys.argv[1].split(",") if port], sys.argv[3:])
