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
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ennio.machine import single
from ennio.machine.interface import Machine
from ennio.machine.untrusted import json_value
from ennio.model.errors import Refused, Unreachable

_LARGEST = 256 << 20  # bytes; people paste pictures, and it keeps them there
_STALE = 10.0  # seconds after which the agent's own lock counts as left behind


def trust(machine: Machine, file: Path, folder: Path, note: Path, patience: float = 5.0) -> bool:
    """Have the folder trusted; False when it was already, and then nothing is written.

    ``note`` is where ``forget`` finds what was done. Raises Refused when the file is not what it
    should be, Unreachable when others keep it locked.
    """
    if _is_trusted(read(machine, file), folder):
        return False
    with _locked(machine, file, patience):
        content = read(machine, file)
        if _is_trusted(content, folder):
            return False
        projects = content.setdefault("projects", {})
        if not single.exists(machine, note):
            _replace(
                machine,
                note,
                {"file": str(file), "folder": str(folder), "before": projects.get(str(folder))},
            )
        projects.setdefault(str(folder), {})["hasTrustDialogAccepted"] = True
        _replace(machine, file, content)
    return True


def forget(machine: Machine, note: Path, patience: float = 5.0) -> None:
    """Put back what stood there before ``trust``; what the agent added since
    goes too. Safe to repeat.

    Raises as ``trust`` does.
    """
    if not single.exists(machine, note):
        return
    told = json.loads(single.content(machine, note, _LARGEST))
    file, folder, before = Path(told["file"]), told["folder"], told["before"]
    if single.exists(machine, file):
        with _locked(machine, file, patience):
            content = read(machine, file)
            if content.get("projects", {}).pop(folder, None) is not None:
                content["projects"] |= {folder: before} if before is not None else {}
                _replace(machine, file, content)
    machine.remove([note])


def _is_trusted(content: dict[str, Any], folder: Path) -> bool:
    return content.get("projects", {}).get(str(folder), {}).get("hasTrustDialogAccepted") is True


def read(machine: Machine, file: Path) -> dict[str, Any]:
    """The user's file; empty when there is none. Raises Refused when it
    is not what it should be.
    """
    try:
        content = json_value(single.content(machine, file, _LARGEST).decode() or "{}")
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
def _locked(machine: Machine, file: Path, patience: float) -> Iterator[None]:
    lock = file.with_name(file.name + ".lock")
    deadline = time.monotonic() + patience
    while not _taken(machine, lock):
        if time.monotonic() > deadline:
            raise Unreachable(f"{lock} is held by another program; try again")
        time.sleep(0.02)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            machine.remove([lock])


def _taken(machine: Machine, lock: Path) -> bool:
    try:
        machine.make_folder(lock, new=True)
    except FileExistsError:
        with contextlib.suppress(OSError):
            found = single.state(machine, lock)
            if found is not None and machine.now() - found.modified / 1e9 > _STALE:
                machine.remove([lock])
        return False
    except OSError as error:
        raise Refused(
            f"{lock} cannot be made ({error.strerror}); make its folder writable"
        ) from error
    return True


def _replace(machine: Machine, file: Path, content: dict[str, Any]) -> None:
    target = single.real(machine, file)  # people keep it as a link into their dotfiles
    try:
        text = json.dumps(content, indent=2, ensure_ascii=False)
        machine.write(target, text.encode(), keep_mode=True, durable=True)
    except OSError as error:
        raise Refused(
            f"{target} cannot be written ({error.strerror}); make room or change its rights"
        ) from error
