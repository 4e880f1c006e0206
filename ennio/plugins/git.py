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

import contextlib
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ennio.model.errors import EnnioError, TimedOut
from ennio.plugins import git_errors, git_orphans
from ennio.plugins.git_environment import environment
from ennio.plugins.git_errors import readable, redacted

__all__ = [
    "HEAVY",
    "NETWORK",
    "QUICK",
    "Git",
    "GitCommand",
    "GitOutput",
    "GitPlace",
    "failure",
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
_GLANCE = 5.0
_LOCK_PATIENCE = 5.0
_GRACE = 2.0  # seconds a git that is ended may take to clean up
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


class Git:
    """The git executable, working in one directory: a repository, a working copy, or
    a bare repository itself.

    ``env`` is added to the environment of every call (an index or an identity of its own, say).
    ``hooks=True`` lets the repository's hooks run; they do not otherwise.
    """

    def __init__(
        self, directory: Path, *, env: Mapping[str, str] | None = None, hooks: bool = False
    ) -> None:
        self.directory = directory
        self._env = dict(env or {})
        self._hooks = hooks

    def __repr__(self) -> str:
        return f"Git({str(self.directory)!r})"

    def under(self, env: Mapping[str, str]) -> Git:
        """The same directory with more environment."""
        return Git(self.directory, env={**self._env, **env}, hooks=self._hooks)

    def run(
        self,
        *args: str,
        input: str | None = None,  # noqa: A002
        timeout: float = QUICK,
        check: bool = True,
    ) -> GitOutput:
        """Run one command. Waits some seconds for another git's lock, and tries a lost race again,
        before it believes in it.

        Blocks. Raises TimedOut after ``timeout`` seconds, or ``STALL`` ones in which a server gave
        no sign, whatever ``check`` says; Unreachable when git cannot be started just now; and, with
        ``check``, Unreachable (time mends it) or Refused (all else) with git's last words.
        """
        deadline = time.monotonic() + _LOCK_PATIENCE
        pause = 0.05
        while True:
            output = self._once(args, input, timeout)
            if output.ok or not _is_passing(args, output.stderr) or time.monotonic() > deadline:
                break
            time.sleep(pause)
            pause = min(pause * 2, 1.0)
        if check and not output.ok:
            raise failure(args, self.directory, output)
        return output

    def beginning(self, *args: str, longest: int, timeout: float = QUICK) -> tuple[str, bool]:
        """The first bytes that a command prints, and whether there were more;
        one that goes on is ended.

        Blocks. Raises TimedOut after ``timeout`` seconds, and as ``run`` does when it
        failed before it came so far.
        """
        over = threading.Event()

        def late() -> None:  # closes nothing: somebody reads there
            over.set()
            with contextlib.suppress(ProcessLookupError):
                os.killpg(running.process.pid, signal.SIGKILL)

        with self._begun(args, fed=False) as running:
            process = running.process
            timer = threading.Timer(timeout, late)
            timer.start()
            try:
                raw = process.stdout.read(longest) if process.stdout is not None else b""
                more = len(raw) == longest
                code = 0 if more else process.wait()
                said = b"" if more or process.stderr is None else process.stderr.read()
            finally:
                timer.cancel()
        if over.is_set():
            raise TimedOut(f"{_name(args)} in {self.directory} did not end within {timeout:g} s")
        if code != 0:
            raise failure(args, self.directory, GitOutput(code, "", _text(said)))
        return _text(raw), more

    def commit(self, name: str) -> str | None:
        """The id of the commit a name stands for, or None."""
        return (
            self.run(
                "rev-parse",
                "--verify",
                "--quiet",
                "--end-of-options",
                f"{name}^{{commit}}",
                check=False,
            ).text
            or None
        )

    def contains(self, ancestor: str, descendant: str) -> bool:
        """Whether one commit is part of the other's history (or is it)."""
        return self.run("merge-base", "--is-ancestor", ancestor, descendant, check=False).ok

    @property
    def common(self) -> Path | None:
        """The directory all worktrees of the repository share, or None when there is
        no repository right here.
        """
        answer = self.run("rev-parse", "--git-common-dir", check=False)
        return (self.directory / answer.text).resolve() if answer.ok else None

    @property
    def place(self) -> GitPlace | None:
        """Which repository and working copy git means right here, in one question;
        None when there is none.
        """
        wanted = (
            "--git-common-dir",
            "--absolute-git-dir",
            "--show-toplevel",
            "--symbolic-full-name",
            "HEAD",
        )
        told = [
            *self.run("rev-parse", "--path-format=absolute", *wanted, check=False).lines,
            "",
            "",
            "",
        ]
        if not told[0]:
            return None
        top = Path(told[2]).resolve() if told[2].startswith("/") else None
        branch = told[3].removeprefix("refs/heads/") if told[3].startswith("refs/heads/") else None
        return GitPlace(Path(told[0]).resolve(), Path(told[1]).resolve(), top, branch)

    def _once(self, args: tuple[str, ...], given: str | None, timeout: float) -> GitOutput:
        with self._begun(args, fed=given is not None) as running:
            return running.answer(given, timeout)

    @contextlib.contextmanager
    def _begun(self, args: tuple[str, ...], *, fed: bool) -> Iterator[_Running]:
        """A command that has been started; it is over when the block is left."""
        served = _verb(args) in _SERVERS
        if served:
            git_orphans.end_once(os.getpid())
        command = [
            "git",
            "-C",
            str(self.directory),
            *(() if self._hooks else _NO_HOOKS),
            *_QUIET,
            *args,
        ]
        with contextlib.ExitStack() as stack:
            spool = stack.enter_context(tempfile.TemporaryFile()) if served else None
            try:
                process = subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE if fed else subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE if spool is None else spool,
                    env=environment(self.directory, self._env, git_orphans.mark(os.getpid())),
                    start_new_session=True,
                )
            except OSError as error:
                raise git_errors.not_begun(error) from error
            try:
                yield _Running(process, args, self.directory, spool)
            finally:
                if process.returncode is None:
                    _end(process)


