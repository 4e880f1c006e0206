"""A board that is opened on a terminal, up to what it shows there first."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_SIZE = struct.pack("HHHH", 45, 160, 0, 0)
_AT_MOST = 60.0


@dataclass(frozen=True, slots=True)
class Opening:
    """Seconds from the command to each of the texts that were waited for, and the processor time
    that it took up to the last of them.
    """

    seen: Sequence[float]
    processor: float


def opened(command: Sequence[str], cwd: Path, env: Mapping[str, str], *texts: str) -> Opening:
    """Run it until all of these stood on its terminal, which answers nothing that it is asked."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, _SIZE)
    begun = time.perf_counter()
    board = subprocess.Popen(
        command,
        cwd=cwd,
        env={**env, "TERM": "xterm-256color"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        seen = _seen(ours, begun, [text.encode() for text in texts])
    finally:
        board.kill()
        with suppress(OSError):  # which is how a terminal ends that nobody has open
            while os.read(ours, 65536):
                pass
        os.close(ours)
        _, _, used = os.wait4(board.pid, 0)
        board.returncode = -9
    return Opening(seen, used.ru_utime + used.ru_stime)


def _seen(ours: int, begun: float, texts: Sequence[bytes]) -> list[float]:
    shown, found = b"", dict[bytes, float]()
    while len(found) < len(texts):
        left = begun + _AT_MOST - time.perf_counter()
        ready, _, _ = select.select([ours], [], [], max(left, 0.0))
        assert ready, f"not shown: {[text for text in texts if text not in found]}, but {shown!r}"
        shown += os.read(ours, 65536)
        for text in texts:
            if text in shown:
                found.setdefault(text, time.perf_counter() - begun)
    return [found[text] for text in texts]
