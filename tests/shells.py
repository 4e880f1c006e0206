"""The shells that a script of ours may be read by on another machine."""

from __future__ import annotations

import shutil

import pytest

POSIX = ("sh", "bash", "dash", "busybox")


def words_of(shell: str) -> list[str]:
    """How one of them is begun; skips where it is not here."""
    found = shutil.which(shell)
    if found is None:
        pytest.skip(f"no {shell} here")
    return [found, "sh"] if shell == "busybox" else [found]
