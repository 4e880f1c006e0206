"""Commands to one tmux server, each a process of its own, and what their answers prove."""

from __future__ import annotations

import time
from collections.abc import Sequence

from ennio.machine.inherited import inherited
from ennio.machine.interface import Command, CompletedCommand, Machine
from ennio.machine.questions import NOTHING_ASKED, Questions
from ennio.model.errors import Refused, TimedOut, Unreachable
from ennio.plugins.runtime.tmux_attach_guard import AttachGuard
from ennio.plugins.runtime.tmux_server import TmuxServer

_ABSENT = ("can't find", "no such", "no current")
NO_SERVER = ("no server running", "error connecting")
ENDED = ("server exited", "lost server")
BETWEEN = (0.05, 0.2)
"""Seconds until a server is asked again that ended, or began, as it was asked."""


class TmuxClient:
    """Asks the server of one socket name; nothing is asked while somebody attaches (``guard``)."""

    def __init__(self, machine: Machine, socket: str, timeout: float) -> None:
        self._machine = machine
        self._socket = socket
        self._timeout = timeout
        self._is_installed = False
        self.server = TmuxServer(machine, socket)
        self.guard = AttachGuard()

    def ask(
        self, arguments: Sequence[str], stdin: bytes | None = None, *, only_reads: bool = False
    ) -> str | None:
        """What tmux printed; None when it proves that the thing asked for is not there.
        Raises Unreachable otherwise.
        """
        asked_ahead = only_reads
        for pause in (*BETWEEN, None):
            done = self.run(arguments, stdin, only_reads=asked_ahead)
            asked_ahead = False  # another try is not told what was told ahead
            if done.code == 0:
                return done.stdout.decode(errors="replace")
            # one look a try: between two of them another server may have begun
            if self.is_absent(done):
                return None
            if pause is None or not complaint(done).startswith((*ENDED, *NO_SERVER)):
                break
            time.sleep(pause)
        raise self._no_answer(done)

    def is_absent(self, done: CompletedCommand) -> bool:
        """Whether tmux proves that the thing asked for is not there."""
        words = complaint(done)
        return words.startswith(_ABSENT) or (
            words.startswith(NO_SERVER) and self.server.is_refusing()
        )

    def insist_absent(self, done: CompletedCommand) -> None:
        """Raise Unreachable where tmux does not prove that."""
        if not self.is_absent(done):
            raise self._no_answer(done)

    def _no_answer(self, done: CompletedCommand) -> Unreachable:
        return Unreachable(f"tmux on socket {self._socket} did not answer: {complaint(done)}")

    def run(
        self,
        arguments: Sequence[str],
        stdin: bytes | None = None,
        *,
        only_reads: bool = False,
        then: Questions = NOTHING_ASKED,
    ) -> CompletedCommand:
        """One command, however it ended; for ``then`` see ``Machine.run_in_turn``. Raises
        Unreachable where it could not be run, TimedOut.
        """
        command = self.command(arguments, stdin, only_reads=only_reads)
        try:
            with self.guard.command():
                done = (
                    self._machine.run(command)
                    if then is NOTHING_ASKED
                    else self._machine.run_in_turn((command,), then)[0]
                )
        except FileNotFoundError as error:
            raise Unreachable(
                "tmux is not installed, so nobody can say what runs in it; install it"
            ) from error
        except OSError as error:
            raise Unreachable(f"tmux could not be run: {error}") from error
        if done.overdue is not None:
            raise TimedOut(
                f"tmux on socket {self._socket} did not answer within {self._timeout:g} s"
            )
        return done

    def command(
        self, arguments: Sequence[str], stdin: bytes | None = None, *, only_reads: bool = False
    ) -> Command:
        """What ``run`` runs."""
        # the client hands its ends to the server, and a hung server would keep
        # a pipe from ever ending
        return Command(
            ("tmux", "-u", "-L", self._socket, "-f", "/dev/null", *arguments),
            env=self.environment(),
            stdin=stdin or b"",
            timeout=self._timeout,
            leaves_server=True,
            grace=0,
            only_reads=only_reads,
        )

    def check_installed(self) -> None:
        """Raise Refused where there is none. Another machine is asked until it has it: a command
        there says it, too.
        """
        if self._machine.name and self._is_installed:
            return
        self._is_installed = self._machine.which("tmux") is not None
        if not self._is_installed:
            raise Refused(
                f"tmux is not installed on {self._machine.name}; install it there"
                if self._machine.name
                else "tmux is not installed; install it, or set `runtime: process` for this project"
            )

    def environment(self) -> dict[str, str]:
        """What a client is given: the server takes its environment from the one that starts it, so
        no secrets and no marks of ours.
        """
        own = self._machine.environ
        return inherited(own) | {name: own[name] for name in ("TMUX_TMPDIR",) if name in own}

    def attach_words(self, name: str) -> tuple[str, ...]:
        """The command that leads a person's terminal to a session."""
        folder = self._machine.environ.get("TMUX_TMPDIR")
        place = (f"TMUX_TMPDIR={folder}",) if folder else ("-u", "TMUX_TMPDIR")
        session = f"={name}"
        return (
            "env",
            "-u",
            "TMUX",
            *place,
            "tmux",
            "-u",
            "-L",
            self._socket,
            "attach-session",
            "-t",
            session,
            # the window is as large as the terminal of the person who came last, until they leave
            *(";", "set-option", "-w", "-t", f"{session}:", "window-size", "latest"),
            *(";", "set-option", "-F", "-t", f"{session}:", "@ennio_person", "#{client_name}"),
        )

    def version(self) -> str | None:
        """What ``tmux -V`` says (``3.3a``)."""
        done = self._machine.run(
            Command(("tmux", "-V"), env=self.environment(), timeout=self._timeout)
        )
        return done.stdout.decode(errors="replace").strip().removeprefix("tmux ") or None


def complaint(done: CompletedCommand) -> str:
    """Why it says that it failed."""
    return done.stderr.decode(errors="replace").strip() or f"exit code {done.code}"
