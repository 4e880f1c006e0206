"""A POSIX shell over there that is kept and asked again and again, one question at a time.

Whatever the login shell is, it is told ``exec sh`` in words that all shells read alike, and what
its files of settings print comes before the first mark. Each answer stands between two marks that
nobody can know before, on either output, so that what a program has left behind and prints later
is in no answer.
"""

from __future__ import annotations

import contextlib
import os
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ennio.model.errors import TimedOut, Unreachable

if TYPE_CHECKING:
    import paramiko

    from ennio.machine.ssh.transport import SshTransport

_LINE = "exec sh -c 'while IFS= read -r ennio_l; do eval \"$ennio_l\"; done'"
_LIBRARY = rb"""
exec 9>&2
ennio_b() { printf '%s(\n' "$ennio_n"; printf '%s(\n' "$ennio_n" >&2; }
ennio_e() { printf '%s)%s\n' "$ennio_n" "$1${2:+ $2}"; printf '%s)\n' "$ennio_n" >&2; }
ennio_f() { if [ -d "${1%/*}/" ] && [ -x "${1%/*}/" ] && ! [ -L "$1" ]; then
 echo 'No such file or directory'; else LC_ALL=C ls -ldL -- "$1" 2>&1 >/dev/null; fi; }
ennio_o() { ennio_y=; case $1 in */*) [ -f "$1" ] && [ -x "$1" ] && { ennio_d=$1; return 0; }
 if [ -e "$1" ]; then ennio_y='Permission denied'; else ennio_y=$(ennio_f "$1"); fi; return 1;; esac
 ennio_p=$2:; ennio_y='No such file or directory'
 while [ -n "$ennio_p" ]; do ennio_d=${ennio_p%%:*}; ennio_p=${ennio_p#*:}
 ennio_d=${ennio_d:-.}/$1; if [ -f "$ennio_d" ]; then
 [ -x "$ennio_d" ] && return 0; ennio_y='Permission denied'; fi; done; return 1; }
"""
"""What questions are made of: b and e print the marks; f says why a path is not there; o finds a
program on a search path (ennio_d), or why there is none (ennio_y).
"""
_FIRST = (
    b'ennio_x=$(printf "\\n."); ennio_t=${ennio_x%.}; ennio_r() { ennio_s=; ennio_i=$1; '
    b'while [ "$ennio_i" -gt 0 ]; do IFS= read -r ennio_x || exit 0; '
    b"ennio_s=$ennio_s$ennio_x$ennio_t; ennio_i=$((ennio_i-1)); done; "
    b'eval "$ennio_s"; }\n'
)
_BLOCK = 1 << 16
_PAUSE = 5.0  # seconds at most between two looks whether the line still stands
LARGE = 1 << 14  # more is not read by a shell, letter by letter


