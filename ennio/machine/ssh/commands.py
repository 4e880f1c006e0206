"""Programs that are run over there: each in a kernel session of its own, and ended in time with
all of its group.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from ennio.machine.interface import Command, CompletedCommand, Overdue
from ennio.machine.ssh import errors
from ennio.machine.ssh.facts import MachineFacts
from ennio.machine.ssh.pool import ShellPool
from ennio.machine.ssh.shell import LARGE, KeptShell, ShellAnswer
from ennio.machine.ssh.words import joined, quoted
from ennio.model.errors import TimedOut

_AFTER = 5.0  # seconds in which one that was killed tells its last
_DEFAULT_PATH = "/bin:/usr/bin"  # where programs are looked for that have no PATH
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_UNTOLD = frozenset({2, 13, 15})
"""Signals of which no shell says that a program ended by them."""
_USUAL = _UNTOLD | {4, 6, 7, 8, 9, 11}
"""Those that programs end by, where the shell says so of none."""
_STARTED = rb"""%(fed)b %(own)b %(clean)b sh -c 'echo "$0p$$:%(index)d" >&9; %(given)b
 exec "$@" >&4 2>&5 4>&- 5>&- 8<&- 9>&-' "$ennio_n" %(words)b"""
GIVEN = b"unset PWD OLDPWD SHLVL; . /dev/fd/8;"
"""Takes the environment over from where no other user can see it, as words of a command can be."""
_READY = rb"""
cd -- %(cwd)b 2>/dev/null || { ennio_y=$(LC_ALL=C ls -ld -- %(cwd)b/. 2>&1 >/dev/null)
 printf '%%sx%(index)d%%s;' "$ennio_n" "${ennio_y##*: }" >&9; exit 0; }
ennio_o %(program)b %(path)b || { printf '%%sx%(index)dp: %%s;' "$ennio_n" "${ennio_y##*: }" >&9
 exit 0; }
"""
_PIPED = rb"""
{ { { ennio_w=$( { %(started)b %(input)b 8<<ENNIO
$ennio_v
ENNIO
 echo ":$?"; } 2>&1 )
 ennio_k=${ennio_w%%:*}
 printf '%%sc0:%%s%%s;' "$ennio_n" "${ennio_w##*:}" "${ennio_k:+k}" >&9; } 4>&6 5>&1 6>&- \
 | cat >&9 6>&-; } 6>&1 | cat; }
"""
"""A program whose outputs are read to their ends, whoever holds them open. What the shell says
when it ends by a signal is told with its exit code, for the code alone leaves that open.
"""
_FILED = rb"""
( cd -- %(cwd)b; printf %%s %(given)b > "$ennio_d/%(index)d.i"
 exec 4>"$ennio_d/%(index)d.o" 5>"$ennio_d/%(index)d.e"
 %(env)b
 ennio_w=$( { %(started)b <"$ennio_d/%(index)d.i" 8<<ENNIO
$ennio_v
ENNIO
 echo ":$?"; } 2>&1 )
 ennio_k=${ennio_w%%:*}
 printf '%%sc%(index)d:%%s%%s;' "$ennio_n" "${ennio_w##*:}" "${ennio_k:+k}" >&9
 [ "${ennio_w##*:}" = 0 ] )"""
"""A program whose outputs are files: it may leave a server behind that holds them open."""
_KEPT = rb"""
ennio_d=%b; mkdir -m 700 -- "$ennio_d" || exit 1
trap 'rm -rf -- "$ennio_d"' 0; trap 'exit 1' 1 13 15
"""
_LEFT = b"""
trap - 0 1 13 15; rm -rf -- "$ennio_d"
"""
"""The folder of those files; it goes, too, where the line breaks before they were read."""
_IN_TURN = rb"""
if [ -n "$ennio_g" ]; then
%b || ennio_g=
fi"""
_TOLD = rb"""
printf '%%so' "$ennio_n"; [ -s "$ennio_d/%(file)b" ] && cat "$ennio_d/%(file)b" 2>/dev/null
"""
"""A program is begun for what was put out alone: most have nothing to complain of."""
_OURS = rb"(?:p(\d+):(\d+)\n|c(\d+):(\d*)(k?);|x(\d+)([^;]*);)"
_END = rb"""
for ennio_i in %(pids)b; do kill -0 "$ennio_i" 2>/dev/null && printf '%%s ' "$ennio_i"
kill -s %(first)b -- %(group)b"$ennio_i" 2>/dev/null; done
ennio_j=0; while [ $ennio_j -lt %(turns)d ]; do ennio_k=
for ennio_i in %(pids)b; do kill -0 "$ennio_i" 2>/dev/null && ennio_k=y; done
[ -n "$ennio_k" ] || break; sleep 0.1 2>/dev/null || sleep 1; ennio_j=$((ennio_j+1)); done
for ennio_i in %(pids)b; do kill -s KILL -- %(group)b"$ennio_i" 2>/dev/null; done
"""