@dataclass(frozen=True, slots=True)
class _Running:
    """A command under way. ``spool`` is where a command that asks a
    server tells of its progress.
    """

    process: subprocess.Popen[bytes]
    args: tuple[str, ...]
    directory: Path
    spool: IO[bytes] | None

    def answer(self, given: str | None, timeout: float) -> GitOutput:
        """Wait for its end."""
        encoded = None if given is None else given.encode("utf-8", "surrogateescape")
        stdout, stderr = (
            self._waited(encoded, timeout)
            if self.spool is None
            else self._watched(encoded, timeout, self.spool)
        )
        return GitOutput(self.process.returncode, _text(stdout), _text(stderr))

    def _waited(self, given: bytes | None, timeout: float) -> tuple[bytes, bytes]:
        try:
            return self.process.communicate(given, timeout)
        except subprocess.TimeoutExpired as error:
            raise self._late(f"did not end within {timeout:g} s") from error

    def _watched(
        self, given: bytes | None, timeout: float, spool: IO[bytes]
    ) -> tuple[bytes, bytes]:
        begun = moved = time.monotonic()
        size = 0
        while True:
            left = min(begun + timeout, moved + STALL) - time.monotonic()
            try:
                stdout, _ = self.process.communicate(given, max(0.01, min(left, _GLANCE)))
                spool.seek(0)
                return stdout, spool.read()
            except subprocess.TimeoutExpired as error:
                now, told = time.monotonic(), os.fstat(spool.fileno()).st_size
                if told != size:
                    size, moved = told, now
                elif now >= begun + timeout:
                    raise self._late(f"did not end within {timeout:g} s") from error
                elif now >= moved + STALL:
                    raise self._late(
                        f"got no answer for {STALL:g} s from the other side"
                    ) from error
                given = None  # it was taken over at the first call

    def _late(self, words: str) -> TimedOut:
        return TimedOut(f"{_name(self.args)} in {self.directory} {words}")


@dataclass(frozen=True, slots=True)
class GitCommand:
    """A command that only reads, and whom it is put to."""

    git: Git
    args: tuple[str, ...]


def side_by_side(*questions: GitCommand, timeout: float = QUICK) -> tuple[GitOutput, ...]:
    """Put all questions at once; the answers come in their order, whatever their exit codes.

    Blocks as long as the slowest takes. Raises TimedOut as ``Git.run`` does; none of
    them runs any more then.
    """
    with contextlib.ExitStack() as running:
        asked = [running.enter_context(one.git._begun(one.args, fed=False)) for one in questions]  # noqa: SLF001 - its own module
        return tuple(one.answer(None, timeout) for one in asked)


def failure(args: tuple[str, ...], directory: Path, output: GitOutput) -> EnnioError:
    """The error a failed command amounts to: Unreachable for what time mends, else Refused."""
    return git_errors.failure(
        _name(args), directory, output.code, output.stderr.strip() or output.stdout
    )


def _is_passing(args: tuple[str, ...], words: str) -> bool:
    """Whether the same may go well in a moment. A ref that is there already is an
    answer, but to who fetches.
    """
    return (
        git_errors.is_locked(words)
        or git_errors.is_half_made(words)
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


def _tell(process: subprocess.Popen[bytes], number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End it with its helpers. At a SIGTERM git takes its locks and half-made things away; killed,
    it leaves them for good.
    """
    try:
        _tell(process, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE)
    finally:
        _tell(process, signal.SIGKILL)
        process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        # what it was still to be given is lost; a greenlet that reads here sees the end by itself
        # and closes nothing under it
        with contextlib.suppress(OSError, RuntimeError):
            if pipe is not None:
                pipe.close()
