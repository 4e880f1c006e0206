"""Whether sandboxes can be had on a machine, found out by making one."""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass

from ennio.machine.interface import Command, Machine
from ennio.machine.sandbox import bubblewrap, seccomp

INSTALL = "sudo apt-get install bubblewrap"
_WITHOUT = "take `isolation` out of this project"
_NAMESPACES = (
    "it needs user namespaces: sudo sysctl -w user.max_user_namespaces=28633 "
    "kernel.unprivileged_userns_clone=1 (on Ubuntu also "
    "kernel.apparmor_restrict_unprivileged_userns=0, or a profile for bwrap); in a container, its "
    "runtime has to allow them"
)
_WITHIN = 20.0
_PATH = "/usr/bin:/bin:/usr/local/bin"


@dataclass(frozen=True, slots=True)
class NoSandbox:
    """Why there can be none, and what to do."""

    what: str
    way: str

    def __str__(self) -> str:
        return f"{self.what}: {self.way}"


def obstacle(machine: Machine) -> NoSandbox | None:
    """Why there can be no sandbox on a machine; None where there can."""
    if machine.name or not sys.platform.startswith("linux"):
        return NoSandbox("it is for Linux, and for this machine alone", _WITHOUT)
    if not seccomp.knows(platform.machine()):
        return NoSandbox(f"there is no filter of system calls for {platform.machine()}", _WITHOUT)
    if machine.which(bubblewrap.PROGRAM) is None:
        return NoSandbox(f"{bubblewrap.PROGRAM} is not installed", INSTALL)
    tried = (bubblewrap.PROGRAM, *_TRIED)
    done = machine.run(Command(tried, env={"PATH": _PATH}, timeout=_WITHIN))
    if done.code == 0 and done.overdue is None:
        return None
    said = done.stderr.decode(errors="replace").strip() or f"exit code {done.code}"
    return NoSandbox(f"bubblewrap cannot make one ({said})", _NAMESPACES)


_TRIED = (
    "--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-uts", "--unshare-net",
    "--die-with-parent", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev",
    "--tmpfs", "/tmp", "--size", "1024", "--perms", "0755", "--tmpfs", "/run", "true",  # noqa: S108
)  # fmt: skip
