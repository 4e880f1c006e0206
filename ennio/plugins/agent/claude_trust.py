"""Trust of claude-code in a new folder: one entry in the user's ``.claude.json``, taken
back when the folder goes.

The agent asks before it works in a folder it has not seen, and its default answer is to leave.
There is no flag for it, so this one entry is made the way the agent makes it itself: under its lock
(a folder ``.claude.json.lock``), the file replaced as a whole. What stood there before is noted
first, in the session's own folder, so that only what was made here is taken back.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ennio.machine.files import write_atomically
from ennio.machine.untrusted import json_value
from ennio.model.errors import Refused, Unreachable

_STALE = 10.0  # seconds after which the agent's own lock counts as left behind


def trust(file: Path, folder: Path, note: Path, patience: float = 5.0) -> bool:
    """Have the folder trusted; False when it was already, and then nothing is written.

    ``note`` is where ``forget`` finds what was done. Raises Refused when the file is not what it
    should be, Unreachable when others keep it locked.
    """
    if _is_trusted(read(file), folder):
        return False
    with _locked(file, patience):
        content = read(file)
        if _is_trusted(content, folder):
            return False
        projects = content.setdefault("projects", {})
        if not note.exists():
            _replace(
                note,
                {"file": str(file), "folder": str(folder), "before": projects.get(str(folder))},
            )
        projects.setdefault(str(folder), {})["hasTrustDialogAccepted"] = True
        _replace(file, content)
    return True


def forget(note: Path, patience: float = 5.0) -> None:
    """Put back what stood there before ``trust``; what the agent added since
    goes too. Safe to repeat.

    Raises as ``trust`` does.
    """
    if not note.exists():
        return
    told = json.loads(note.read_text())
    file, folder, before = Path(told["file"]), told["folder"], told["before"]
    if file.exists():
        with _locked(file, patience):
            content = read(file)
            if content.get("projects", {}).pop(folder, None) is not None:
                content["projects"] |= {folder: before} if before is not None else {}
                _replace(file, content)
    note.unlink(missing_ok=True)


def _is_trusted(content: dict[str, Any], folder: Path) -> bool:
    return content.get("projects", {}).get(str(folder), {}).get("hasTrustDialogAccepted") is True


def read(file: Path) -> dict[str, Any]:
    """The user's file; empty when there is none. Raises Refused when it
    is not what it should be.
    """
    try:
        content = json_value(file.read_text() or "{}")
    except FileNotFoundError:
        return {}
    except (ValueError, OSError) as error:
        raise Refused(
            f"{file} cannot be read ({error}); repair it or move it away, then try again"
        ) from error
    projects = content.get("projects", {}) if isinstance(content, dict) else None
    if not isinstance(projects, dict) or not all(
        isinstance(entry, dict) for entry in projects.values()
    ):
        raise Refused(
            f"{file} is not the file of settings claude-code keeps; repair it or move it away, "
            "then try again"
        )
    return dict(content)


@contextlib.contextmanager
def _locked(file: Path, patience: float) -> Iterator[None]:
    lock = file.with_name(file.name + ".lock")
    deadline = time.monotonic() + patience
    while not _taken(lock):
        if time.monotonic() > deadline:
            raise Unreachable(f"{lock} is held by another program; try again")
        time.sleep(0.02)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            lock.rmdir()


def _taken(lock: Path) -> bool:
    try:
        lock.mkdir()
    except FileExistsError:
        with contextlib.suppress(OSError):
            if time.time() - lock.stat().st_mtime > _STALE:
                lock.rmdir()
        return False
    except OSError as error:
        raise Refused(
            f"{lock} cannot be made ({error.strerror}); make its folder writable"
        ) from error
    return True


def _replace(file: Path, content: dict[str, Any]) -> None:
    target = Path(os.path.realpath(file))  # people keep it as a link into their dotfiles
    try:
        write_atomically(
            target, json.dumps(content, indent=2, ensure_ascii=False), keep_mode=True, durable=True
        )
    except OSError as error:
        raise Refused(
            f"{target} cannot be written ({error.strerror}); make room or change its rights"
        ) from error
