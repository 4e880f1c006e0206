"""One agent and the terminal it lives in: spawned, read, typed to, and waited for."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import signal
import struct
import termios
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from ennio.machine.process_table import start_of
from ennio.plugins.runtime.ptyd.state_file import TerminalLog, TerminalState, write
from ennio.plugins.runtime.ptyd.terminal_parser import TerminalParser

RING = 256 << 10
_FOLLOWERS = 64
TERM = "xterm-256color"


class PtyProcess:
    """An agent that runs or has ended under this daemon.

    ``ring`` holds the newest output, ``total`` counts every byte there ever was. ``viewers`` are
    told output as it comes, ``followers`` once, that there is some. ``at_eof`` is True once no
    process has the terminal open any more.
    """

    def __init__(self, directory: Path, record: TerminalState, master: int) -> None:
        self.record = record
        self.master: int | None = master
        self.ring = bytearray()
        self.total = 0
        self.pending_input = bytearray()
        self.parser = TerminalParser()
        self.at_eof = False
        self.viewers: list[Callable[[bytes], None]] = []
        self.followers: list[Callable[[], None]] = []
        self._directory = directory
        self._log = TerminalLog(directory, record.name)
        self._size = (record.columns, record.rows)
        write(directory, record)

    def snapshot(self) -> TerminalState:
        """What a survey is told."""
        return replace(self.record, title=self.parser.title)

    def queue_input(self, data: bytes, *, paste: bool) -> None:
        """Queue input; a paste is bracketed where the program asked for
        that, as in every terminal.
        """
        self.pending_input += (
            b"\x1b[200~" + data + b"\x1b[201~" if paste and self.parser.bracketed else data
        )

    def flush(self) -> None:
        """Write as much of the queued input as the program takes now."""
        if self.master is None:
            self.pending_input.clear()
            return
        try:
            del self.pending_input[: os.write(self.master, self.pending_input[: 1 << 16])]
        except BlockingIOError:
            return
        except OSError:
            self.pending_input.clear()  # nobody reads there any more

    def read(self) -> bool:
        """Take in what the program has written; False once its terminal is closed."""
        if self.master is None:
            return False
        try:
            data = os.read(self.master, 1 << 16)
        except BlockingIOError:
            return True
        except OSError:  # EIO: the last process on this terminal is gone
            data = b""
        if data:
            self._take(data)
        return bool(data)

    def _take(self, data: bytes) -> None:
        answers = self.parser.feed(data)
        if not self.viewers:  # a person's own terminal answers by itself
            self.pending_input += answers
        self.total += len(data)
        self.ring += data
        del self.ring[:-RING]
        self._log.append(data)
        self.record = replace(self.record, output_at=time.time())
        for show in tuple(self.viewers):
            show(data)
        self.tell_followers()

    def follow(self, tell: Callable[[], None]) -> None:
        """Have it told once. Those who are gone by then are let go of now and then."""
        if len(self.followers) > _FOLLOWERS:
            self.tell_followers()
        self.followers.append(tell)

    def tell_followers(self) -> None:
        """There is more to be told, or there will never be."""
        followers, self.followers = self.followers, []
        for tell in followers:
            tell()

    def since(self, offset: int, most: int) -> tuple[int, bytes]:
        """Output from an offset on, or from where it is still remembered; with the
        offset it really starts at.
        """
        first = max(offset, self.total - len(self.ring), self.total - most)
        if offset > self.total:  # of an earlier launch
            first = self.total - min(len(self.ring), most)
        return first, bytes(self.ring[len(self.ring) - (self.total - first) :])

    def resize(self, columns: int, rows: int) -> None:
        """Give the terminal another size; the program is told."""
        self.record = replace(self.record, columns=columns, rows=rows)
        if self.master is not None:
            set_size(self.master, columns, rows)

    def keep_size(self, columns: int, rows: int) -> None:
        """The size it has when nobody is attached."""
        self._size = (columns, rows)

    def restore_size(self) -> None:
        """Back to the size it was given last, once no person looks."""
        self.resize(*self._size)

    def record_exit(self, status: int) -> None:
        """Remember how it ended."""
        code = os.waitstatus_to_exitcode(status)
        while self.read_rest():
            pass
        self.record = replace(
            self.snapshot(),
            dead=True,
            exit_code=code if code >= 0 else None,
            signal=-code if code < 0 else None,
        )
        with contextlib.suppress(OSError):  # a full disk: it is still told while this daemon lives
            write(self._directory, self.record)

    def read_rest(self) -> bool:
        """Take in one more chunk if there is one already."""
        before = self.total
        return self.read() and self.total > before

    def close(self) -> None:
        """Close the terminal: the kernel tells whatever is left on it that it hung up."""
        if self.master is not None:
            os.close(self.master)
            self.master = None
            self._log.close()

    def hang_up(self) -> None:
        """End the agent: its process group is told, then its terminal is closed."""
        if not self.record.dead:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.record.pid, signal.SIGHUP)
        self.close()


def spawn(
    directory: Path,
    name: str,
    number: int,
    command: Sequence[str],
    *,
    size: tuple[int, int],
    umask: int,
) -> PtyProcess:
    """Start a command as the leader of a session of its own, with a new
    terminal as its controlling one.
    """
    master, slave = pty.openpty()
    set_size(slave, *size)
    os.set_blocking(master, False)
    pid = os.fork()
    if pid == 0:
        _become(slave, command, umask)
    os.close(slave)
    try:
        return PtyProcess(directory, TerminalState(name, number, pid, start_of(pid), *size), master)
    except OSError:
        os.close(master)
        os.kill(pid, signal.SIGKILL)  # nobody would find it again
        os.waitpid(pid, 0)
        raise


def _become(slave: int, command: Sequence[str], umask: int) -> None:
    try:
        os.login_tty(slave)
        os.umask(umask)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.execve(command[0], list(command), {"TERM": TERM, "PATH": os.defpath})  # noqa: S606  no shell is the point
    finally:
        os._exit(127)


def set_size(terminal: int, columns: int, rows: int) -> None:
    """Set a terminal's size in characters."""
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
