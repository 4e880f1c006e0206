"""The database's URL, made independent of the folder somebody happens to stand in."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

MEMORY = "sqlite::memory:"
_SERVERS = ("postgres://", "postgresql://")


def resolved(url: str, directory: Path, home: Callable[[str], str] = os.path.expanduser) -> str:
    """The URL with an absolute path: ``sqlite:ennio.db`` is a file in ``directory``.

    ``sqlite://ennio.db`` and ``sqlite:///abs/ennio.db`` are understood too; what follows a ``?``
    is kept. Raises ValueError with the words that follow the URL in a message.
    """
    if url.startswith(_SERVERS):
        return url
    if url in (MEMORY, "sqlite://:memory:"):
        return MEMORY
    if not url.startswith("sqlite:"):
        raise ValueError("is no database URL: write sqlite:ennio.db, sqlite::memory: or postgresql://...")
    path, mark, query = url.removeprefix("sqlite:").removeprefix("//").partition("?")
    if not path or path.endswith("/"):
        raise ValueError("names no database file: write sqlite:ennio.db")
    return f"sqlite:{os.path.abspath(directory / home(path))}{mark}{query}"


def file(url: str) -> Path | None:
    """The file of a resolved URL; None where there is none."""
    if url == MEMORY or not url.startswith("sqlite:"):
        return None
    return Path(url.removeprefix("sqlite:").partition("?")[0])
