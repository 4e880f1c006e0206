"""The words that run a command behind bubblewrap's walls. Pure: nothing is looked at here.

The order is the protection: first the system read-only, then empty folders over whatever is a
person's, then what is allowed back, the outer folders before those in them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from ennio.machine.sandbox.isolation import INSIDE, Isolation
from ennio.model.isolation import NetworkAccess

PROGRAM = "bwrap"
_READ = "--ro-bind-try"
_FILTER = 9  # the number under which bubblewrap is given the file of the filter
_ROOM = 1 << 30  # bytes of each folder that is in memory and gone afterwards
_SYSTEM = (
    "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32",
    "/opt", "/nix/store", "/gnu/store", "/snap",
)  # fmt: skip
_ETC = (
    "alternatives", "bash.bashrc", "ca-certificates", "ca-certificates.conf", "default/locale",
    "environment", "fonts", "gai.conf", "gitconfig", "group", "host.conf", "hosts", "inputrc",
    "java-11-openjdk", "java-17-openjdk", "java-21-openjdk", "ld.so.cache", "ld.so.conf",
    "ld.so.conf.d", "locale.alias", "localtime", "login.defs", "machine-id", "magic", "mime.types",
    "nsswitch.conf", "os-release", "passwd", "pki", "profile", "protocols", "python3",
    "python3.11", "resolv.conf", "rpc", "services", "shells", "ssl", "terminfo", "timezone",
)  # fmt: skip
"""What programs need of /etc. What is not named is not there: keys, passwords, units."""
_ETC_OF_GIT = (
    "alternatives", "gitconfig", "group", "ld.so.cache", "nsswitch.conf", "passwd",
)  # fmt: skip
_KERNEL = ("sys", "sysrq-trigger", "irq", "bus", "fs", "acpi", "scsi", "driver", "asound", "tty")
"""What of /proc is the machine's own. Root's number may write there without any capability."""


def words(
    isolation: Isolation, command: Sequence[str], *, cwd: Path, doors: bool = False
) -> tuple[str, ...]:
    """The words that run a command inside. With ``doors`` it is the agent's or the project's, and
    those that lead out are there; without, it is one of our own about the working copy, for which
    there is little else, and no network.
    """
    network = isolation.network if doors else NetworkAccess.NONE
    own = () if network is NetworkAccess.HOST else ("--unshare-net",)
    walls = (
        "--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-uts",
        "--unshare-cgroup-try", *own, "--die-with-parent", "--cap-drop", "ALL",
        "--seccomp", str(_FILTER),
    )  # fmt: skip
    # bubblewrap takes the filter by a descriptor, and whoever runs commands hands none on
    opening = ("sh", "-c", f'exec {_FILTER}<"$0" && exec "$@"', str(isolation.filter))
    inner = (*_system(isolation.home), *_allowed(isolation)) if doors else _little(isolation)
    last = ("--remount-ro", "/", "--chdir", str(cwd), "--")
    return (*opening, PROGRAM, *walls, *inner, *last, *command)


def _system(home: Path) -> list[str]:
    told = [*_read(_SYSTEM), *_read(f"/etc/{name}" for name in _ETC)]
    told += ["--proc", "/proc", *_read(f"/proc/{name}" for name in _KERNEL), "--dev", "/dev"]
    for folder in dict.fromkeys(("/tmp", "/var/tmp", "/run", str(home))):  # noqa: S108 - its own
        told += ["--size", str(_ROOM), "--perms", "0755", "--tmpfs", folder]
    return told


def _little(isolation: Isolation) -> list[str]:
    """For git and what it may start: each thing that is there takes a millisecond."""
    told = [*_read(_SYSTEM[:7]), *_read(f"/etc/{name}" for name in _ETC_OF_GIT), "--dev", "/dev"]
    told += ["--size", str(_ROOM), "--tmpfs", "/tmp"]  # noqa: S108 - its own
    for path in (isolation.workspace, isolation.scratch):
        told += _bound("--bind-try", path, path)
    return told


def _read(paths: Iterable[str]) -> Iterator[str]:
    for path in paths:
        yield from (_READ, path, path)


def _allowed(isolation: Isolation) -> list[str]:
    """What is let in, the outer before the inner; what is named twice may be written to."""
    ways = dict.fromkeys(isolation.readable, _READ)
    ways |= dict.fromkeys((isolation.workspace, *isolation.writable), "--bind-try")
    told: list[str] = []
    for path in sorted(ways, key=lambda one: len(one.parts)):
        if ways[path] == _READ and any(one in ways for one in path.parents):
            continue  # it is there with the folder around it
        told += _bound(ways[path], path, path)
    for link, to in isolation.links:
        told += _bound("--symlink", to, link)
    return [*told, *_bound("--ro-bind", isolation.doors, INSIDE)]


def _bound(way: str, path: Path, to: Path) -> tuple[str, str, str]:
    return (way, str(path), str(to))
