"""A thin, careful wrapper on the git executable: argument lists in, text
out, errors by who can act.

What every call here has in common, whatever it does:

* it never asks: no terminal (a session of its own), no prompt, no window, no editor; stdin is
  closed or given;
* it sees the given directory or nothing: ``GIT_DIR`` and its like do not leak in, and a folder that
  is no repository is not mistaken for a part of the one around it;
* it disturbs nobody: no optional locks (a status of ours never makes an agent's ``git add`` fail),
  no background clean-up, no hooks and no file monitor of the repository's owner;
* it ends: a time limit, and one without any progress where a server is asked, after which the whole
  process group is ended.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from ennio.machine import single
from ennio.machine.interface import Command, CompletedCommand, Machine, Overdue
from ennio.machine.questions import NOTHING_ASKED, Questions
from ennio.model.errors import EnnioError, TimedOut
from ennio.plugins import git_errors, git_orphans
from ennio.plugins.git_environment import environment
from ennio.plugins.git_errors import readable, redacted
from ennio.plugins.git_questions import COMMON, PLACE, commit_of, is_within, only_reads

__all__ = [
    "COMMON",
    "HEAVY",
    "NETWORK",
    "PLACE",
    "QUICK",
    "Git",
    "GitAnswer",
    "GitCommand",
    "GitDeed",
    "GitOutput",
    "GitPlace",
    "as_asked",
    "commit_of",
    "failure",
    "is_within",
    "readable",
    "redacted",
    "side_by_side",
]

QUICK = 30.0
"""Seconds for what is soon done."""
HEAVY = 600.0
"""Seconds for what reads or writes all files of a working copy."""
NETWORK = 3600.0
"""Seconds for what a server is asked for, as long as it goes on."""
STALL = 30.0
"""Seconds without any progress after which a server is not waited for any longer."""
_LOCK_PATIENCE = 5.0
_SERVERS = frozenset({"clone", "fetch", "ls-remote", "push", "submodule"})
_NO_HOOKS = ("-c", "core.hooksPath=/dev/null")
_QUIET = (
    "-c", "core.fsmonitor=false",
    "-c", "core.safecrlf=false",  # doubt about line ends must not keep work from being saved
    "-c", "core.filesRefLockTimeout=5000",
    "-c", "core.packedRefsTimeout=10000",
    "-c", "credential.interactive=false",
    "-c", "gc.auto=0",
    "-c", "maintenance.auto=false",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class GitOutput:
    """What a git command printed and its exit code; bytes that are not
    UTF-8 survive as surrogates.
    """

    code: int
    stdout: str
    stderr: str

    @property
    def ok(self) -> bool:
        """True for exit code 0."""
        return self.code == 0

    @property
    def text(self) -> str:
        """The answer without the line end."""
        return self.stdout.strip("\n")

    @property
    def lines(self) -> tuple[str, ...]:
        """The answer line by line."""
        return tuple(line for line in self.stdout.split("\n") if line)

    @property
    def fields(self) -> tuple[str, ...]:
        """The answer of a ``-z`` command, record by record."""
        return tuple(field for field in self.stdout.split("\0") if field)


GitAnswer = GitOutput | TimedOut
"""What came of a command that was to be run among others."""


@dataclass(frozen=True, slots=True)
class GitPlace:
    """Which repository git means in a directory. ``common`` is shared by all its worktrees,
    ``private`` this one's own.

    ``top`` is where the working copy begins, None without one; ``branch`` is checked out,
    None on a detached HEAD.
    """

    common: Path
    private: Path
    top: Path | None
    branch: str | None


class GitDeed(NamedTuple):
    """A command that changes something, with its input; whether it has to go well."""

    args: tuple[str, ...]
    given: str | None = None
    check: bool = True


class Git:
    """The git executable of a machine, working in one directory: a repository, a working copy, or
    a bare repository itself.

    ``above`` is the real folder that the directory lies in, where that is known. ``env`` is added
    to the environment of every call (an index or an identity of its own, say).
    ``hooks=True`` lets the repository's hooks run; they do not otherwise.
    """

    def __init__(
        self,
        machine: Machine,
        directory: Path,
        *,
        env: Mapping[str, str] | None = None,
        hooks: bool = False,
        above: Path | None = None,
    ) -> None:
        self.machine = machine
        self.directory = directory
        self._env = dict(env or {})
        self._hooks = hooks
        self._above = above

    @property
    def _ceiling(self) -> Path:
        """Above which git looks for no repository: by its real path, which another machine is asked
        for once.
        """
        if self._above is None or not self.machine.name:
            self._above = single.real(self.machine, self.directory).parent
        return self._above

    def __repr__(self) -> str:
        return f"Git({str(self.directory)!r})"

    def under(self, env: Mapping[str, str]) -> Git:
        """The same directory with more environment."""
        more = {**self._env, **env}
        return Git(self.machine, self.directory, env=more, hooks=self._hooks, above=self._above)

    def at(self, directory: Path) -> Git:
        """Another directory of the same machine."""
        return Git(self.machine, directory)

    def run(
        self,
        *args: str,
        input: str | None = None,  # noqa: A002
        timeout: float = QUICK,
        check: bool = True,
        first: GitAnswer | None = None,
    ) -> GitOutput:
        """Run one command. Waits some seconds for another git's lock, and tries a lost race again,
        before it believes in it. ``first`` is what came of a first attempt.

        Blocks. Raises TimedOut after ``timeout`` seconds, or ``STALL`` ones in which a server gave
        no sign, whatever ``check`` says; Unreachable when git cannot be started just now; and, with
        ``check``, Unreachable (time mends it) or Refused (all else) with git's last words.
        """
        deadline = time.monotonic() + _LOCK_PATIENCE
        pause, again = 0.05, False
        while True:
            if isinstance(first, TimedOut):
                raise first
            output, first = first or self._once(args, input, timeout, again=again), None
            again = True
            if output.ok or not _is_passing(args, output.stderr) or time.monotonic() > deadline:
                break
            time.sleep(pause)
            pause = min(pause * 2, 1.0)
        if check and not output.ok:
            raise failure(self, args, output)
        return output

    def in_turn(
        self,
        *each: tuple[tuple[str, ...], str | None],
        timeout: float = QUICK,
        then: Questions = NOTHING_ASKED,
    ) -> tuple[GitAnswer, ...]:
        """Run commands with their inputs one after the other until one fails, each once; what came
        of those that were run. For ``then`` see ``Machine.run_in_turn``.

        Blocks. Raises Unreachable.
        """
        commands = [self._command(args, given, timeout) for args, given in each]
        try:
            done = self.machine.run_in_turn(commands, then)
        except OSError as error:
            raise git_errors.not_begun(error) from error
        asked = zip(each, commands, done, strict=False)
        return tuple(self._ended(command, told, args) for (args, _), command, told in asked)

    def run_each(self, deeds: Sequence[GitDeed]) -> None:
        """Run these in their order, each as ``run`` does; what does not go well at once is tried
        again before the next. Raises as ``run`` does, and none runs after that.
        """
        if not deeds:
            return
        told = self.in_turn(*((one.args, one.given) for one in deeds))
        for at, one in enumerate(deeds):
            first = told[at] if at < len(told) else None
            self.run(*one.args, input=one.given, check=one.check, first=first)

    def _ended(self, command: Command, done: CompletedCommand, args: tuple[str, ...]) -> GitAnswer:
        try:
            return self._answer(command, done, args)
        except TimedOut as error:
            return error

    def beginning(self, *args: str, longest: int, timeout: float = QUICK) -> tuple[str, bool]:
        """The first bytes that a command prints, and whether there were more;
        one that goes on is ended.

        Blocks. Raises TimedOut after ``timeout`` seconds, and as ``run`` does when it
        failed before it came so far.
        """
        command = self._command(args, None, timeout, longest)
        try:
            done = self.machine.run(command)
        except OSError as error:
            raise git_errors.not_begun(error) from error
        output = self._answer(command, done, args)
        if not output.ok:
            raise failure(self, args, output)
        return output.stdout, done.cut

    def commit(self, name: str) -> str | None:
        """The id of the commit a name stands for, or None."""
        return self.run(*commit_of(name), check=False).text or None

    def contains(self, ancestor: str, descendant: str) -> bool:
        """Whether one commit is part of the other's history (or is it)."""
        return self.run(*is_within(ancestor, descendant), check=False).ok

    @property
    def common(self) -> Path | None:
        """The directory all worktrees of the repository share, or None when there is
        no repository right here.
        """
        (answer,) = side_by_side(GitCommand(self, COMMON))
        return self._real(self.directory / answer.text)[0] if answer.ok else None

    @property
    def place(self) -> GitPlace | None:
        """Which repository and working copy git means right here, in one question;
        None when there is none.
        """
        told = [*self.run(*PLACE, check=False).lines, "", "", ""]
        if not told[0]:
            return None
        common, private, top = self._real(*map(Path, told[:3]))
        branch = told[3].removeprefix("refs/heads/") if told[3].startswith("refs/heads/") else None
        return GitPlace(common, private, top if told[2].startswith("/") else None, branch)

    def _real(self, *paths: Path) -> tuple[Path, ...]:
        return self.machine.real(paths)

    def _once(
        self, args: tuple[str, ...], given: str | None, timeout: float, *, again: bool
    ) -> GitOutput:
        command = self._command(args, given, timeout)
        if again:  # and not told what was told ahead
            command = replace(command, only_reads=False)
        try:
            return self._answer(command, self.machine.run(command), args)
        except OSError as error:
            raise git_errors.not_begun(error) from error

    def _command(
        self, args: tuple[str, ...], given: str | None, timeout: float, most: int | None = None
    ) -> Command:
        served = _verb(args) in _SERVERS
        git_orphans.end_former()
        hooks = () if self._hooks else _NO_HOOKS
        return Command(
            ("git", "-C", str(self.directory.absolute()), *hooks, *_QUIET, *args),
            env=environment(self.machine, self._ceiling, self._env, git_orphans.own_mark()),
            stdin=b"" if given is None else given.encode("utf-8", "surrogateescape"),
            timeout=timeout,
            silence=STALL if served else None,  # whoever asks a server tells of its progress
            most=most,
            place=str(self.directory.absolute()),
            only_reads=only_reads(_verb(args), args),
        )

    def _answer(self, command: Command, done: CompletedCommand, args: tuple[str, ...]) -> GitOutput:
        who = f"{_name(args)} in {self.directory}"
        if done.overdue is Overdue.TIME:
            raise TimedOut(f"{who} did not end within {command.timeout:g} s")
        if done.overdue is Overdue.SILENCE:
            raise TimedOut(f"{who} got no answer for {STALL:g} s from the other side")
        return GitOutput(done.code, _text(done.stdout), _text(done.stderr))


