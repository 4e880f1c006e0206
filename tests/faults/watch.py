"""Notices what acts on the world without being declared: a method that writes files, ends processes
or commits, and is no point.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any

_ACTS = frozenset(
    (
        "os.chmod",
        "os.kill",
        "os.killpg",
        "os.link",
        "os.mkdir",
        "os.remove",
        "os.rename",
        "os.rmdir",
        "os.symlink",
        "os.truncate",
    )
)
_OURS = (".jsonl", "/points", "/faults", "/undeclared")  # what the tests themselves write


class Watch:
    """Who is at it in this greenlet, and a file with a line for each undeclared one that acted."""

    def __init__(self, home: Path) -> None:
        self._file = home / "undeclared"
        self._local = threading.local()

    @contextmanager
    def inside(self, name: str, *, declared: bool) -> Iterator[None]:
        """Until its end, what happens is done by this."""
        names: list[str] = self._local.__dict__.setdefault("names", [])
        names.append("" if declared else name)
        try:
            yield
        finally:
            names.pop()

    def noted(self, what: str) -> None:
        """Something acts on the world just now."""
        names = self._local.__dict__.get("names")
        if not names or not (who := names[-1]):
            return
        names.append("")  # to write it down is an act too
        with self._file.open("a") as told:
            told.write(f"{who}: {what}\n")
        names.pop()

    def begin(self) -> None:
        """Hear of every file that is written and every process that is ended in this
        process; there is no way back.
        """

        def hear(event: str, arguments: tuple[Any, ...]) -> None:
            if event in _ACTS or (event == "open" and _writes(*arguments)):
                self.noted(f"{event} {arguments[0]!r}")

        sys.addaudithook(hear)

    def watching(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, watched."""

        @wraps(function)
        def watched(*args: Any, **kwargs: Any) -> Any:
            with self.inside(name, declared=False):
                return function(*args, **kwargs)

        return watched


def undeclared(home: Path) -> set[str]:
    """What acted without being declared."""
    told = home / "undeclared"
    return set(told.read_text().splitlines()) if told.exists() else set()


def _writes(path: Any, _mode: Any, flags: Any) -> bool:
    named = os.fspath(path) if isinstance(path, str | bytes | os.PathLike) else ""
    text = os.fsdecode(named)
    wanted = isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
    return bool(wanted and text and not text.startswith("/dev/") and not text.endswith(_OURS))
