"""The state behind the stand-in: one repository over real git, its pull requests and
issues, quotas and faults.
"""

from __future__ import annotations

import base64
import itertools
import os
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ennio.model.clock import Clock

ALONE = {
    "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null",
    "GIT_AUTHOR_NAME": "hub", "GIT_AUTHOR_EMAIL": "hub@example.org", "GIT_COMMITTER_NAME": "hub", "GIT_COMMITTER_EMAIL": "hub@example.org",
}  # fmt: skip


@dataclass
class Quota:
    limit: int
    remaining: int
    resets_at: datetime


@dataclass
class Fault:
    """What one coming request meets instead of an answer; status 0 breaks the connection."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    message: str = "trouble"
    path: str = ""


@dataclass
class Run:
    """A check run."""

    name: str
    status: str = "COMPLETED"
    conclusion: str | None = "SUCCESS"
    app: str = "github-actions"
    workflow: str = "ci"
    event: str = "push"
    number: int = 0
    started_at: str = ""
    annotations: list[dict[str, Any]] = field(default_factory=list)
    title: str = ""
    summary: str = ""


@dataclass
class Thread:
    id: str
    path: str
    line: int | None
    comments: list[dict[str, Any]]
    resolved: bool = False


@dataclass
class Pull:
    number: int
    title: str
    body: str
    branch: str
    base: str
    head: str
    owner: str
    draft: bool = False
    state: str = "OPEN"
    merge_commit: str | None = None
    reviews: list[dict[str, Any]] = field(default_factory=list)
    threads: list[Thread] = field(default_factory=list)
    comments: list[dict[str, Any]] = field(default_factory=list)
    requested: int = 0
    reviewers: list[str] = field(default_factory=list)
    auto_merge: str | None = None
    queued: bool = False
    mergeable: str | None = None
    merge_state: str | None = None
    created_at: str = ""
    author: str = ""


class Hub:
    """One repository, ``owner/name``; ``requests`` is what was asked,
    ``faults`` what comes next.
    """

    def __init__(
        self, directory: Path, clock: Clock, owner: str = "acme", name: str = "shop"
    ) -> None:
        self.directory, self.clock, self.owner, self.name = directory, clock, owner, name
        self.token, self.login = "secret-token", "octo-owner"
        self.git_root = directory / "git"
        self.bare = self.git_root / owner / f"{name}.git"
        self.former: set[tuple[str, str]] = set()
        self.pulls: dict[int, Pull] = {}
        self.issues: dict[int, dict[str, Any]] = {}
        self.runs: dict[str, list[Run]] = {}
        self.statuses: dict[str, list[dict[str, Any]]] = {}
        self.logs: dict[int, str] = {}
        self.faults: list[Fault] = []
        self.requests: list[tuple[datetime, str, str, int]] = []
        self.invalid: list[str] = []
        self.cost = 1
        self.allowed = {"squash": True, "merge": True, "rebase": False}
        self.auto_merge_allowed, self.merge_queue, self.required_approvals, self.required_checks = (
            False,
            False,
            0,
            False,
        )
        self.admin, self.up_to_date = False, False
        self.reruns: list[int] = []
        self.minimized: set[str] = set()
        self.quotas = {
            bucket: Quota(5000, 5000, clock.now() + timedelta(hours=1))
            for bucket in ("core", "graphql")
        }
        self._ids = itertools.count(1000)
        self._owned: dict[str, list[str]] = {}
        self._trials: dict[tuple[str, str], bool] = {}
        self._start()

    def _start(self) -> None:
        self.bare.mkdir(parents=True)
        self.git("init", "--quiet", "--bare", "-b", "main", ".")
        self.git("config", "http.receivepack", "true")
        self.push("main", {"app.py": "first\n"}, base=None)

    # --- git --------------------------------------------------------------------------------------

    def git(self, *args: str, given: bytes | None = None, check: bool = True) -> str:
        argv, env = ["git", "-C", str(self.bare), *args], {"PATH": os.environ["PATH"], **ALONE}
        done = subprocess.run(argv, input=given, capture_output=True, env=env, check=False)
        assert done.returncode == 0 or not check, (args, done.stderr)
        return done.stdout.decode().strip()

    def heads(self) -> dict[str, str]:
        lines = self.git(
            "for-each-ref", "--format=%(refname:lstrip=2) %(objectname)", "refs/heads"
        ).splitlines()
        return dict(line.split(" ", 1) for line in lines)

    def push(
        self, branch: str, files: dict[str, str], base: str | None = "main", *, force: bool = False
    ) -> str:
        """One more commit on a branch (from ``base`` when it is new or forced), and its id."""
        heads = self.heads()
        parent = heads.get(branch) if not force else None
        parent = parent or (heads.get(base) if base else None)
        lines = []
        for name, text in files.items():
            blob = self.git("hash-object", "-w", "--stdin", given=text.encode())
            lines.append(f"100644 blob {blob}\t{name}")
        old = self.git("ls-tree", parent).splitlines() if parent else []
        kept = [line for line in old if line.partition("\t")[2] not in files]
        tree = self.git("mktree", given="\n".join([*kept, *lines]).encode() + b"\n")
        commit = self.git(
            "commit-tree",
            tree,
            *(("-p", parent) if parent else ()),
            "-m",
            f"work {next(self._ids)}",
        )
        self.git("update-ref", f"refs/heads/{branch}", commit)
        return commit

    def delete_branch(self, branch: str) -> None:
        self.follow()
        self.git("update-ref", "-d", f"refs/heads/{branch}")

    def follow(self) -> dict[str, str]:
        """Let the heads of open pull requests be those of their branches."""
        heads = self.heads()
        for pull in self.pulls.values():
            if pull.state == "OPEN" and pull.owner == self.owner:
                pull.head = heads.get(pull.branch, pull.head)
        return heads

    def ahead(self, branch: str, base: str) -> int:
        return int(self.git("rev-list", "--count", f"{base}..{branch}"))

    def history(self, branch: str) -> list[str]:
        """The latest commits of a branch, newest first."""
        return self.git("rev-list", "--max-count=100", branch).splitlines()

    def brought(self, commit: str) -> list[Pull]:
        """The merged pull requests that brought a commit onto their base."""
        return [
            pull
            for pull in self.pulls.values()
            if pull.state == "MERGED" and commit in (pull.merge_commit, *self._own(pull))
        ]

    def _own(self, pull: Pull) -> list[str]:
        """The commits of a merged pull request that its base did not have."""
        if pull.merge_commit not in self._owned:
            before = f"^{pull.merge_commit}^"
            self._owned[pull.merge_commit or ""] = self.git(
                "rev-list", pull.head, before, check=False
            ).splitlines()
        return self._owned[pull.merge_commit or ""]

    def merges(self, head: str, base: str) -> bool:
        if (head, base) not in self._trials:
            argv = ["git", "-C", str(self.bare), "merge-tree", "--write-tree", base, head]
            self._trials[head, base] = (
                subprocess.run(argv, capture_output=True, check=False).returncode == 0
            )
        return self._trials[head, base]

    def merge_state(self, pull: Pull, heads: Mapping[str, str]) -> str:
        """What ``mergeStateStatus`` says where the branches stand so; a base that wants its pull
        requests up to date says so before anything else.
        """
        base = heads.get(pull.base, "")
        if pull.state != "OPEN":
            return "UNKNOWN"
        if not self.merges(pull.head, base):
            return "DIRTY"
        if self.up_to_date and self.ahead(pull.base, pull.head):
            return "BEHIND"
        owed = self.required_checks and any(
            run.conclusion != "SUCCESS" for run in self.runs.get(pull.head, ())
        )
        return "BLOCKED" if owed else "CLEAN"

    def update(self, pull: Pull) -> str:
        """Merge the base into its branch, as ``update-branch`` does, and its new head."""
        base = self.heads()[pull.base]
        tree = self.git("merge-tree", "--write-tree", pull.head, base).splitlines()[0]
        commit = self.git(
            "commit-tree", tree, "-p", pull.head, "-p", base, "-m", f"Merge branch '{pull.base}'"
        )
        self.git("update-ref", f"refs/heads/{pull.branch}", commit, pull.head)
        self.follow()
        return commit

    def land(self, pull: Pull) -> str:
        base = self.heads()[pull.base]
        tree = self.git("merge-tree", "--write-tree", base, pull.head).splitlines()[0]
        commit = self.git("commit-tree", tree, "-p", base, "-m", f"{pull.title} (#{pull.number})")
        self.git("update-ref", f"refs/heads/{pull.base}", commit, base)
        pull.state, pull.merge_commit, pull.queued, pull.auto_merge = "MERGED", commit, False, None
        return commit

    def merge_whole(self, pull: Pull) -> str:
        """Merge it with a commit of two parents, so that its own commits are on the base."""
        base = self.heads()[pull.base]
        tree = self.git("merge-tree", "--write-tree", base, pull.head).splitlines()[0]
        words = f"Merge pull request #{pull.number}"
        commit = self.git("commit-tree", tree, "-p", base, "-p", pull.head, "-m", words)
        self.git("update-ref", f"refs/heads/{pull.base}", commit, base)
        pull.state, pull.merge_commit = "MERGED", commit
        return commit

    # --- what people and programs do --------------------------------------------------------------

    def now(self) -> str:
        return self.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")

    def id(self, kind: str) -> str:
        return f"{kind}_{base64.b32encode(str(next(self._ids)).encode()).decode().rstrip('=')}"

    def open(
        self,
        branch: str,
        base: str = "main",
        title: str = "A title",
        body: str = "",
        *,
        draft: bool = False,
        owner: str = "",
        head: str = "",
    ) -> Pull:
        number = max([0, *self.pulls, *self.issues]) + 1
        at = head or self.heads()[branch]
        pull = Pull(
            number,
            title,
            body,
            branch,
            base,
            at,
            owner or self.owner,
            draft,
            created_at=self.now(),
            author=self.login,
        )
        self.pulls[number] = pull
        return pull

    def run(self, head: str, run: Run) -> Run:
        run.number = next(self._ids)
        run.started_at = run.started_at or self.now()
        self.runs.setdefault(head, []).append(run)
        return run

    def status(
        self,
        head: str,
        context: str,
        state: str,
        description: str = "",
        url: str | None = "https://ci.example.org/1",
    ) -> None:
        row = {
            "id": self.id("SC"),
            "context": context,
            "state": state,
            "targetUrl": url,
            "description": description,
        }
        self.statuses.setdefault(head, []).append({**row, "createdAt": self.now()})

    def review(
        self,
        number: int,
        author: str,
        state: str,
        body: str = "",
        *,
        commit: str = "",
        stranger: bool = False,
    ) -> dict[str, Any]:
        """A review of the head, or of the commit given; a stranger may not push here."""
        self.follow()
        row = {
            "id": self.id("PRR"),
            "state": state,
            "body": body,
            "author": actor(author),
            "submittedAt": self.now(),
        }
        row |= {
            "authorCanPushToRepository": not stranger,
            "commit": {"oid": commit or self.pulls[number].head},
        }
        self.pulls[number].reviews.append(row)
        return row

    def remark(self, number: int, author: str, body: str) -> dict[str, Any]:
        row = {"id": self.id("IC"), "body": body, "author": actor(author), "createdAt": self.now()}
        self.pulls[number].comments.append(row)
        return row

    def thread(
        self, number: int, author: str, body: str, path: str = "app.py", line: int | None = 1
    ) -> Thread:
        thread = Thread(self.id("PRRT"), path, line, [])
        self.pulls[number].threads.append(thread)
        self.answer(thread, author, body)
        return thread

    def answer(self, thread: Thread, author: str, body: str) -> None:
        thread.comments.append(
            {"id": self.id("PRRC"), "body": body, "author": actor(author), "createdAt": self.now()}
        )

    def issue(self, title: str, body: str = "", labels: Iterable[str] = ()) -> int:
        number = max([0, *self.pulls, *self.issues]) + 1
        self.issues[number] = {
            "title": title,
            "body": body,
            "labels": list(labels),
            "state": "open",
            "comments": [],
            "assignees": [],
        }
        return number

    def transfer(self, owner: str, name: str) -> None:
        """The repository moves; its old address leads to the new one."""
        self.former.add((self.owner, self.name))
        self.owner, self.name = owner, name

    def asked(self, since: int = 0, path: str = "") -> int:
        return sum(1 for _, _, where, _ in self.requests[since:] if path in where)

    def log_of(self, run: Run, text: str) -> None:
        self.logs[run.number] = text


def actor(login: str) -> dict[str, Any]:
    bot = login.endswith("[bot]")
    return {"__typename": "Bot" if bot else "User", "login": login.removesuffix("[bot]")}
