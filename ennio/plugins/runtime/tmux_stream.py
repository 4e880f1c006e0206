"""A kept client of a tmux server on a pseudo-terminal of ours: what it draws is what a person
would see who is attached and only reads.

tmux itself is the flood control: a client that reads slowly is drawn less often, and the agent is
not slowed by it. The client draws outside of the alternate screen (see the server's options), so
that what scrolls reaches the history of whoever shows it.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence

from ennio.model.errors import Unreachable
from ennio.plugins.runtime.tmux_attach_guard import AttachGuard

_PIECE = 64 << 10
_GOES = 1.0  # seconds that a client may take to end once its terminal has
_COMES = 1.0  # seconds that its first word is waited for
FAREWELL = re.compile(rb"\x1b\[1;\d+r\x1b\(B\x1b\[m\x1b\[\?1l\x1b>\x1b\[H\x1b\[2J")
"""How a client that leaves begins to give a terminal back: by clearing it. Who watches keeps the
last screen instead.
"""
FAREWELL_BEGINS = re.compile(rb"\x1b(?:\[(?:1(?:;\d*)?)?)?\Z|\x1b\[1;\d+r[\x1b(B\[m?1l>H2J]*\Z")
"""What may be its beginning, at the end of what was read: the rest comes with the next bytes."""
_FOLLOWS = 0.1  # seconds that the rest is waited for
_AGAIN = 0.25  # seconds between two questions for the size, while it draws

Size = tuple[int, int]


class TmuxStream:
    """See ``TerminalStream``. ``sized`` asks tmux for the size of the window; ``pictured`` for
    what it shows, drawn anew for the client on the terminal of this name.
    """

    def __init__(
        self,
        argv: Sequence[str],
        env: Mapping[str, str],
        sized: Callable[[], Size | None],
        pictured: Callable[[str], bytes],
        size: Size,
        guard: AttachGuard,
    ) -> None:
        self._guard = guard
        self._sized = sized
        self._pictured = pictured
        self._size = size
        self.missed = 0
        self._left = False
        self._drew = True  # since it was asked for its size
        self._asked = time.monotonic()
        self._master, slave = pty.openpty()
        try:
            self._place = os.ttyname(slave)
            _set_size(slave, size)
            os.set_blocking(self._master, False)
            with guard.command():  # that it comes is told to control clients
                self._process = subprocess.Popen(
                    argv, stdin=slave, stdout=slave, stderr=slave, env=env, cwd="/",
                    start_new_session=True,
                )  # fmt: skip
                self._is_readable(_COMES)
        except OSError as error:
            os.close(self._master)
            raise Unreachable(f"tmux could not be run: {error}") from error
        finally:
            os.close(slave)

    @property
    def size(self) -> Size:
        """See ``TerminalStream``."""
        return self._size

    def read(self, timeout: float) -> bytes | None:
        """See ``TerminalStream``; a window of another size begins anew."""
        self.missed = 0
        if self._left:
            return None
        if not self._is_readable(min(timeout, self._asks_in()) if self._drew else timeout):
            self._follow_size()
            return b"" if self._process.poll() is None else None
        data = _read(self._master)
        if data is None:  # the client has gone
            return None
        if (
            FAREWELL.search(data) is None
            and FAREWELL_BEGINS.search(data)
            and self._is_readable(_FOLLOWS)
        ):
            data += _read(self._master) or b""
        self._drew = True
        self._follow_size()
        return self._without_farewell(data)

    def picture(self) -> bytes | None:
        """See ``TerminalStream``."""
        self._follow_size(at_once=True)
        return self._pictured(self._place)

    def close(self) -> None:
        """See ``TerminalStream``."""
        with self._guard.command():  # that it goes is told, too
            self._process.terminate()  # whoever reads hears of its end
            try:
                self._process.wait(_GOES)
            except subprocess.TimeoutExpired:  # it hangs at its server
                self._process.kill()
                self._process.wait()
        os.close(self._master)

    def _without_farewell(self, data: bytes) -> bytes:
        found = FAREWELL.search(data)
        if found is None:
            return data
        try:
            self._process.wait(_GOES)
        except subprocess.TimeoutExpired:  # something else that looks like it
            return data
        self._left = True
        return data[: found.start()]

    def _is_readable(self, timeout: float) -> bool:
        poller = select.poll()
        poller.register(self._master, select.POLLIN | select.POLLHUP)
        return bool(poller.poll(timeout * 1000))

    def _asks_in(self) -> float:
        return max(0.0, self._asked + _AGAIN - time.monotonic())

    def _follow_size(self, *, at_once: bool = False) -> None:
        """Be as large as the window: a larger client is drawn with dots around it."""
        if not at_once and (not self._drew or self._asks_in() > 0):
            return
        self._asked, self._drew = time.monotonic(), False
        size = self._sized()
        if size is not None and size != self._size:
            self._size, self.missed = size, -1
            _set_size(self._master, size)
            self._process.send_signal(signal.SIGWINCH)


def _read(terminal: int) -> bytes | None:
    try:
        return os.read(terminal, _PIECE) or None
    except BlockingIOError:
        return b""
    except OSError:
        return None


def _set_size(terminal: int, size: Size) -> None:
    columns, rows = size
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
