"""The configuration file as it last was good: a copy, for when the file itself is not.

It lives as long as the supervisor: a person who starts one is told what is wrong with the file at once.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

NAME = "last_good.yaml"


def forget(run_dir: Path) -> None:
    """A supervisor begins: there is no good one yet."""
    (run_dir / NAME).unlink(missing_ok=True)


def keep(run_dir: Path, content: bytes) -> None:
    """A house stands on this; only its owner may read the copy, secrets may stand in it. Raises OSError."""
    if known(run_dir) == content:
        return
    draft = run_dir / f".{NAME}.{os.getpid()}"
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
    draft.replace(run_dir / NAME)


def known(run_dir: Path) -> bytes | None:
    """The content that was good, or None."""
    with suppress(OSError):
        return (run_dir / NAME).read_bytes()
    return None
