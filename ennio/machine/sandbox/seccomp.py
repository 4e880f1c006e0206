"""The filter of system calls of a sandbox: what no program of an agent needs, and what the walls do
not cover. Pure; the numbers are the kernel's.

The kernel's key rings and the modules of its network are nobody's namespace; keys typed into a
terminal by ``TIOCSTI`` would be read by whoever reads there next; user namespaces and the mount
calls open more of the kernel than any other. ``io_uring`` does what a filter cannot see.
"""

from __future__ import annotations

import errno
import struct
from dataclasses import dataclass

from ennio.model.isolation import NetworkAccess

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000
_NUMBER, _ARCH, _FIRST, _SECOND = 0, 4, 16, 24  # where they lie in what the filter is shown
_X32 = 0x40000000
_NEW_USER = 0x10000000
_TYPES_FOR_OTHERS = (0x5412, 0x541C)  # TIOCSTI, TIOCLINUX
_UNIX, _INET, _INET6, _NETLINK = 1, 2, 10, 16

_NAMES = (
    "mount", "umount2", "pivot_root", "chroot", "swapon", "swapoff", "reboot", "sethostname",
    "setdomainname", "init_module", "delete_module", "finit_module", "kexec_load",
    "kexec_file_load", "add_key", "request_key", "keyctl", "unshare", "setns", "bpf",
    "perf_event_open", "userfaultfd", "open_by_handle_at", "name_to_handle_at", "quotactl", "acct",
    "syslog", "move_pages",
)  # fmt: skip
_ABSENT = (425, 426, 427, 428, 429, 430, 431, 432, 433, 435, 442)
"""The same everywhere: io_uring, the newer calls that mount, and clone3, whose flags a filter
cannot see. Programs know how to do without what is not there.
"""


@dataclass(frozen=True, slots=True)
class _Arch:
    audit: int
    refused: tuple[int, ...]  # in the order of ``_NAMES``
    clone: int
    ioctl: int
    socket: int
    x32: bool = False


_ARCHES = {
    "x86_64": _Arch(
        0xC000003E,
        (165, 166, 155, 161, 167, 168, 169, 170, 171, 175, 176, 313, 246, 320, 248, 249, 250, 272,
         308, 321, 298, 323, 304, 303, 179, 163, 103, 279),
        56, 16, 41, x32=True,
    ),
    "aarch64": _Arch(
        0xC00000B7,
        (40, 39, 41, 51, 224, 225, 142, 161, 162, 105, 106, 273, 104, 294, 217, 218, 219, 97,
         268, 280, 241, 282, 265, 264, 60, 89, 116, 239),
        220, 29, 198,
    ),
}  # fmt: skip


def knows(machine: str) -> bool:
    """Whether there is a filter for this kind of processor (as ``uname -m`` names it)."""
    return machine in _ARCHES


def program(machine: str, network: NetworkAccess) -> bytes:
    """The filter, as bubblewrap takes it. Raises KeyError where there is none."""
    arch = _ARCHES[machine]
    families = (_UNIX,) if network is NetworkAccess.NONE else (_UNIX, _INET, _INET6, _NETLINK)
    told = [_step(_LOAD, _ARCH), _step(_EQUAL, arch.audit, 1, 0), _error(errno.ENOSYS)]
    told.append(_step(_LOAD, _NUMBER))
    if arch.x32:
        told += [_step(_AT_LEAST, _X32, 0, 1), _error(errno.ENOSYS)]
    for numbers, error in ((arch.refused, errno.EPERM), (_ABSENT, errno.ENOSYS)):
        for number in numbers:
            told += [_step(_EQUAL, number, 0, 1), _error(error)]
    told += _if(arch.clone, _FIRST, [_step(_ANY_BIT, _NEW_USER, 0, 1), _error(errno.EPERM)])
    typing = [
        step
        for one in _TYPES_FOR_OTHERS
        for step in (_step(_EQUAL, one, 0, 1), _error(errno.EPERM))
    ]
    told += _if(arch.ioctl, _SECOND, typing)
    left = len(families)
    allowed = [_step(_EQUAL, one, left - at, 0) for at, one in enumerate(families)]
    told += _if(arch.socket, _FIRST, [*allowed, _error(errno.EAFNOSUPPORT)])
    return b"".join((*told, _step(_RETURN, _ALLOW)))


def _if(number: int, argument: int, then: list[bytes]) -> list[bytes]:
    """Steps for one call, by one of its arguments; the number is looked at again after them."""
    rest = [_step(_LOAD, argument), *then, _step(_LOAD, _NUMBER)]
    return [_step(_EQUAL, number, 0, len(rest)), *rest]


def _step(code: int, value: int, true: int = 0, false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, true, false, value)


def _error(number: int) -> bytes:
    return _step(_RETURN, _REFUSE | number)
