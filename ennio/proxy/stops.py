"""Who is stopped, and why: looked at before each request, so that one that is under way goes on."""

from __future__ import annotations

import os
from pathlib import Path

from ennio.machine.files import write_atomically
from ennio.machine.untrusted import content
from ennio.proxy.directory import ProxyDirectory

_LARGEST = 4096


def stop(directory: ProxyDirectory, session_id: str, reason: str) -> None:
    """Let no further request of a session pass; the agent is told the reason. Where no proxy ever
    was there is nobody to be told.
    """
    if not directory.root.is_dir():
        return
    write_atomically(Path(directory.stop_file(session_id)), reason[:_LARGEST])


def release(directory: ProxyDirectory, session_id: str) -> None:
    """Let its requests pass again; fine if they do."""
    Path(directory.stop_file(session_id)).unlink(missing_ok=True)


def why_stopped(directory: ProxyDirectory, session_id: str) -> str | None:
    """The reason; None where it is not stopped."""
    file = directory.stop_file(session_id)
    if not os.path.lexists(file):  # nearly always, and that is cheaper asked than refused
        return None
    try:
        return content(Path(file), _LARGEST).decode(errors="replace")
    except (FileNotFoundError, ValueError):
        return None