@dataclass(slots=True)
class _Told:
    """What stands on standard error beside a program's own words, taken out of it."""

    pids: dict[int, int] = field(default_factory=dict)
    codes: dict[int, int] = field(default_factory=dict)
    refused: tuple[int, bytes] | None = None


class RemoteCommands:
    """See the module."""

    def __init__(self, pool: ShellPool, facts: MachineFacts) -> None:
        self._pool, self._facts = pool, facts

    def run(self, command: Command) -> CompletedCommand:
        """See ``Machine.run``."""
        if command.leaves_server:
            return self._run_filed((command,))[0]
        streamed = len(command.stdin) > LARGE or b"\0" in command.stdin
        body = ready_for(command, 0) + self._piped(command, streamed=streamed)
        running = _Running(self._pool, self._facts, (command,))
        patience = self._pool.patience
        stdin, until = command.stdin if streamed else None, time.monotonic() + patience
        with self._pool.asked(body, stdin, until, command.timeout) as (shell, answer):
            self._pool.heard(shell, answer)
            return running.answer(shell, answer)

    def run_all(self, commands: Sequence[Command]) -> tuple[CompletedCommand, ...]:
        """See ``Machine.run_all``: one question, however many there are."""
        if len(commands) == 1:
            return (self.run(commands[0]),)
        return self._run_filed(commands) if commands else ()

    def look_and_run(
        self, look: bytes, commands: Sequence[Command]
    ) -> tuple[ShellAnswer, tuple[CompletedCommand, ...]]:
        """A question that starts no program of ours, with its answer, and commands after it as in
        ``run_all``; none where one of them cannot be begun.
        """
        running = _Running(self._pool, self._facts, tuple(commands))
        body = look + self._filed_all(commands)
        answer, done = self._asked(running, body)
        return answer, done if isinstance(done, tuple) else ()

    def run_in_turn(
        self, commands: Sequence[Command], look: bytes
    ) -> tuple[tuple[CompletedCommand, ...], ShellAnswer]:
        """See ``Machine.run_in_turn``; and the answer to a question that is asked after them."""
        running = _Running(self._pool, self._facts, tuple(commands), in_turn=True)
        answer, done = self._asked(running, self._filed_all(commands, look, in_turn=True))
        if isinstance(done, OSError):
            raise done
        return tuple(one for at, one in enumerate(done) if at in running.told.pids), answer

    # --- what is asked ----------------------------------------------------------------------------

    def _run_filed(self, commands: Sequence[Command]) -> tuple[CompletedCommand, ...]:
        running = _Running(self._pool, self._facts, tuple(commands))
        _, done = self._asked(running, self._filed_all(commands))
        if isinstance(done, OSError):
            raise done
        return done

    def _asked(
        self, running: _Running, body: bytes
    ) -> tuple[ShellAnswer, tuple[CompletedCommand, ...] | OSError]:
        """How the commands ended, or why none was begun."""
        done: tuple[CompletedCommand, ...] | OSError
        with self._pool.asked(body, None, time.monotonic() + self._pool.patience) as asked:
            self._pool.heard(*asked)
            try:
                done = running.answers(*asked)
            except OSError as error:
                done = error
        return asked[1], done

    def _filed_all(
        self, commands: Sequence[Command], look: bytes = b"", *, in_turn: bool = False
    ) -> bytes:
        """Commands side by side, or one after the other until one fails, and a look after them."""
        folder = f"{self._facts.memory}/ennio-{os.urandom(8).hex()}"
        parts = [self._all_checked(commands)]
        parts.append(_KEPT % quoted(folder))
        each, end = (_IN_TURN, b"\n") if in_turn else (b"%b", b" &\n")
        parts.append(b"ennio_g=y\n" if in_turn else b"")
        parts += [
            each % self._filed(command, at) + (end if len(commands) > 1 else b"\n")
            for at, command in enumerate(commands)
        ]
        parts += [b"wait\n", look]
        for at in range(len(commands)):
            parts.append(_TOLD % {b"file": b"%d.o" % at} + _TOLD % {b"file": b"%d.e" % at})
        parts.append(_LEFT)
        return b"".join(parts)

    def _all_checked(self, commands: Sequence[Command]) -> bytes:
        """Each program in its folder once, however many commands call it there."""
        alike: dict[tuple[str, str, str | None], int] = {}
        for at, one in enumerate(commands):
            path = None if one.env is None else one.env.get("PATH", _DEFAULT_PATH)
            alike.setdefault((one.cwd, one.argv[0], path), at)
        return b"".join(self._checked(commands[at], at) for at in alike.values())

    def _checked(self, command: Command, index: int) -> bytes:
        # a folder that is entered for the look alone; what was refused ends the whole question
        ready = ready_for(command, index)
        return b"( %b exit 9 ) </dev/null; [ $? -eq 9 ] || exit 0\n" % ready

    def _piped(self, command: Command, *, streamed: bool) -> bytes:
        inline = command.stdin and not streamed
        fed = b"printf %%s %b |" % quoted(command.stdin) if inline else b""
        return env_of(command) + _PIPED % {
            b"started": self._started(command, 0, fed),
            b"input": b"" if command.stdin else b"</dev/null",
        }

    def _filed(self, command: Command, index: int) -> bytes:
        return _FILED % {
            b"cwd": quoted(command.cwd),
            b"given": quoted(command.stdin),
            b"index": index,
            b"started": self._started(command, index, b""),
            b"env": env_of(command),
        }

    def _started(self, command: Command, index: int, fed: bytes) -> bytes:
        return _STARTED % {
            b"fed": fed,
            b"own": self._facts.own,
            b"index": index,
            b"clean": clean_for(command),
            b"given": b"" if command.env is None else GIVEN,
            b"words": joined(command.argv),
        }


