"""Programs over there that outlive whoever began them."""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass, field
from pathlib import Path

from ennio.machine import process_table
from ennio.machine.begun_command import BegunCommand
from ennio.machine.interface import Command, ProcessId
from ennio.machine.ssh import errors
from ennio.machine.ssh.commands import GIVEN, clean_for, code_of, env_of, ready_for
from ennio.machine.ssh.facts import MachineFacts
from ennio.machine.ssh.pool import ShellPool
from ennio.machine.ssh.shell import ShellAnswer
from ennio.machine.ssh.words import joined, quoted

_SLICE = 5.0  # seconds that one question waits over there at most
_BEGIN = rb"""
%(ready)b
ennio_q=%(output)b
[ -d "${ennio_q%%/*}/" ] || { LC_ALL=C ls -ld -- "${ennio_q%%/*}/." >/dev/null; exit 1; }
ennio_d=%(folder)b; mkdir -m 700 -- "$ennio_d" || exit 1
(umask 077; LC_ALL=C; export LC_ALL; : >> "$ennio_q") || { rmdir "$ennio_d"; exit 1; }
%(env)b
echo $(($(wc -c < "$ennio_q")))
{ ennio_w=$( { %(own)b %(clean)b sh -c 'echo $$ > "$0/p"; %(given)b
 exec "$@" >&4 2>&4 4>&- 8<&-' "$ennio_d" %(words)b </dev/null 4>>"$ennio_q" 8<<ENNIO
$ennio_v
ENNIO
 echo ":$?"; } 2>&1 ); ennio_k=${ennio_w%%:*}
 echo "${ennio_w##*:}${ennio_k:+k}" > "$ennio_d/n"; mv "$ennio_d/n" "$ennio_d/c"
} </dev/null >/dev/null 2>&1 9>&- &
until [ -s "$ennio_d/p" ]; do sleep 0.005 2>/dev/null || sleep 1; done
read -r ennio_x < "$ennio_d/p"; echo "$ennio_x"
cat "/proc/$ennio_x/stat" 2>/dev/null || LC_ALL=C ps -o %(fields)b -p "$ennio_x"
ennio_j=0; while ! [ -e "$ennio_d/c" ] && [ $ennio_j -lt 20 ]; do
sleep 0.005 2>/dev/null || break; ennio_j=$((ennio_j+1)); done
if [ -e "$ennio_d/c" ]; then printf '%%sc' "$ennio_n"; cat "$ennio_d/c"; rm -rf -- "$ennio_d"
%(look)b
fi
exit 0
"""
"""What is soon over tells its end in the same answer, and a look goes after it."""
_WAIT = rb"""
ennio_d=%(folder)b; ennio_j=0
while ! [ -e "$ennio_d/c" ] && [ -d "$ennio_d" ] && [ $ennio_j -lt %(turns)d ]; do
sleep 0.05 2>/dev/null || sleep 1; ennio_j=$((ennio_j+1)); done
[ -e "$ennio_d/c" ] && { cat "$ennio_d/c"; rm -rf -- "$ennio_d"; }
exit 0
"""


def begin(
    pool: ShellPool,
    facts: MachineFacts,
    command: Command,
    output: Path,
    look: bytes = b"",
    more: float = 0.0,
) -> tuple[BegunCommand, ShellAnswer]:
    """See ``Machine.begin``. The code with which it ends is kept in a folder until it is asked
    for; SIGINT is nothing to it, as to whatever a shell starts beside itself.

    Where it is soon over, ``look`` is asked after that, which may take so many seconds more; the
    answer to it is what is left of the answer's output.
    """
    folder = f"{facts.memory}/ennio-{os.urandom(8).hex()}"
    body = _BEGIN % {
        b"ready": ready_for(command, 0),
        b"output": quoted(output),
        b"folder": quoted(folder),
        b"own": facts.own,
        b"words": joined(command.argv),
        b"clean": clean_for(command),
        b"given": b"" if command.env is None else GIVEN,
        b"env": env_of(command),
        b"fields": process_table.PS_FIELDS.encode(),
        b"look": look,
    }
    answer = pool.ask(body, more=more)
    if answer.code:
        raise errors.system_error(bytes(answer.err), output)
    refused = errors.refused(answer.nonce, bytes(answer.err))
    if refused is not None:
        program = refused.startswith(b"p: ")
        raise errors.system_error(refused, command.argv[0] if program else command.cwd)
    told, _, rest = bytes(answer.out).partition(answer.nonce + b"c")
    code, _, answer.out[:] = rest.partition(b"\n")
    size, number, listed = told.decode(errors="replace").split("\n", 2)
    process = ProcessId(int(number), _born(int(number), listed))
    ended = _code(code.strip(), tells=facts.tells) if code else None
    return _BegunThere(pool, folder, process, facts.tells, int(size), ended), answer


def _code(told: bytes, *, tells: bool) -> int:
    return code_of(int(told.rstrip(b"k")), killed=told.endswith(b"k"), tells=tells)


def _born(pid: int, listed: str) -> str:
    with contextlib.suppress(ValueError, IndexError):
        if listed.startswith(f"{pid} ("):
            found = process_table.from_stat(pid, listed)
            return "" if found.ended else found.id.born
        entry = process_table.from_ps(listed, lambda _: pid)
        return "" if entry is None or entry.ended else entry.id.born
    return ""


@dataclass(slots=True)
class _BegunThere:
    """A command under way; see ``BegunCommand``."""

    pool: ShellPool
    folder: str
    id: ProcessId
    tells: bool
    offset: int
    _code: int | None = field(default=None)

    @property
    def ended(self) -> int | None:
        """See ``BegunCommand``."""
        return self._code

    def wait(self, seconds: float) -> int | None:
        """See ``BegunCommand``."""
        until = time.monotonic() + seconds
        while self._code is None:
            left = until - time.monotonic()
            turns = max(1, round(min(_SLICE, left) * 20))
            body = _WAIT % {b"folder": quoted(self.folder), b"turns": turns}
            told = bytes(self.pool.ask(body, more=_SLICE).out).strip()
            if told:
                self._code = _code(told, tells=self.tells)
            elif left <= 0:
                break
        return self._code
