"""Fixtures everybody shares: patience without sleeping, and what must really be there."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable

import pytest


def eventually(condition: Callable[[], object], within: float = 20.0, why: str = "") -> object:
    """Wait until the condition is true and return what it returned; fail with its last words."""
    deadline = time.monotonic() + within
    pause = 0.005
    last: object = None
    while True:
        try:
            last = condition()
            if last:
                return last
        except AssertionError as error:
            last = error
        if time.monotonic() > deadline:
            pytest.fail(f"not within {within} s: {why or condition}; last seen: {last!r}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.2)


def need(executable: str) -> str:
    """The path of an executable; a laptop skips without it, CI fails."""
    path = shutil.which(executable)
    if path is None:
        message = f"{executable} is not installed: what needs it was NOT tested"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return path
