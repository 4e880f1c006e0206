"""A network of its own for a machine of the tests, at the end of a pair of interfaces: what goes
back from there can be dropped without a word, and let through again. Only root on Linux has it.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest


@dataclass(frozen=True, slots=True)
class Namespace:
    """``near`` is our address on the way there, ``far`` that of the other machine."""

    name: str
    near: str
    far: str

    @property
    def within(self) -> Sequence[str]:
        """The words before a command that is to run there."""
        return ("ip", "netns", "exec", self.name)

    def drop(self) -> None:
        """No answer comes from there any more, nor a refusal; what is sent still arrives."""
        self._ip("route", "replace", "blackhole", f"{self.near}/32")

    def let_through(self) -> None:
        """Answers come again."""
        self._ip("route", "del", "blackhole", f"{self.near}/32")

    def lead_out(self) -> None:
        """Whatever it does not know is sent to us from there."""
        self._ip("route", "add", "default", "via", self.near)

    def unplug(self) -> None:
        """Take our end out."""
        _ran("link", "set", f"ea{self.name.rpartition('-')[2]}", "down")

    def _ip(self, *words: str) -> None:
        _ran("-n", self.name, *words)


@contextlib.contextmanager
def namespace() -> Iterator[Namespace]:
    """One that is gone afterwards. Skips where none can be had, as on a laptop."""
    number = os.getpid()
    name, ends = f"ennio-{number}", (f"ea{number}", f"eb{number}")
    made = Namespace(name, *(f"10.213.{number % 251}.{last}" for last in (1, 2)))
    try:
        _ran("netns", "add", name)
        _ran("link", "add", ends[0], "type", "veth", "peer", "name", ends[1], "netns", name)
        _ran("addr", "add", f"{made.near}/30", "dev", ends[0])
        _ran("link", "set", ends[0], "up")
        for words in (
            ("addr", "add", f"{made.far}/30", "dev", ends[1]),
            ("link", "set", ends[1], "up"),
            ("link", "set", "lo", "up"),
        ):
            made._ip(*words)
    except (OSError, subprocess.CalledProcessError) as error:
        _removed(name)
        pytest.skip(f"no network of its own can be had: dropped packets were NOT tested: {error}")
    try:
        yield made
    finally:
        _removed(name)


def _ran(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, timeout=30)


def _removed(name: str) -> None:
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        _ran("netns", "del", name)
