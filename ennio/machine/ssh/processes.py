"""The processes over there: from ``/proc`` where there is one, else as ``ps`` lists them."""

from __future__ import annotations

import contextlib
import os
import re
import signal as signals
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ennio.machine import process_table
from ennio.machine.interface import ProcessEntry, ProcessId
from ennio.machine.questions import PrintedPid
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

_ITS = b'-p "$ennio_x"'
_GIVEN = rb"""
for ennio_q in $(grep -lF %b /proc/[0-9]*/environ 2>/dev/null); do
printf '%%s(' "$ennio_n"; cat "${ennio_q%%/*}/stat" 2>/dev/null
printf '%%s=' "$ennio_n"; cat "$ennio_q" 2>/dev/null; done
"""
"""Each process in whose environment a text stands: as it is listed, and that environment."""


@dataclass(frozen=True, slots=True)
class ProcessListing:
    """All processes over there, and the shell that was asked for them."""

    known: Mapping[int, ProcessEntry]
    asking: int

    def others(self) -> tuple[ProcessEntry, ...]:
        """The living ones that have nothing to do with the question."""
        mine = _kin(self.known, self.asking)
        return tuple(one for pid, one in self.known.items() if pid not in mine and not one.ended)


class RemoteProcesses:
    """See the module."""

    def __init__(self, pool: ShellPool, facts: MachineFacts) -> None:
        self._pool, self._facts = pool, facts

    def entries(self, pids: Iterable[int]) -> Mapping[int, ProcessEntry]:
        """See ``Machine.processes``."""
        wanted = [pid for pid in pids if pid > 0]
        if not wanted:
            return {}
        return self.read(bytes(self._pool.ask(self.asking(wanted)).out))

    def asking(self, pids: Sequence[int]) -> bytes:
        """The question that ``read`` reads the answer to."""
        if self._facts.has_proc:
            return b"cat %b 2>/dev/null\n" % b" ".join(b"/proc/%d/stat" % pid for pid in pids)
        return self._ps(b"-p " + b",".join(b"%d" % pid for pid in pids))

    def asking_printed(self, output: bytes, printed: PrintedPid) -> bytes:
        """The same of a process whose number stands in a file."""
        number = b"ennio_x=$(head -n 1 %b | cut -d %b -f %d)\n"
        listed = (
            b'cat "/proc/$ennio_x/stat" 2>/dev/null' if self._facts.has_proc else self._ps(_ITS)
        )
        return number % (output, quoted(printed.separator), printed.field) + (
            b"case $ennio_x in ''|*[!0-9]*) ;; *) %b;; esac\n" % listed.strip()
        )

    def others(self) -> tuple[ProcessEntry, ...]:
        """See ``Machine.others``: all but the shell that asks, those above and those below it."""
        return self.listed(bytes(self._pool.ask(self.listing()).out)).others()

    def listing(self) -> bytes:
        """The question that ``listed`` reads the answer to."""
        listed = b"cat /proc/[0-9]*/stat 2>/dev/null" if self._facts.has_proc else self._all()
        return b"echo $$\n%b\n" % listed

    def listed(self, told: bytes) -> ProcessListing:
        """All that there are."""
        asking, _, listed = told.partition(b"\n")
        return ProcessListing(self.read(listed), int(asking))

    def words(self, pid: int) -> tuple[str, ...]:
        """See ``Machine.words``."""
        if not self._facts.has_proc:
            told = bytes(self._pool.ask(b"LC_ALL=C ps -o args= -p %d\n" % pid).out).strip()
            return tuple(os.fsdecode(told).split())
        told = bytes(self._pool.ask(b"cat /proc/%d/cmdline 2>/dev/null\n" % pid).out)
        return tuple(os.fsdecode(word) for word in told.split(b"\0")[:-1])

    def marked(self, variable: str) -> tuple[tuple[ProcessEntry, str], ...]:
        """See ``Machine.marked``."""
        body = self.marking(variable)
        if body is not None:
            answer = self._pool.ask(body)
            return self.were_marked(variable, answer.nonce, bytes(answer.out))
        values = self._given_by_ps(_assigned(variable))
        known = self.entries(values) if values else {}
        return tuple(
            (known[pid], value)
            for pid, value in values.items()
            if pid in known and not known[pid].ended
        )

    def marking(self, variable: str) -> bytes | None:
        """The question that ``were_marked`` reads the answer to; None where there is no ``/proc``,
        and it takes two.
        """
        return _GIVEN % quoted(_assigned(variable)) if self._facts.has_proc else None

    def were_marked(
        self, variable: str, nonce: bytes, told: bytes
    ) -> tuple[tuple[ProcessEntry, str], ...]:
        """The living processes that were given it, and what."""
        name, found = _assigned(variable), list[tuple[ProcessEntry, str]]()
        for piece in told.split(nonce + b"(")[1:]:
            listed, _, environ = piece.partition(nonce + b"=")
            given = next((one for one in environ.split(b"\0") if one.startswith(name)), None)
            if given is not None:
                value = os.fsdecode(given[len(name) :])
                entries = self.read(listed).values()
                found += [(one, value) for one in entries if not one.ended]
        return tuple(found)

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
        return b"LC_ALL=C ps -o %b %b\n" % (process_table.PS_FIELDS.encode(), which)

    def read(self, told: bytes) -> Mapping[int, ProcessEntry]:
        """Those that were listed."""
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

    def _given_by_ps(self, name: bytes) -> Mapping[int, str]:
        """What ``ps`` shows of environments, where a value ends at the next name."""
        told = bytes(self._pool.ask(b"LC_ALL=C ps -axEww -o pid=,command=\n").out)
        found = dict[int, str]()
        for line in told.splitlines():
            match = re.search(rb"^\s*(\d+) .*? " + re.escape(name) + rb"(.*?)(?: \w+=|$)", line)
            if match is not None:
                found[int(match[1])] = os.fsdecode(match[2])
        return found


def _assigned(variable: str) -> bytes:
    return os.fsencode(variable) + b"="


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
