"""A thin, careful wrapper on the git executable: argument lists in, text out, errors by who can act.

What every call here has in common, whatever it does:

* it never asks: no terminal (a session of its own), no prompt, no editor; stdin is closed or given;
* it sees the given directory or nothing: ``GIT_DIR`` and its like do not leak in, and a folder that
  is no repository is not mistaken for a part of the one around it;
* it disturbs nobody: no optional locks (a status of ours never makes an agent's ``git add`` fail),
  no background clean-up, no hooks and no file monitor of the repository's owner;
* it ends: a time limit, after which the whole process group is killed.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ennio.errors import EnnioError, Refused, TimedOut, Unreachable

QUICK = 30.0
HEAVY = 600.0
NETWORK = 600.0
_LOCK_PATIENCE = 5.0
_WORDS = 12  # lines of git's own words in an error

# `git rev-parse --local-env-vars`, and what a hook adds. GIT_CONFIG_COUNT stays: people configure containers with it.
_LEAKING = frozenset({
    "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_COMMON_DIR", "GIT_CONFIG", "GIT_CONFIG_PARAMETERS", "GIT_DIR", "GIT_EDITOR",
    "GIT_GRAFT_FILE", "GIT_IMPLICIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_NAMESPACE", "GIT_NO_REPLACE_OBJECTS", "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX", "GIT_QUARANTINE_PATH", "GIT_REPLACE_REF_BASE", "GIT_SEQUENCE_EDITOR", "GIT_SHALLOW_FILE", "GIT_WORK_TREE",
})  # fmt: skip
_NO_HOOKS = ("-c", "core.hooksPath=/dev/null")
_QUIET = (
    "-c", "core.fsmonitor=false",
    "-c", "core.safecrlf=false",  # doubt about line ends must not keep work from being saved
    "-c", "core.filesRefLockTimeout=5000",
    "-c", "core.packedRefsTimeout=10000",
    "-c", "gc.auto=0",
    "-c", "maintenance.auto=false",
)  # fmt: skip
_PERSON = re.compile(
    r"Permission denied|Authentication failed|could not read (Username|Password)|Repository not found|Host key verification failed"
    r"|does not appear to be a git repository|returned error: 4(?!29)\d\d|pre-receive hook declined",
    re.IGNORECASE,
)
_TIME = re.compile(
    r"Could not resolve (host|proxy)|Temporary failure in name resolution|Connection (refused|timed out|reset|closed|aborted)"
    r"|Operation timed out|Network is unreachable|No route to host|Failed to connect|Couldn't connect|early EOF|hung up unexpectedly"
    r"|unexpected disconnect|RPC failed|returned error: (429|5\d\d)|kex_exchange_identification|Recv failure|transfer closed"
    r"|SSL_ERROR_SYSCALL|gnutls_handshake|Broken pipe|Operation too slow",
    re.IGNORECASE,
)
_LOCKED = re.compile(r"Unable to create '[^']*\.lock': File exists|could not lock config file")
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s:]*:[^/@\s]*(?=@)|(?<=http://)[^/@\s]+(?=@)|(?<=https://)[^/@\s]+(?=@)")


@dataclass(frozen=True, slots=True)
class Output:
    """What a git command printed and its exit code; bytes that are not UTF-8 survive as surrogates."""

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


class Git:
    """The git executable, working in one directory: a repository, a working copy, or a bare repository itself.

    ``env`` is added to the environment of every call (an index or an identity of its own, say).
    ``hooks=True`` lets the repository's hooks run; they do not otherwise.
    """

    def __init__(self, directory: Path, *, env: Mapping[str, str] | None = None, hooks: bool = False) -> None:
        self.directory = directory
        self._env = dict(env or {})
        self._hooks = hooks

    def __repr__(self) -> str:
        return f"Git({str(self.directory)!r})"

    def under(self, env: Mapping[str, str]) -> Git:
        """The same directory with more environment."""
        return Git(self.directory, env={**self._env, **env}, hooks=self._hooks)

    def run(self, *args: str, input: str | None = None, timeout: float = QUICK, check: bool = True) -> Output:  # noqa: A002
        """Run one command. Waits some seconds for another git's lock before it believes in it.

        Blocks. Raises TimedOut after ``timeout`` seconds whatever ``check`` says, and, with
        ``check``, Unreachable (network) or Refused (all else) with git's last words.
        """
        deadline = time.monotonic() + _LOCK_PATIENCE
        pause = 0.05
        while True:
            output = self._once(args, input, timeout)
            if output.ok or not _LOCKED.search(output.stderr) or time.monotonic() > deadline:
                break
            time.sleep(pause)
            pause = min(pause * 2, 1.0)
        if check and not output.ok:
            raise failure(args, self.directory, output)
        return output

    def beginning(self, *args: str, longest: int, timeout: float = QUICK) -> tuple[str, bool]:
        """The first bytes that a command prints, and whether there were more; one that goes on is ended.

        Blocks. Raises TimedOut after ``timeout`` seconds, and as ``run`` does when it failed before it came so far.
        """
        over = threading.Event()

        def late() -> None:
            over.set()
            _end(process)

        with self._begun(args, fed=False) as process:
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
            raise failure(args, self.directory, Output(code, "", _text(said)))
        return _text(raw), more

    def commit(self, name: str) -> str | None:
        """The id of the commit a name stands for, or None."""
        return self.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}", check=False).text or None

    def contains(self, ancestor: str, descendant: str) -> bool:
        """Whether one commit is part of the other's history (or is it)."""
        return self.run("merge-base", "--is-ancestor", ancestor, descendant, check=False).ok

    @property
    def common(self) -> Path | None:
        """The directory all worktrees of the repository share, or None when there is no repository right here."""
        answer = self.run("rev-parse", "--git-common-dir", check=False)
        return (self.directory / answer.text).resolve() if answer.ok else None

    def _once(self, args: tuple[str, ...], given: str | None, timeout: float) -> Output:
        with self._begun(args, fed=given is not None) as process:
            return self._answer(process, args, given, timeout)

    @contextlib.contextmanager
    def _begun(self, args: tuple[str, ...], *, fed: bool) -> Iterator[subprocess.Popen[bytes]]:
        """A command that has been started; it is over when the block is left."""
        command = ["git", "-C", str(self.directory), *(() if self._hooks else _NO_HOOKS), *_QUIET, *args]
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE if fed else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment(self.directory, self._env),
                start_new_session=True,
            )
        except FileNotFoundError as error:
            message = "git is not installed, or not on the PATH: install it"
            raise Refused(message) from error
        try:
            yield process
        finally:
            if process.returncode is None:
                _end(process)

    def _answer(self, process: subprocess.Popen[bytes], args: tuple[str, ...], given: str | None, timeout: float) -> Output:
        encoded = None if given is None else given.encode("utf-8", "surrogateescape")
        try:
            stdout, stderr = process.communicate(encoded, timeout)
        except subprocess.TimeoutExpired as error:
            message = f"{_name(args)} in {self.directory} did not end within {timeout:g} s"
            raise TimedOut(message) from error
        return Output(process.returncode, _text(stdout), _text(stderr))


