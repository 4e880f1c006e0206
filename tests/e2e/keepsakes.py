"""What scripted agents wrote down, beyond the removal of their session's folder."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

OFTEN = 0.05  # seconds; a session lives for much longer than that


@contextmanager
def keepsakes(sessions: Path, place: Path) -> Iterator[None]:
    """While this lasts, every transcript below ``sessions`` gets a second name in ``place``: what
    is written later is there too.
    """
    place.mkdir(parents=True, exist_ok=True)
    over = threading.Event()

    def keep() -> None:
        while not over.wait(OFTEN):
            for file in sessions.glob("*/transcript.jsonl"):
                with suppress(OSError):  # it is kept already, or it went this very moment
                    os.link(file, kept(place, file.parent.name))

    keeper = threading.Thread(target=keep, daemon=True)
    keeper.start()
    try:
        yield
    finally:
        over.set()
        keeper.join()


def kept(place: Path, session_id: str) -> Path:
    """Where the transcript of a session is."""
    return place / f"{session_id}.jsonl"
