"""The repository a local forge stands on, read and moved through plumbing only.

No working copy, index or HEAD of a person is touched.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from ennio.config.model import Project
from ennio.machine.local import LocalMachine
from ennio.model.commented_file import CommentedFile
from ennio.model.errors import ConfigError, EnnioError, Problem, Unreachable
from ennio.plugins.commit_file import commit_file
from ennio.plugins.git import Git, GitOutput
from ennio.plugins.git_errors import no_repository
from ennio.plugins.trial_merge import Pair, TrialMerge, try_merges

HEADS = "refs/heads/"
LIMIT = 120.0


@dataclass(frozen=True, slots=True)
class CommitText:
    """A commit as git stores it: its tree, parents, author line, other headers
    worth keeping, and message.
    """

    tree: str
    parents: tuple[str, ...]
    author: str
    encoding: str | None
    message: str

    @property
    def subject(self) -> str:
        """The first line of the message."""
        return self.message.strip().partition("\n")[0]


def repository_path(project: Project) -> Path:
    """Where the project's repository lies on this machine: what the setting ``hub`` names, else
    ``repo``. Raises ConfigError when that is no local path or file URL.
    """
    hub = project.forge.config.get("hub") if project.forge is not None else None
    repo = str(hub or project.repo)
    if repo.startswith("file://"):
        return Path(unquote(urlsplit(repo).path))
    if "://" in repo or (":" in repo.split("/", maxsplit=1)[0] and not Path(repo).exists()):
        way_out = (
            "the local forge needs a repository on this machine: write a path or a file:// URL, "
            "or use scm github"
        )
        raise ConfigError(
            "ennio.yaml",
            [Problem(f"projects.{project.id}.repo", f"{repo!r} is on another machine; {way_out}")],
        )
    path = Path(repo).expanduser()
    return path if path.is_absolute() else project.path / path


class GitRepository:
    """Questions to one repository and the few changes a forge makes. Every
    call may raise Unreachable.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._git = Git(LocalMachine(), path)

    def heads(self) -> Mapping[str, str]:
        """Every branch with its head, in one request."""
        if not any((self.path / name).exists() for name in ("HEAD", ".git")):
            raise Unreachable(no_repository(LocalMachine(), self.path))
        try:
            text = self._text("for-each-ref", "--format=%(objectname) %(refname)", HEADS)
        except EnnioError as error:
            raise Unreachable(f"the repository {self.path} cannot be read: {error}") from error
        pairs = (line.split(" ", 1) for line in text.splitlines())
        return {name.removeprefix(HEADS): commit for commit, name in pairs}

    def merged(self, commit: str) -> frozenset[str]:
        """The branches whose heads this commit holds, in one request."""
        names = self._text(
            "for-each-ref", f"--merged={commit}", "--format=%(refname)", HEADS
        ).splitlines()
        return frozenset(name.removeprefix(HEADS) for name in names)

    def holds(self, holder: str, commit: str) -> bool:
        """Whether one commit is in the history of another; a commit that
        is no longer there is not.
        """
        return self._git.contains(commit, holder)

    def try_merges(self, pairs: Sequence[Pair]) -> Mapping[Pair, TrialMerge]:
        """What comes of each (base, head). See ``trial_merge``."""
        return try_merges(self._git, pairs, LIMIT)

    def checked_out(self, branch: str) -> Path | None:
        """The working copy that has the branch checked out, or None."""
        path = None
        for line in self._text("worktree", "list", "--porcelain", "-z").split("\0"):
            if line.startswith("worktree "):
                path = line.removeprefix("worktree ")
            elif line == f"branch {HEADS}{branch}" and path is not None:
                return Path(path)
        return None

    def commit(self, name: str) -> CommitText:
        """One commit as it is stored."""
        return _parsed(self._text("cat-file", "commit", name))

    def commits(self, base: str, head: str) -> tuple[str, ...]:
        """The commits of ``head`` that ``base`` lacks, oldest first, merges left out."""
        return tuple(
            self._text(
                "rev-list", "--reverse", "--topo-order", "--no-merges", f"{base}..{head}"
            ).split()
        )

    def present(self, commits: Sequence[str]) -> frozenset[str]:
        """Which of these commits the repository has, in one process."""
        if not commits:
            return frozenset()
        answer = self._run(
            "cat-file",
            "--batch-check=%(objecttype) %(objectname)",
            input="".join(f"{one}\n" for one in commits),
        )
        return frozenset(
            line.removeprefix("commit ") for line in answer.lines if line.startswith("commit ")
        )

    def outside(self, commits: Sequence[str], holders: Iterable[str]) -> frozenset[str]:
        """Which commits, and their ancestors, are in the history of none of the
        holders, in one process.
        """
        lines = "".join([*(f"{one}\n" for one in commits), *(f"^{one}\n" for one in holders)])
        return frozenset(self._run("rev-list", "--ignore-missing", "--stdin", input=lines).lines)

    def file(self, commit: str, path: str) -> CommentedFile:
        """What a commit has at this very path."""
        return commit_file(self._git, commit, path)

    def beginning(self, *args: str, longest: int) -> tuple[str, bool]:
        """The first bytes that a command prints, and whether there were more."""
        return self._git.beginning(*args, longest=longest, timeout=LIMIT)

    def merge_base(self, one: str, other: str) -> str | None:
        """The commit where two histories part, or None where they share none, or
        one of them is not there.
        """
        return self._run("merge-base", one, other, check=False).text or None

    def identity(self) -> str:
        """Who commits here: the configured user, else ``Ennio <ennio@localhost>``."""
        name, email = (
            self._run("config", "--get", key, check=False).text
            for key in ("user.name", "user.email")
        )
        return f"{name or 'Ennio'} <{email or 'ennio@localhost'}>"

    def write(self, text: str) -> str:
        """Store a commit object and return its name."""
        return self._run("hash-object", "-t", "commit", "-w", "--stdin", input=text).text

    def move(self, lines: Sequence[str], reason: str) -> str | None:
        """Apply ``update-ref`` lines as one transaction; None when done, else
        why nothing was changed.
        """
        text = "".join(f"{line}\n" for line in ("start", *lines, "prepare", "commit"))
        # the caller starts anew, which beats waiting: whoever holds the lock is
        # about to move the branch
        output = self._run(
            "-c",
            "core.filesRefLockTimeout=200",
            "update-ref",
            "-m",
            reason,
            "--stdin",
            input=text,
            check=False,
        )
        return None if output.ok else output.stderr.strip()

    def _text(self, *args: str) -> str:
        return self._run(*args).stdout

    def _run(self, *args: str, input: str | None = None, check: bool = True) -> GitOutput:  # noqa: A002 - as subprocess calls it
        return self._git.run(*args, input=input, timeout=LIMIT, check=check)


def _parsed(text: str) -> CommitText:
    header, _, message = text.partition("\n\n")
    lines = [line.partition(" ") for line in header.split("\n") if not line.startswith(" ")]
    first = {key: value for key, _, value in reversed(lines)}
    parents = tuple(value for key, _, value in lines if key == "parent")
    return CommitText(first["tree"], parents, first["author"], first.get("encoding"), message)
