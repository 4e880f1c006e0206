"""What the system shows of how a process was begun: the words and the environment in ``/proc``.

A process that was forked shows those of the one it was forked from, until it shows others.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

_SET_MEMORY, _SET_MAP = 35, 14  # PR_SET_MM, PR_SET_MM_MAP: <linux/prctl.h>
_OTHERS = {
    "start_code": 26,
    "end_code": 27,
    "start_data": 45,
    "end_data": 46,
    "start_brk": 47,
    "start_stack": 28,
}
"""What stays as it is, by its place in ``/proc/self/stat`` (counted from 1)."""


class _MemoryMap(ctypes.Structure):
    """``struct prctl_mm_map``."""

    _fields_ = [
        (name, ctypes.c_uint64)
        for name in (
            *("start_code", "end_code", "start_data", "end_data", "start_brk", "brk"),
            *("start_stack", "arg_start", "arg_end", "env_start", "env_end", "auxv"),
        )
    ] + [("auxv_size", ctypes.c_uint32), ("exe_fd", ctypes.c_uint32)]


_shown: list[ctypes.Array[ctypes.c_char]] = []
"""What is shown stays in memory as long as the process."""


def show(words: Sequence[str], environment: Mapping[bytes, bytes]) -> bool:
    """Have the system show these of this process, whoever asks; False where it cannot."""
    told = b"".join(os.fsencode(word) + b"\0" for word in words)
    around = b"".join(b"%b=%b\0" % pair for pair in environment.items())
    try:
        stat = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        system = ctypes.CDLL(None, use_errno=True)
        system.sbrk.restype = ctypes.c_void_p
        end_of_heap = system.sbrk(0)
    except (OSError, AttributeError):
        return False
    text = ctypes.create_string_buffer(told + around)
    begin = ctypes.addressof(text)
    between = begin + len(told)
    map_ = _MemoryMap(
        **{name: int(stat[place - 3]) for name, place in _OTHERS.items()},
        brk=end_of_heap,
        arg_start=begin,
        arg_end=between,
        env_start=between,
        env_end=between + len(around),
        exe_fd=2**32 - 1,
    )
    size = ctypes.c_ulong(ctypes.sizeof(map_))
    if system.prctl(_SET_MEMORY, ctypes.c_ulong(_SET_MAP), ctypes.byref(map_), size, 0) != 0:
        return False
    _shown[:] = [text]
    return True
