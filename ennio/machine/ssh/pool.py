"""The connections to one machine, opened when they are needed, and the shells on them."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ennio.machine.ssh.backoff import Backoff, clocks_apart
from ennio.machine.ssh.far_time import ASKED, FarTime
from ennio.machine.ssh.gathered import GatheredChanges, ahead_of, judge
from ennio.machine.ssh.shell import KeptShell, ShellAnswer
from ennio.machine.ssh.target import SshTarget
from ennio.model.errors import Exhausted, TimedOut, Unreachable

if TYPE_CHECKING:
    from ennio.machine.ssh.login import SshLine

PATIENCE = 30.0  # seconds for what takes no time at all where the machine answers
_FIRST_WORD = 20.0  # seconds within which a shell has begun to answer, whatever it was asked
_MOST_LINES = 3
_MOST_SHELLS = 10  # on one connection; what sshd gives unless it is told otherwise
_SPARE = 2  # places that there must be for one of them to be lent
_KEPT = 4  # shells of a connection that are kept although nobody needs them
_MEANWHILE = 3.0  # seconds for which others wait for an attempt to connect after one that failed
_AGAIN = 0.1  # seconds until a session is asked for again
_LINGERS = 5.0  # seconds for which a session that has ended may count over there still
_SLEPT = 30.0  # seconds of sleep after which a connection is not believed any more


@dataclass(eq=False, slots=True)
class _Link:
    """A connection with its shells: ``taken`` counts the idle ones too."""

    line: SshLine
    apart: float
    idle: list[KeptShell] = field(default_factory=list)
    taken: int = 0
    most: int = _MOST_SHELLS
    lent: list[KeptShell] = field(default_factory=list)
    left: float = -_LINGERS  # when the last of its sessions ended

    @property
    def stands(self) -> bool:
        return self.line.transport.is_active()

    def give_up(self) -> None:
        """A session of it has ended."""
        self.taken -= 1
        self.left = time.monotonic()


@dataclass(slots=True)
class Count:
    """What was asked of a machine since it was met: each is one way there and back, a shell and a
    connection that had to be opened several.
    """

    questions: int = 0
    shells: int = 0
    connections: int = 0


class ShellPool:
    """See the module. Safe under threads."""

    def __init__(
        self, target: SshTarget, backoff: Backoff | None = None, patience: float = PATIENCE
    ) -> None:
        self.target = target
        self.patience = patience
        self.count = Count()
        self.gathered = GatheredChanges()
        self.time = FarTime()
        self._links = list[_Link]()
        self._backoff = backoff or Backoff()
        self._changed = threading.Condition()
        self._connecting = False

    def ask(self, body: bytes, *, stdin: bytes | None = None, more: float = 0.0) -> ShellAnswer:
        """The whole answer to a question, which takes so many seconds more than those that take
        no time. Raises Unreachable.
        """
        limit = self.patience + more
        until = time.monotonic() + limit
        with self.asked(body, stdin, until) as (shell, answer):
            self.heard(shell, answer)
            if not shell.finish(answer, until):
                self.condemn()
                raise TimedOut(f"{self.target.name} did not answer within {limit:g} s")
        return answer

    @contextlib.contextmanager
    def asked(
        self, body: bytes, stdin: bytes | None, until: float, more: float = 0.0
    ) -> Iterator[tuple[KeptShell, ShellAnswer]]:
        """A question on its way, and the shell that answers it, which may take ``more`` seconds
        for what it is sent. Changes that waited go ahead of it. Raises ChangeRefused at the end of
        the block, and Unreachable.
        """
        with self.shell(until) as shell:
            changes = self.gathered.take()
            begun = self.time.begun() if self.time.is_due() else None
            asked = ASKED if begun is not None else b""
            answer = shell.begin(ahead_of(changes, body), stdin, until + more, asked)
            yield shell, answer
            if begun is not None:
                self.time.told(begun, answer.time)
        judge(changes, answer)

    def heard(self, shell: KeptShell, answer: ShellAnswer) -> None:
        """Wait for the first word of an answer: a machine that has not even that is believed no
        more. Raises Unreachable.
        """
        limit = min(_FIRST_WORD, self.patience)
        until = time.monotonic() + limit
        while not any(answer.begun):
            if not shell.wait(answer, until):
                self.condemn()
                raise TimedOut(f"{self.target.name} did not answer within {limit:g} s")

    @contextlib.contextmanager
    def shell(self, until: float) -> Iterator[KeptShell]:
        """A shell of one's own for one question. Raises Unreachable."""
        link, shell = self._taken(until)
        self.count.questions += 1
        try:
            yield shell
        except BaseException:
            shell.broken = True
            raise
        finally:
            self._give_back(link, shell)

    @contextlib.contextmanager
    def lent(self, until: float) -> Iterator[KeptShell | None]:
        """A shell to be kept for long, which is closed where questions turn out to need its place;
        None without a connection that has a place to spare: it is worth no other one. Raises
        Unreachable.
        """
        found = self._lend(until)
        if found is None:
            yield None
            return
        link, shell = found
        try:
            yield shell
        finally:
            shell.close()
            with self._changed:
                if shell in link.lent:
                    link.lent.remove(shell)
                link.give_up()
                self._changed.notify_all()

    def condemn(self) -> None:
        """The machine did not answer in time: none of its connections is believed any more."""
        self.close()

    def transport(self, until: float) -> Any:
        """A connection that stands, for what is no shell. Raises Unreachable."""
        with self.shell(until) as shell:
            return shell.transport

    def wake(self) -> None:
        """Try again at once what failed."""
        with self._changed:
            self._backoff.clear()

    def hurry(self) -> None:
        """The same where nothing answered: what was refused is not tried more often."""
        with self._changed:
            self._backoff.hurry()

    def close(self) -> None:
        """End all connections; whoever waits for an answer has none."""
        with self._changed:
            links, self._links = self._links, []
        for link in links:
            link.line.cut()

    # --- within -----------------------------------------------------------------------------------

    def _taken(self, until: float) -> tuple[_Link, KeptShell]:
        begun = time.monotonic()
        while True:
            with self._changed:
                self._prune()
                found = self._free()
                if found is None and not self._wanted():
                    self._wait(until, begun)
                    continue
            if found is None:
                self._connect()
                continue
            link, shell = found
            if shell is not None:
                return link, shell
            opened = self._opened(link, until)
            if opened is not None:
                return link, opened

    def _free(self) -> tuple[_Link, KeptShell | None] | None:
        """A shell that is idle, or the place for one, which is taken with it."""
        for link in self._links:
            while link.idle:
                shell = link.idle.pop()
                if shell.usable:
                    return link, shell
                link.give_up()
                shell.close()
        for link in self._links:
            if link.taken < link.most:
                link.taken += 1
                return link, None
        return None

    def _lend(self, until: float) -> tuple[_Link, KeptShell] | None:
        with self._changed:
            self._prune()
            roomy = (link for link in self._links if link.most - link.taken >= _SPARE)
            link = next(roomy, None)
            if link is None:
                return None
            link.taken += 1
        shell = self._opened(link, until)
        if shell is None:
            return None
        shell.broken = True  # what is kept for long answers nobody else
        with self._changed:
            link.lent.append(shell)
        return link, shell

    def _wanted(self) -> bool:
        """Whether it is on us to connect. Raises Unreachable where it is too early to."""
        if self._connecting or len(self._links) >= _MOST_LINES:
            return False
        if not self._links:
            self._backoff.check()
        self._connecting = True
        return True

    def _wait(self, until: float, begun: float) -> None:
        left = until - time.monotonic()
        if not self._links and time.monotonic() - begun > _MEANWHILE:
            self._backoff.repeat()  # where nothing answers, another attempt takes long
        if left <= 0:
            raise TimedOut(f"{self.target.name}: all connections were busy for too long")
        self._changed.wait(min(left, 1.0))

    def _connect(self) -> None:
        from ennio.machine.ssh import login  # noqa: PLC0415 - loads paramiko

        made: SshLine | None = None
        try:
            made = login.log_in(self.target)
        except Unreachable as error:
            with self._changed:
                self._backoff.failed(error)
            raise
        finally:
            with self._changed:
                self._connecting = False
                if made is not None:
                    self._backoff.clear()
                    self.count.connections += 1
                    self._links.append(_Link(made, clocks_apart()))
                self._changed.notify_all()

    def _opened(self, link: _Link, until: float) -> KeptShell | None:
        """A new shell in the place that was taken; None where the machine gives no more."""
        import paramiko  # noqa: PLC0415 - only where there is a connection

        transport = link.line.transport
        shell: KeptShell | None = None
        try:
            left = max(0.1, until - time.monotonic())
            shell = KeptShell(transport, transport.open_session(timeout=left))
        except paramiko.ChannelException as error:
            self._refused(link, error, until)
        except (OSError, EOFError, paramiko.SSHException) as error:
            if transport.is_active() and time.monotonic() < until:
                # of several that are refused at once, only one is told why
                self._refused(link, error, until)
                return None
            transport.cut()  # nothing was asked yet: another connection may do
            if time.monotonic() >= until:
                self.condemn()
                raise TimedOut(f"{self.target.name} opens no session: {error}") from error
        finally:
            with self._changed:
                self.count.shells += shell is not None
                link.taken -= shell is None
                self._changed.notify_all()
        return shell

    def _refused(self, link: _Link, error: Exception, until: float) -> None:
        """It gives no more sessions than there are, unless one that has just ended counts still."""
        with self._changed:
            lingers = time.monotonic() < link.left + _LINGERS
            if not lingers:
                link.most = max(1, link.taken - 1)
            lent, link.lent = link.lent, []
        for shell in lent:
            shell.close()
        if lingers or lent or link.taken == 1:
            time.sleep(_AGAIN)
        if time.monotonic() >= until:
            raise Exhausted(f"{self.target.name} opens no session: {error}") from error

    def _give_back(self, link: _Link, shell: KeptShell) -> None:
        with self._changed:
            if shell.usable and len(link.idle) < _KEPT:
                link.idle.append(shell)
                gone = None
            else:
                link.give_up()
                gone = shell
            self._changed.notify_all()
        if gone is not None:
            gone.close()

    def _prune(self) -> None:
        apart = clocks_apart()
        for link in [*self._links]:
            slept = abs(apart - link.apart) > _SLEPT
            if slept or not link.stands:
                self._links.remove(link)
                link.line.cut()