def ready_for(command: Command, index: int) -> bytes:
    """Goes where a program is to run, and looks whether there is one; says aside why not."""
    path = b'"$PATH"'
    if command.env is not None:
        path = quoted(command.env.get("PATH", _DEFAULT_PATH))
    return _READY % {
        b"cwd": quoted(command.cwd),
        b"index": index,
        b"program": quoted(command.argv[0]),
        b"path": path,
    }


def clean_for(command: Command) -> bytes:
    """What takes everything out of the environment, where one was given in its place."""
    return b"" if command.env is None else b"env -i"


def env_of(command: Command) -> bytes:
    """The environment as a text for a shell (ennio_v). What is no name for a shell is left out."""
    given = {} if command.env is None else command.env
    lines = [
        b"export %b=%b" % (name.encode(), quoted(value))
        for name, value in given.items()
        if _NAME.match(name)
    ]
    return b"ennio_v=%b\n" % quoted(b"\n".join(lines))


@dataclass(slots=True)
class _Running:
    """Commands under way over there, one or several."""

    pool: ShellPool
    facts: MachineFacts
    commands: tuple[Command, ...]
    in_turn: bool = False
    told: _Told = field(default_factory=_Told)

    def answer(self, shell: KeptShell, answer: ShellAnswer) -> CompletedCommand:
        """Wait for the end of the only one, or end it."""
        command = self.commands[0]
        overdue = self._waited(shell, answer)
        cut = overdue is None and not answer.over
        if not answer.over:
            self._end()
            if cut or not shell.finish(answer, time.monotonic() + _AFTER):
                shell.broken = True
        self._read(answer)
        code = 0 if cut else self.told.codes.get(0, -9)
        most = command.most if command.most is not None else len(answer.out)
        whole = bytes(answer.out[:most])
        cut = cut or (command.most is not None and len(answer.out) >= command.most)
        return CompletedCommand(0 if cut else code, whole, bytes(answer.err), overdue, cut)

    def answers(self, shell: KeptShell, answer: ShellAnswer) -> tuple[CompletedCommand, ...]:
        """Wait for the ends of all, or end those that are overdue."""
        ended = set[int]()
        if self._waited(shell, answer) is not None:
            ended = self._end()
            if not shell.finish(answer, time.monotonic() + self.pool.patience):
                self.pool.condemn()
                raise TimedOut(f"{self.pool.target.name} did not answer")
        self._read(answer)
        parts = bytes(answer.out).split(answer.nonce + b"o")[1:]
        return tuple(
            _completed(
                command,
                self.told.codes.get(at, -9),
                parts[2 * at : 2 * at + 2],
                Overdue.TIME if self.told.pids.get(at) in ended else None,
            )
            for at, command in enumerate(self.commands)
        )

    def _waited(self, shell: KeptShell, answer: ShellAnswer) -> Overdue | None:
        """Why it is to be ended; None where it has ended, or has told as much as is wanted."""
        most = self.commands[0].most if len(self.commands) == 1 else None
        silence = self.commands[0].silence
        begun, moved, size, ended = 0.0, time.monotonic(), 0, 0
        while not answer.over:
            if most is not None and answer.sure() >= most:
                return None
            now = time.monotonic()
            self._read(answer)
            if self.told.refused is None and self.told.pids:
                begun = begun or now
            if self.in_turn and len(self.told.codes) != ended:
                begun, ended = now, len(self.told.codes)
            lasts = self._lasts(ended)
            if len(answer.err) != size:
                moved, size = now, len(answer.err)
            until = begun + lasts if begun else moved + self.pool.patience
            if begun and silence is not None:
                until = min(until, moved + silence)
            if now < until:
                shell.wait(answer, until)
            elif not begun:
                self.pool.condemn()
                raise TimedOut(f"{self.pool.target.name} did not begin it in time")
            else:
                return Overdue.TIME if now >= begun + lasts else Overdue.SILENCE
        self._read(answer)
        return None

    def _lasts(self, ended: int) -> float:
        """Seconds for what runs now: in turn each has its own, from the end of the one before."""
        if self.in_turn:
            return self.commands[min(ended, len(self.commands) - 1)].timeout
        return max(command.timeout for command in self.commands)

    def _read(self, answer: ShellAnswer) -> None:
        """Take our own words out of what stands on standard error."""

        def taken(match: re.Match[bytes]) -> bytes:
            pid, of, index, code, killed, refused, why = match.groups()
            if pid is not None:
                self.told.pids[int(of)] = int(pid)
            elif index is not None:
                self.told.codes[int(index)] = code_of(
                    int(code or b"0"), killed=bool(killed), tells=self.facts.tells
                )
            else:
                self.told.refused = int(refused), why
            return b""

        answer.take(_OURS, taken)
        if self.told.refused is not None and answer.over:
            index, why = self.told.refused
            command = self.commands[index]
            program = why.startswith(b"p: ")
            raise errors.system_error(why, command.argv[0] if program else command.cwd)

    def _end(self) -> set[int]:
        """End them with all of their groups; which ones there still were."""
        pids = sorted(set(self.told.pids.values()))
        if not pids:
            return set()
        grace = max(command.grace for command in self.commands)
        body = _END % {
            b"pids": b" ".join(b"%d" % pid for pid in pids),
            b"first": b"TERM" if grace > 0 else b"KILL",
            b"group": b"" if self.facts.own == b"env" else b"-",
            b"turns": max(0, round(grace * 10)),
        }
        answer = self.pool.ask(body, more=grace)
        return {int(pid) for pid in answer.out.split()}


def code_of(code: int, *, killed: bool, tells: bool) -> int:
    """A shell adds 128 to the number of a signal, which may as well be an exit code."""
    number = code - 128
    by_signal = 0 < number <= 64 and (killed or number in (_UNTOLD if tells else _USUAL))
    return -number if by_signal else code


def _completed(
    command: Command, code: int, parts: Sequence[bytes], overdue: Overdue | None
) -> CompletedCommand:
    out, err = parts if len(parts) == 2 else (b"", b"")
    most = command.most if command.most is not None else len(out) + 1
    return CompletedCommand(code, out[:most], err, overdue, len(out) >= most)
