"""The memory over there that is free."""

from __future__ import annotations

import errno

from ennio.machine.ssh.pool import ShellPool

_MEMORY = rb"""
if [ -r /proc/meminfo ]; then
 while read -r ennio_a ennio_v ennio_x; do [ "$ennio_a" = MemAvailable: ] && ennio_z=$ennio_v
 done < /proc/meminfo; echo "$((${ennio_z:-0}*1024))"
else ennio_p=$(sysctl -n hw.pagesize 2>/dev/null || echo 4096)
 vm_stat | awk -v p="$ennio_p" '/Pages (free|inactive|speculative)/ {gsub(/\./, "", $NF); n += $NF}
  END {printf "%.0f\n", n*p}'; fi
"""


def free_memory(pool: ShellPool) -> int:
    """In bytes. Raises OSError where it is not told, and Unreachable."""
    told = bytes(pool.ask(_MEMORY).out).split()
    if not told or not told[0].isdigit():
        raise OSError(errno.ENOSYS, "the free memory is not told over there")
    return int(told[0])