@dataclass(frozen=True, slots=True)
class Question:
    """A command that only reads, and whom it is put to."""

    git: Git
    args: tuple[str, ...]


def side_by_side(*questions: Question, timeout: float = QUICK) -> tuple[Output, ...]:
    """Put all questions at once; the answers come in their order, whatever their exit codes.

    Blocks as long as the slowest takes. Raises TimedOut as ``Git.run`` does; none of them runs any more then.
    """
    with contextlib.ExitStack() as running:
        asked = [(one, running.enter_context(one.git._begun(one.args, fed=False))) for one in questions]  # noqa: SLF001 - its own module
        return tuple(one.git._answer(process, one.args, None, timeout) for one, process in asked)  # noqa: SLF001


def environment(directory: Path, more: Mapping[str, str]) -> dict[str, str]:
    """The environment of a git command in a directory: silent, in English, and blind to all around."""
    kept = {key: value for key, value in os.environ.items() if key not in _LEAKING}
    return kept | {
        "LC_ALL": "C",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_CEILING_DIRECTORIES": str(directory.resolve().parent),
        **more,
    }


def failure(args: tuple[str, ...], directory: Path, output: Output) -> EnnioError:
    """The error a failed command amounts to: Unreachable for the network's trouble, else Refused."""
    words = output.stderr.strip() or output.stdout.strip() or "it said nothing"
    said = "\n".join(words.splitlines()[-_WORDS:])
    kind = Unreachable if _TIME.search(words) and not _PERSON.search(words) else Refused
    return kind(readable(redacted(f"{_name(args)} in {directory} failed ({output.code}): {said}")))


def readable(text: str) -> str:
    """The text as one that can be stored and shown: bytes that are not UTF-8 are written as escapes."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def redacted(text: str) -> str:
    """The text without the credentials that addresses in it carry."""
    return _CREDENTIALS.sub("***", text)


def _name(args: tuple[str, ...]) -> str:
    verb = next((arg for before, arg in zip(("", *args), args, strict=False) if not arg.startswith("-") and before != "-c"), "")
    return f"git {verb}".strip()


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def _end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        # what it was still to be given is lost; a greenlet that reads here sees the end by itself and closes nothing under it
        with contextlib.suppress(OSError, RuntimeError):
            if pipe is not None:
                pipe.close()