@dataclass(slots=True)
class ShellAnswer:
    """What has come so far. ``code``: how the question ended, None as long as it has not;
    ``time``: what the clock over there said then, where it was asked for.
    """

    nonce: bytes
    out: bytearray = field(default_factory=bytearray)
    err: bytearray = field(default_factory=bytearray)
    code: int | None = None
    heard: float = 0.0
    time: bytes = b""
    begun: list[bool] = field(default_factory=lambda: [False, False])
    _sought: list[int] = field(default_factory=lambda: [0, 0])
    _ended: list[bool] = field(default_factory=lambda: [False, False])

    @property
    def over(self) -> bool:
        """Whether all of it has come."""
        return all(self._ended)

    def sure(self) -> int:
        """How many bytes of the output there are so far that are no beginning of a mark."""
        if not self.begun[0] or self._ended[0]:
            return len(self.out) if self._ended[0] else 0
        mark = self.nonce + b")"
        tail = bytes(self.out[-len(mark) :])
        held = next((size for size in range(len(tail), 0, -1) if mark.startswith(tail[-size:])), 0)
        return len(self.out) - held

    def feed(self, told: bytes, *, aside: bool) -> None:
        """Take what came; ``aside``: on standard error."""
        buffer = self.err if aside else self.out
        buffer += told
        if not self.begun[aside]:
            self._begin(buffer, aside)
        if self.begun[aside] and not self._ended[aside]:
            self._end(buffer, aside)

    def lines(self) -> list[bytes]:
        """The whole lines of the output that have come so far, which are taken out of it."""
        end = self.out.rfind(b"\n", 0, self.sure()) + 1
        told = bytes(self.out[:end])
        if end:
            del self.out[:end]
            self._sought[0] = 0
        return told.splitlines()

    def take(self, pattern: bytes, taken: Callable[[re.Match[bytes]], bytes]) -> None:
        """Take words of our own out of standard error."""
        if self.nonce in self.err:
            self.err[:] = re.sub(re.escape(self.nonce) + pattern, taken, bytes(self.err))
            self._sought[1] = 0

    def _begin(self, buffer: bytearray, aside: bool) -> None:
        mark = self.nonce + b"(\n"
        place = buffer.find(mark)
        if place >= 0:
            del buffer[: place + len(mark)]
            self.begun[aside] = True
        elif len(buffer) > _BLOCK:
            del buffer[: -len(mark)]  # a shell's settings print without end

    def _end(self, buffer: bytearray, aside: bool) -> None:
        mark = self.nonce + b")"
        place = buffer.find(mark, self._sought[aside])
        if place < 0:
            self._sought[aside] = max(0, len(buffer) - len(mark))
            return
        end = buffer.find(b"\n", place)
        if end < 0:
            self._sought[aside] = place
            return
        if not aside:
            code, _, self.time = bytes(buffer[place + len(mark) : end]).partition(b" ")
            self.code = int(code or b"0")
        del buffer[place:]
        self._ended[aside] = True


