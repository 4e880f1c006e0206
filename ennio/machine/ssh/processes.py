"""The processes over there: from ``/proc`` where there is one, else as ``ps`` lists them."""

from __future__ import annotations

import contextlib
import os
import re
import signal as signals
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from ennio.machine import process_table
from ennio.machine.interface import ProcessEntry, ProcessId
from ennio.machine.ssh.facts import MachineFacts
from ennio.machine.ssh.pool import ShellPool
from ennio.machine.ssh.words import quoted

_STAT = re.compile(rb"^(\d+) \(", re.MULTILINE)
_BORN = rb"""
ennio_a() { IFS= read -r ennio_x < "/proc/$1/stat" || return 1; set -- ${ennio_x##*) }
ennio_z=$1; shift 19; ennio_v=$1; } 2>/dev/null
"""
"""When a process was born (ennio_v), and in which state it is (ennio_z), without a program."""
_BORN_BY_PS = rb"""
ennio_a() { ennio_v=$(LC_ALL=C ps -o lstart= -p "$1" 2>/dev/null)
ennio_z=$(LC_ALL=C ps -o state= -p "$1" 2>/dev/null); [ -n "$ennio_v" ] || return 1; }
"""


class RemoteProcesses:
    """See the module."""

    def __init__(self, pool: ShellPool, facts: MachineFacts) -> None:
        self._pool, self._facts = pool, facts

    def entries(self, pids: Iterable[int]) -> Mapping[int, ProcessEntry]:
        """See ``Machine.processes``."""
        wanted = [pid for pid in pids if pid > 0]
        if not wanted:
            return {}
        if self._facts.has_proc:
            files = b" ".join(b"/proc/%d/stat" % pid for pid in wanted)
            told = bytes(self._pool.ask(b"cat %b 2>/dev/null\n" % files).out)
        else:
            told = self._ps(b"-p " + b",".join(b"%d" % pid for pid in wanted))
        return self._listed(told)

    def others(self) -> tuple[ProcessEntry, ...]:
        """See ``Machine.others``: all but the shell that asks, those above and those below it."""
        listed = b"cat /proc/[0-9]*/stat 2>/dev/null" if self._facts.has_proc else self._all()
        answer = self._pool.ask(b"echo $$\n%b\n" % listed)
        asking, _, told = bytes(answer.out).partition(b"\n")
        known = self._listed(told)
        mine = _kin(known, int(asking))
        return tuple(one for pid, one in known.items() if pid not in mine and not one.ended)

    def words(self, pid: int) -> tuple[str, ...]:
        """See ``Machine.words``."""
        if not self._facts.has_proc:
            told = bytes(self._pool.ask(b"LC_ALL=C ps -o args= -p %d\n" % pid).out).strip()
            return tuple(os.fsdecode(told).split())
        told = bytes(self._pool.ask(b"cat /proc/%d/cmdline 2>/dev/null\n" % pid).out)
        return tuple(os.fsdecode(word) for word in told.split(b"\0")[:-1])

    def marked(self, variable: str) -> tuple[tuple[ProcessEntry, str], ...]:
        """See ``Machine.marked``."""
        name = os.fsencode(variable) + b"="
        values = self._given(name) if self._facts.has_proc else self._given_by_ps(name)
        known = self.entries(values) if values else {}
        return tuple(
            (known[pid], value)
            for pid, value in values.items()
            if pid in known and not known[pid].ended
        )

    def signal(self, processes: Iterable[ProcessId], number: int) -> None:
        """See ``Machine.signal``."""
        body = b"".join(
            b'ennio_a %d && [ "$ennio_v" = %b ] && case $ennio_z in [ZX]*) ;; '
            b"*) kill -s %b -- %d 2>/dev/null;; esac\n" % (pid, quoted(born), _signal(number), pid)
            for pid, born in processes
            if pid > 0 and born
        )
        if body:
            self._pool.ask(self._born() + body)

    def signal_group(self, leader: ProcessId, number: int) -> None:
        """See ``Machine.signal_group``."""
        body = (
            b'if ennio_a %d; then case $ennio_z in [ZX]*) ;; *) [ "$ennio_v" = %b ] || exit 0;; '
            b"esac; fi\nkill -s %b -- -%d 2>/dev/null\n"
        ) % (leader.pid, quoted(leader.born), _signal(number), leader.pid)
        if leader.pid > 1:
            self._pool.ask(self._born() + body)

    # --- within -----------------------------------------------------------------------------------

    def _born(self) -> bytes:
        return _BORN if self._facts.has_proc else _BORN_BY_PS

    def _all(self) -> bytes:
        return b"LC_ALL=C ps -ax -o %b" % process_table.PS_FIELDS.encode()

    def _ps(self, which: bytes) -> bytes:
        body = b"LC_ALL=C ps -o %b %b\n" % (process_table.PS_FIELDS.encode(), which)
        return bytes(self._pool.ask(body).out)

    def _listed(self, told: bytes) -> Mapping[int, ProcessEntry]:
        found = dict[int, ProcessEntry]()
        if not self._facts.has_proc:
            for line in told.decode(errors="replace").splitlines():
                if (one := process_table.from_ps(line, _unknown)) is not None:
                    found[one.id.pid] = one
            return found
        begins = [match.start() for match in _STAT.finditer(told)]
        for begin, end in pairwise([*begins, len(told)]):
            text = told[begin:end].decode(errors="replace")
            with contextlib.suppress(ValueError, IndexError):
                pid = int(text.partition(" ")[0])
                found[pid] = process_table.from_stat(pid, text)
        return found

    def _given(self, name: bytes) -> Mapping[int, str]:
        body = (
            b"for ennio_q in $(grep -lF %b /proc/[0-9]*/environ 2>/dev/null); do "
            b'printf \'%%s%%s\\n\' "$ennio_n" "$ennio_q"; cat "$ennio_q" 2>/dev/null; done\n'
        ) % quoted(name)
        answer = self._pool.ask(body)
        found = dict[int, str]()
        for piece in bytes(answer.out).split(answer.nonce)[1:]:
            place, _, environ = piece.partition(b"\n")
            for entry in environ.split(b"\0"):
                if entry.startswith(name):
                    found[int(place.split(b"/")[2])] = os.fsdecode(entry[len(name) :])
                    break
        return found

    def _given_by_ps(self, name: bytes) -> Mapping[int, str]:
        """What ``ps`` shows of environments, where a value ends at the next name."""
        told = bytes(self._pool.ask(b"LC_ALL=C ps -axEww -o pid=,command=\n").out)
        found = dict[int, str]()
        for line in told.splitlines():
            match = re.search(rb"^\s*(\d+) .*? " + re.escape(name) + rb"(.*?)(?: \w+=|$)", line)
            if match is not None:
                found[int(match[1])] = os.fsdecode(match[2])
        return found


def _signal(number: int) -> bytes:
    """A signal by its name, which is the same wherever it is sent."""
    return signals.Signals(number).name.removeprefix("SIG").encode() if number else b"0"


def _unknown(pid: int) -> int:
    raise OSError(f"the session of {pid} is not told over there")


def _kin(known: Mapping[int, ProcessEntry], asking: int) -> frozenset[int]:
    """A process, those above it and those below it."""
    mine, pid = {asking}, asking
    while pid in known and known[pid].parent not in mine:
        pid = known[pid].parent
        mine.add(pid)
    below = _below(known.values(), asking)
    return frozenset(mine | below)


def _below(known: Iterable[ProcessEntry], asking: int) -> set[int]:
    entries: Sequence[ProcessEntry] = tuple(known)
    found, last = {asking}, 0
    while len(found) != last:
        last = len(found)
        found |= {one.id.pid for one in entries if one.parent in found}
    return found
