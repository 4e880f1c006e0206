"""Where things lie on this machine: whose home is whose, and what of a path is there."""

from __future__ import annotations

import os
from pathlib import Path


def person() -> Path:
    """The home of the person who runs this; ``/`` where neither the environment nor the machine
    knows one, as login does it.
    """
    path = os.path.expanduser("~")
    return Path(path if path.startswith("/") else "/")


def standing(path: Path) -> Path:
    """The path, or the nearest folder above that is there (or at least can be seen)."""
    return next((folder for folder in (path, *path.parents) if os.path.exists(folder)), Path("/"))