class KeptShell:
    """One of a connection; used by one at a time."""

    def __init__(self, transport: SshTransport, channel: paramiko.Channel) -> None:
        self.broken = False
        self.transport, self._channel = transport, channel
        self._bell = _Bell()
        for buffer in (channel.in_buffer, channel.in_stderr_buffer):
            buffer.set_event(self._bell)  # type: ignore[arg-type]  # is one as far as it is used
        transport.begin(channel, _LINE)
        self._pending = _FIRST + _lines(_LIBRARY)
        self._answer: ShellAnswer | None = None

    def begin(
        self, body: bytes, stdin: bytes | None, until: float, more: bytes = b""
    ) -> ShellAnswer:
        """Ask; it is answered in a shell of its own below this one. With an input the shell is of
        no use any more afterwards. ``more`` is a word that tells the time. Raises Unreachable.
        """
        nonce = b"ennio-" + os.urandom(12).hex().encode()
        text = b"ennio_n=%b\nennio_b\n(\n%b\n)\nennio_e $? %b\n" % (nonce, body, more)
        sent = self._pending + _lines(text)
        self._pending = b""
        self._answer = ShellAnswer(nonce, heard=time.monotonic())
        self.broken = self.broken or stdin is not None
        self._send(sent + (stdin or b""), until, ends=stdin is not None)
        return self._answer

    def say(self, text: bytes, until: float) -> None:
        """Tell more to what is answering. Raises Unreachable."""
        self._send(text, until, ends=False)

    def wait(self, answer: ShellAnswer, until: float) -> bool:
        """Wait until all of the answer has come, or only something more of it; whether anything
        did before that time. Raises Unreachable.
        """
        while True:
            if self._drain(answer):
                return True
            if answer.over:
                return True
            if self._channel.closed or not self.transport.is_active():
                self._lost(answer)
            left = until - time.monotonic()
            if left <= 0:
                return False
            self._bell.wait(min(left, _PAUSE))

    def finish(self, answer: ShellAnswer, until: float) -> bool:
        """Wait for all of the answer; False where it has not come by then. Raises Unreachable."""
        while not answer.over:
            if not self.wait(answer, until):
                return False
        return True

    def close(self) -> None:
        """Use it no more."""
        self.broken = True
        with contextlib.suppress(EOFError, OSError):
            self._channel.close()

    @property
    def usable(self) -> bool:
        """Whether another question may be asked."""
        return (
            not self.broken
            and (self._answer is None or self._answer.over)
            and not self._channel.closed
            and not self._channel.eof_received
            and self.transport.is_active()
        )

    def _drain(self, answer: ShellAnswer) -> bool:
        moved = False
        # what it is told of goes on until it is over; after that it is somebody else's
        for ready, take, aside in (
            (self._channel.recv_ready, self._channel.recv, False),
            (self._channel.recv_stderr_ready, self._channel.recv_stderr, True),
        ):
            while ready():
                answer.feed(take(_BLOCK), aside=aside)
                moved = True
        if moved:
            answer.heard = time.monotonic()
        return moved

    def _send(self, data: bytes, until: float, *, ends: bool) -> None:
        timer = _at(until, self.transport.cut) if len(data) > LARGE else None
        try:
            self._give(data, until)
            if ends:
                self._channel.shutdown_write()
        except TimeoutError as error:
            self.broken = True
            raise TimedOut("the machine takes nothing in") from error
        except (OSError, EOFError) as error:
            self.broken = True
            raise self._gone(f"the connection broke off: {error or 'it was closed'}") from error
        finally:
            if timer is not None:
                timer.cancel()

    def _give(self, data: bytes, until: float) -> None:
        """Send it piece by piece, and take what is answered meanwhile: a program that is full
        takes nothing more.
        """
        left = memoryview(data)
        self._channel.settimeout(1.0)
        while left:
            try:
                left = left[self._channel.send(left[:_BLOCK].tobytes()) :]
            except TimeoutError:
                if time.monotonic() >= until:
                    raise
            if self._answer is not None:
                self._drain(self._answer)
            if self._channel.closed:
                raise EOFError

    def _lost(self, answer: ShellAnswer) -> None:
        self.broken = True
        if self._drain(answer):
            return
        if not any(answer.begun) and self.transport.is_active():
            raise _runs_nothing(_last_words(answer))
        raise Unreachable("the connection broke off before the answer came")

    def _gone(self, otherwise: str) -> Unreachable:
        """Why a question could not be sent: a shell that runs nothing may be gone before it was
        asked anything, and has said so.
        """
        answer = self._answer
        while answer is not None and self._drain(answer):
            continue
        words = _last_words(answer) if answer is not None and not any(answer.begun) else ""
        return _runs_nothing(words) if words else Unreachable(otherwise)


def _last_words(answer: ShellAnswer) -> str:
    return bytes(answer.err or answer.out)[-400:].decode(errors="replace").strip()


def _runs_nothing(words: str) -> Unreachable:
    said = f": {words}" if words else ""
    return Unreachable(f"the login shell over there runs no commands{said}")


class _Bell:
    """Rung by both outputs of a channel; only who waits makes it silent."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> None:
        self._event.set()

    def clear(self) -> None:
        """One output was emptied, which says nothing of the other."""

    def is_set(self) -> bool:
        return self._event.is_set()

    def wait(self, timeout: float) -> None:
        self._event.wait(timeout)
        self._event.clear()


def _at(until: float, act: object) -> threading.Timer:
    timer = threading.Timer(max(0.1, until - time.monotonic()), act)  # type: ignore[arg-type]
    timer.daemon = True
    timer.start()
    return timer


def _lines(text: bytes) -> bytes:
    """A text as the first line of the shell takes it: how many lines there are, and these."""
    body = text if text.endswith(b"\n") else text + b"\n"
    return b"ennio_r %d\n" % body.count(b"\n") + body