@dataclass(frozen=True, slots=True)
class GitCommand:
    """A command that only reads, with its input, and whom it is put to."""

    git: Git
    args: tuple[str, ...]
    given: str | None = None


def as_asked(question: GitCommand, timeout: float = QUICK) -> Command:
    """The command as ``side_by_side`` puts it."""
    git = question.git
    command = git._command(question.args, question.given, timeout)  # noqa: SLF001 - its own module
    return replace(command, only_reads=True)


def side_by_side(*questions: GitCommand, timeout: float = QUICK) -> tuple[GitOutput, ...]:
    """Put all questions at once; the answers come in their order, whatever their exit codes.

    Blocks as long as the slowest takes. Raises TimedOut as ``Git.run`` does; none of
    them runs any more then.
    """
    commands = [as_asked(one, timeout) for one in questions]
    try:
        done = questions[0].git.machine.run_all(commands)
    except OSError as error:
        raise git_errors.not_begun(error) from error
    asked = zip(questions, commands, done, strict=True)
    return tuple(one.git._answer(command, told, one.args) for one, command, told in asked)  # noqa: SLF001 - its own module


def failure(git: Git, args: tuple[str, ...], output: GitOutput) -> EnnioError:
    """The error a failed command amounts to: Unreachable for what time mends, else Refused."""
    words = output.stderr.strip() or output.stdout
    return git_errors.failure(git.machine, _name(args), git.directory, output.code, words)


def _is_passing(args: tuple[str, ...], words: str) -> bool:
    """Whether the same may go well in a moment. A ref that is there already is an
    answer, but to who fetches.
    """
    return (
        git_errors.is_locked(words)
        or git_errors.is_half_made(words)
        or git_errors.is_deleted_meanwhile(words)
        or (_verb(args) in _SERVERS and git_errors.is_race(words))
    )


def _name(args: tuple[str, ...]) -> str:
    return f"git {_verb(args)}".strip()


def _verb(args: tuple[str, ...]) -> str:
    return next(
        (
            arg
            for before, arg in zip(("", *args), args, strict=False)
            if not arg.startswith("-") and before != "-c"
        ),
        "",
    )


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")
