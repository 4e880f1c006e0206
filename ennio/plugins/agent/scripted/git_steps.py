"""What a story changes in the working copy: files and git. The standard library only."""

from __future__ import annotations

import os

from ennio.plugins.agent.scripted.child import StepFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Run = Callable[[Sequence[str]], tuple[int, str]]


def environment() -> dict[str, str]:
    """The environment of its programs: git asks nobody anything, and the
    author is the player itself.
    """
    ours = {"GIT_TERMINAL_PROMPT": "0", "GIT_EDITOR": "true"}
    author = {"GIT_AUTHOR_NAME": "Scripted agent", "GIT_AUTHOR_EMAIL": "scripted@ennio.invalid"}
    committer = {
        "GIT_COMMITTER_NAME": "Scripted agent",
        "GIT_COMMITTER_EMAIL": "scripted@ennio.invalid",
    }
    return {**author, **committer, **os.environ, **ours}


def edit(file: str, content: str | None, append: str | None, old: str, new: str) -> None:
    """Write the content, add to the end, or replace the one text by the
    other. Raises StepFailed.
    """
    before = "" if content is not None else _read(file, missing_is_empty=append is not None)
    if content is None and append is None and old not in before:
        raise StepFailed(f"{file} does not hold {old[:60]!r}")
    after = (
        content
        if content is not None
        else before + append
        if append is not None
        else before.replace(old, new, 1)
    )
    folder = os.path.dirname(file)
    if folder:
        os.makedirs(folder, exist_ok=True)
    with open(file, "w", encoding="utf-8", newline="") as out:
        out.write(after)


def _read(file: str, *, missing_is_empty: bool) -> str:
    try:
        with open(file, encoding="utf-8", newline="") as content:
            return content.read()
    except OSError as error:
        if missing_is_empty and isinstance(error, FileNotFoundError):
            return ""
        raise StepFailed(f"{file} cannot be read: {error.strerror}") from error


class GitSteps:
    """The few things a story does with git."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._remote = os.environ.get(
            "ENNIO_REMOTE", "origin"
        )  # empty: a commit is where it belongs

    def base(self) -> str:
        """The remote's default branch, ``main`` when it tells none."""
        code, answer = self._run(
            ("git", "symbolic-ref", "--short", f"refs/remotes/{self._remote}/HEAD")
        )
        return answer.strip().removeprefix(f"{self._remote}/") if code == 0 else "main"

    def commit(self, message: str) -> str:
        """Commit everything there is; returns what to say of it."""
        self._do("add", "-A")
        if self._run(("git", "diff", "--cached", "--quiet"))[0] == 0:
            return "nothing to commit"
        self._do("commit", "-q", "-m", message)
        return "committed " + self._do("rev-parse", "--short", "HEAD").strip()

    def push(self, *, force: bool) -> str:
        """Push the branch."""
        if self._remote:
            self._do(
                "push",
                "-q",
                *(("--force-with-lease",) if force else ()),
                "-u",
                self._remote,
                "HEAD",
            )
        return "pushed " + self._do("rev-parse", "--short", "HEAD").strip()

    def pull(self, base: str, resolve: Mapping[str, str], otherwise: str) -> str:
        """Merge the remote's base branch, conflicts settled as told."""
        self._do("fetch", "-q", self._remote or ".", base)
        code, said = self._run(("git", "merge", "--no-edit", "FETCH_HEAD"))
        settled = self._settle(resolve, "--" + otherwise, said) if code else []
        if settled:
            self._do("commit", "-q", "--no-edit")
        return f"merged {base}" + (f", settled {', '.join(settled)}" if settled else "")

    def rebase(self, base: str, resolve: Mapping[str, str], otherwise: str) -> str:
        """Put the branch on top of the remote's base branch, conflicts settled as told."""
        self._do("fetch", "-q", self._remote or ".", base)
        side = (
            "--theirs" if otherwise == "ours" else "--ours"
        )  # a rebase sees itself from the other side
        code, said = self._run(("git", "rebase", "FETCH_HEAD"))
        settled: set[str] = set()
        while code:
            settled.update(self._settle(resolve, side, said))
            code, said = self._run(("git", "rebase", "--continue"))
        return f"rebased onto {base}" + (
            f", settled {', '.join(sorted(settled))}" if settled else ""
        )

    def _settle(self, resolve: Mapping[str, str], side: str, said: str) -> list[str]:
        files = [
            file
            for file in self._do("diff", "--name-only", "--diff-filter=U", "-z").split("\0")
            if file
        ]
        if not files:
            raise StepFailed(said.strip()[-400:])
        for file in files:
            if file in resolve:
                edit(file, resolve[file], None, "", "")
            elif self._run(("git", "checkout", side, "--", file))[0]:
                self._do("rm", "-q", "--", file)  # that side has deleted it
                continue
            self._do("add", "--", file)
        return files

    def _do(self, *words: str) -> str:
        code, answer = self._run(("git", *words))
        if code:
            raise StepFailed(f"git {words[0]}: {answer.strip()[-400:] or f'exit code {code}'}")
        return answer
