"""Stands at the door of a sandbox: ``python -I -S outside.py PLAN``.

It is the process of the session's terminal, lives as long as the agent does, and outlives whoever
started it. The agent has a terminal of its own, behind this one: what it types into that by force
reaches nobody but itself. Through sockets it may ring for the supervisor, push to and fetch from
the project's repository on this machine, and reach the ports that were named; what comes through is
never believed to be more than that. The standard library only.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import resource
import select
import signal
import socket
import subprocess
import sys
import termios
import threading
import time
import tty

TYPE_CHECKING = False  # typing itself is not imported: it is to stay small
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, NoReturn

    Serve = Callable[[socket.socket], None]

_PIECE = 65536
_MOST_GUESTS = 64  # who come through one door at a time
_PATIENCE = 0.5
_BETWEEN_RINGS = 0.05
_MOST_PROCESSES = 4096
_NOT_STARTED = 127
_ENDS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT)


class HangUp(BaseException):
    """Our own terminal closes, or we are told to end."""


def main(plan: Mapping[str, Any]) -> NoReturn:
    """Open the doors, run the agent in its own terminal, and end as it ends."""
    doors = [(_listener(plan["doors"], name), serve) for name, serve in _serving(plan).items()]
    master, slave = pty.openpty()
    has_terminal = os.isatty(0)
    if has_terminal:
        _same_size(master)
        termios.tcsetattr(slave, termios.TCSANOW, termios.tcgetattr(0))
    child = os.fork()
    if child == 0:
        _become(plan["argv"], slave)
    os.close(slave)
    for listener, serve in doors:  # only now: a fork takes no threads along
        _open(listener, serve)
    signal.signal(signal.SIGWINCH, lambda *_: _same_size(master))
    for number in _ENDS:
        signal.signal(number, _hang_up)
    before = termios.tcgetattr(0) if has_terminal else None
    if has_terminal:
        tty.setraw(0)
    try:
        with contextlib.suppress(HangUp):
            _pass_on(master)
    finally:
        if before is not None:
            with contextlib.suppress(termios.error):
                termios.tcsetattr(0, termios.TCSANOW, before)
    with contextlib.suppress(OSError):
        os.close(master)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    os._exit(code if code >= 0 else 128 - code)


# --- the agent's terminal -----------------------------------------------------------------------


def _become(argv: list[str], slave: int) -> NoReturn:
    """The agent behind its walls, as the leader of a group of its own, with nothing of ours open.

    Signals that end a whole family are for those inside: bubblewrap, which they would take with
    them before they can tidy up, does not hear them.
    """
    try:
        for number in range(3):
            os.dup2(slave, number)
        os.closerange(3, 65536)
        os.setpgid(0, 0)
        for number in _ENDS:
            signal.signal(number, signal.SIG_IGN)
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        with contextlib.suppress(OSError, ValueError):
            _bound_processes()
        os.execvp(argv[0], argv)  # noqa: S606  no shell but its own
    except OSError as error:
        os.write(2, f"ennio could not start {argv[0]}: {error.strerror}\r\n".encode())
    os._exit(_NOT_STARTED)


def _bound_processes() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NPROC)
    most = _MOST_PROCESSES if hard < 0 else min(hard, _MOST_PROCESSES)
    resource.setrlimit(resource.RLIMIT_NPROC, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _same_size(master: int) -> None:
    with contextlib.suppress(OSError):
        size = fcntl.ioctl(0, termios.TIOCGWINSZ, b"\0" * 8)
        fcntl.ioctl(master, termios.TIOCSWINSZ, size)


def _hang_up(*_: object) -> NoReturn:
    """As a terminal that closes; what does not end by that is ended from outside, with us."""
    for number in _ENDS:
        signal.signal(number, signal.SIG_IGN)
    raise HangUp


def _pass_on(master: int) -> None:
    """Keys in, letters out, until the other end is closed. Who does not read keys holds up no
    letters.
    """
    os.set_blocking(master, False)
    waiting, reading = b"", [0]
    while True:
        wanted = [*(reading if len(waiting) < _PIECE else ()), master]
        try:
            ready, able, _ = select.select(wanted, [master] if waiting else [], [])
            if master in ready and not _shown(master):
                return
            if able:
                waiting = waiting[os.write(master, waiting) :]
            if 0 in ready:
                keys = os.read(0, _PIECE)
                waiting += keys
                if not keys:
                    reading = []
        except InterruptedError:
            continue
        except BlockingIOError:
            continue
        except OSError:
            return  # our own terminal is gone, or the agent's


def _shown(master: int) -> bool:
    try:
        letters = os.read(master, _PIECE)
    except BlockingIOError:
        return True
    except OSError:
        return False
    while letters:
        letters = letters[os.write(1, letters) :]
    return True


# --- the doors ----------------------------------------------------------------------------------


def _serving(plan: Mapping[str, Any]) -> dict[str, Serve]:
    found: dict[str, Serve] = {plan["hook"]: _ringing(plan["bell"])}
    for name, (argv, env) in plan["git"].items():
        found[name] = _git(argv, env)
    for name, port in plan["ports"].items():
        found[name] = _to_port(port)
    return found


def _listener(folder: str, name: str) -> socket.socket:
    """A door in a folder; the way there may be longer than the kernel takes."""
    here = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    place = f"/proc/self/fd/{here}/{name}"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(place)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(place)
    os.close(here)
    listener.listen(16)
    return listener


def _open(listener: socket.socket, serve: Serve) -> None:
    """Stand at one door, for a few at a time."""
    few = threading.Semaphore(_MOST_GUESTS)

    def stand() -> None:
        while True:
            few.acquire()
            try:
                guest, _ = listener.accept()
            except OSError:
                few.release()
                time.sleep(_PATIENCE)
                continue
            threading.Thread(target=attend, args=(guest,), daemon=True).start()

    def attend(guest: socket.socket) -> None:
        try:
            with guest:
                serve(guest)
        except OSError:
            pass  # the guest left, or what it wanted is not there
        finally:
            few.release()

    threading.Thread(target=stand, daemon=True).start()


def _ringing(bell: str) -> Serve:
    """Say "look again" to the supervisor, whose address and token stay on this side."""
    alone = threading.Lock()

    def ring(guest: socket.socket) -> None:
        with alone:
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
                _ring(bell)
            time.sleep(_BETWEEN_RINGS)
        guest.settimeout(_PATIENCE)
        guest.sendall(b".")

    return ring


def _ring(bell: str) -> None:
    with open(bell, encoding="utf-8") as file:
        hook = json.load(file)
    head = (
        f"POST {hook['path']} HTTP/1.1\r\nHost: {hook['host']}:{hook['port']}\r\nAuthorization: "
        f"Bearer {hook['token']}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    )
    with socket.create_connection((hook["host"], hook["port"]), _PATIENCE) as connection:
        connection.settimeout(_PATIENCE)
        connection.sendall(head.encode())
        connection.recv(16)


def _git(argv: list[str], env: Mapping[str, str]) -> Serve:
    """Have git speak to git: what is pushed or fetched is git's own protocol, and which repository
    it is about was said when the session began, not by who comes through.
    """

    def speak(guest: socket.socket) -> None:
        subprocess.run(
            argv,
            stdin=guest.fileno(),
            stdout=guest.fileno(),
            stderr=subprocess.DEVNULL,
            env=dict(env),
            cwd="/",
            check=False,
            start_new_session=True,
        )

    return speak


def _to_port(port: int) -> Serve:
    def lead(guest: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", port), _PATIENCE) as there:
            there.settimeout(None)
            back = threading.Thread(target=_pump, args=(there, guest), daemon=True)
            back.start()
            _pump(guest, there)
            back.join()

    return lead


def _pump(source: socket.socket, to: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(_PIECE):
            to.sendall(piece)
    with contextlib.suppress(OSError):
        to.shutdown(socket.SHUT_WR)


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as told:
        given = json.load(told)
    main(given)
