"""Removes a working copy with something in it that its owner cannot read, and prints what is said:
``PLACE KIND file|folder``.

Root reads everything; so it gives up that right, and begins anew.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path

from ennio.machine.local import LocalMachine
from ennio.model.errors import Refused
from ennio.plugins.workspace.clone import CloneWorkspace
from ennio.plugins.workspace.interface import WorkspaceSpec
from ennio.plugins.workspace.worktree import WorktreeWorkspace

_CAPBSET_DROP, _READ_ALL = 24, (1, 2)  # of linux/prctl.h and linux/capability.h
if os.geteuid() == 0 and "GAVE_UP" not in os.environ:
    for capability in _READ_ALL:
        ctypes.CDLL(None).prctl(_CAPBSET_DROP, capability, 0, 0, 0)
    os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, "GAVE_UP": "1"})  # noqa: S606 - itself, once more

place, kind, spoilt = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
source = place / "source"
who = ["-c", "user.name=Pat", "-c", "user.email=pat@localhost"]
for words in (
    ["init", "-q", "-b", "main", str(source)],
    ["-C", str(source), *who, "commit", "-q", "--allow-empty", "-m", "first"],
):
    subprocess.run(["git", *words], check=True)
KINDS: dict[str, type[WorktreeWorkspace | CloneWorkspace]] = {
    "worktree": WorktreeWorkspace,
    "clone": CloneWorkspace,
}
workspace = KINDS[kind](LocalMachine())
order = WorkspaceSpec(
    "app", "app-0a1b2c3d", str(source), source, place / "w" / "app-0a1b2c3d", "app-0a1b2c3d", "main"
)
workspace.create(order)
secret = order.path / "secret"
if spoilt == "folder":
    secret.mkdir()
    (secret / "work").write_text("work")
else:
    secret.write_text("work")
secret.chmod(0)
for dry_run in (True, False):
    try:
        workspace.remove(order, dry_run=dry_run)
        print("gone")
    except Refused as error:
        print(error)
print("kept" if secret.exists() else "lost")
