"""The configuration file as it last was good: a copy, for when the file itself is not.

It lives as long as the supervisor: a person who starts one is told what is
wrong with the file at once.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from ennio.machine.files import write_atomically

NAME = "last_good.yaml"


def forget(run_dir: Path) -> None:
    """A supervisor begins: there is no good one yet."""
    (run_dir / NAME).unlink(missing_ok=True)


def keep(run_dir: Path, content: bytes) -> None:
    """A supervisor stands on this; only its owner may read the copy, secrets may
    stand in it. Raises OSError.
    """
    if known(run_dir) == content:
        return
    write_atomically(run_dir / NAME, content)


def known(run_dir: Path) -> bytes | None:
    """The content that was good, or None."""
    with suppress(OSError):
        return (run_dir / NAME).read_bytes()
    return None


def is_edited(run_dir: Path, source: Path) -> bool:
    """Whether the file is another by now than what a supervisor stands on."""
    held = known(run_dir)
    try:
        return held is not None and source.read_bytes() != held
    except OSError:
        return False
