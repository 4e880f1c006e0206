"""A named pipe over there by which hooks of agents notify us, and a shell that reads it for as long
as our channel to it stands.

The shell has the pipe open both ways, so that no hook waits for a reader. Each supervisor has a
pipe of its own, since what one reads no other does. The shell prints one line with all who wrote,
and the next only once that was acknowledged: it never waits for the line, always empties the pipe,
and however many write meanwhile are one line.
"""

from __future__ import annotations

import contextlib
import time

from ennio.machine.ssh.pool import ShellPool
from ennio.machine.ssh.shell import KeptShell, ShellAnswer
from ennio.model.errors import Unreachable

REST = 0.5
"""Seconds between two lines: who writes all the time is told of twice a second."""
_ACKNOWLEDGED = b"+\n"
WAITS = rb"""
umask 077
ennio_d=${ENNIO_HOME:-${HOME:-$(cd && pwd)}/.ennio}/notify; ennio_u=$(uname -n)
mkdir -p -- "$ennio_d" || exit 1
for ennio_p in "$ennio_d/$ennio_u":* "$ennio_d/.$ennio_u":*; do
kill -0 "${ennio_p##*:}" 2>/dev/null || rm -f -- "$ennio_p"; done
ennio_p=$ennio_d/.$ennio_u:$$; ennio_q=$ennio_d/$ennio_u:$$
trap 'rm -f -- "$ennio_p" "$ennio_q"' 0; trap 'exit 1' 1 13 15
rm -f -- "$ennio_p" "$ennio_q"; mkfifo "$ennio_p" || exit 1
exec 5<>"$ennio_p" 7<&0
mv -f -- "$ennio_p" "$ennio_q" || exit 1
{ while IFS= read -r ennio_x; do printf '%s\n' "$ennio_x"; done; echo .
} <&7 >&5 2>/dev/null 5<&- 7<&- 9>&- &
exec </dev/null 7<&-
ennio_w=; ennio_o=
while IFS= read -r ennio_x <&5; do
case $ennio_x in
(.) exit 0;;
(+) ennio_o=;;
(*[!A-Za-z0-9._-]* | '') ;;
(*) case "$ennio_w " in (*" $ennio_x "*) ;;
(*) [ ${#ennio_w} -gt 4000 ] || ennio_w="$ennio_w $ennio_x";; esac;;
esac
if [ -n "$ennio_w" ] && [ -z "$ennio_o" ]; then
printf '%s\n' "$ennio_w" || exit 1
ennio_w=; ennio_o=y; fi
done
"""
"""What we send, and that our channel has ended, comes by the pipe too: a shell waits for one thing
at a time. Hooks see the pipe once it is read. What one that was killed has left behind is removed,
known by the machine and the process.
"""


class NoNotifyPipe(Unreachable):
    """There can be none over there: no named pipes, or no folder for them."""


class NotifyPipe:
    """One that is read over there. Used by one at a time, but for ``close``."""

    def __init__(
        self, shell: KeptShell, answer: ShellAnswer, held: contextlib.ExitStack, patience: float
    ) -> None:
        self._shell, self._answer, self._held = shell, answer, held
        self._patience = patience
        self._told = 0.0
        self._owes = False

    @classmethod
    def opened(cls, pool: ShellPool) -> NotifyPipe | None:
        """One on a connection that stands; None where there is none, or no room on it.
        Raises Unreachable.
        """
        until = time.monotonic() + pool.patience
        with contextlib.ExitStack() as held:
            shell = held.enter_context(pool.lent(until))
            if shell is None:
                return None
            answer = shell.begin(WAITS, None, until)
            return cls(shell, answer, held.pop_all(), pool.patience)

    def wait(self, timeout: float) -> frozenset[str]:
        """Wait until a session's hook notifies us, for so many seconds at most; whose. Raises
        NoNotifyPipe, and Unreachable once it is read no more.
        """
        until = time.monotonic() + timeout
        while True:
            names = self._names()
            if names:
                self._told, self._owes = time.monotonic(), True
                return names
            if self._answer.over:
                words = bytes(self._answer.err).decode(errors="replace").strip()[-400:]
                raise NoNotifyPipe(f"hooks over there cannot notify us: {words}")
            if self._owes and time.monotonic() >= self._told + REST:
                self._owes = False
                self._shell.say(_ACKNOWLEDGED, time.monotonic() + self._patience)
            pause = min(until, self._told + REST) if self._owes else until
            if not self._shell.wait(self._answer, pause) and pause >= until:
                return frozenset()

    def close(self) -> None:
        """End it; whoever waits is told that it is gone."""
        self._held.close()

    def _names(self) -> frozenset[str]:
        return frozenset(
            name.decode(errors="replace") for line in self._answer.lines() for name in line.split()
        )
