"""The whole loop with real agents: from an issue over a red check, a review thread and
a conflict to the merge.

The model they ask knows the shape of what Ennio tells, but none of the words: what has to be
written stands in the issue, in the log and in the thread only, and is new in every run. So the
wanted files can come to be only when the words arrived.
"""

from __future__ import annotations

import os
import re
import secrets
import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ennio.model.clock import SystemClock
from ennio.model.errors import EnnioError
from tests.agents.bench import POLL, Settle, aider_home, claude_home, installed
from tests.agents.model import Model, Step
from tests.conftest import eventually
from tests.e2e.house import Ground, Supervised, close, configure, ground_at, project, repository
from tests.github import published
from tests.github.standin.hub import Hub, Pull, Run
from tests.github.standin.server import Server

ISSUE = re.compile(r"^Write a file (?P<file>\S+) with one line: (?P<line>.+)$", re.MULTILINE)
CHECK = re.compile(
    r"^Failed check: (?:.*\n)*?FAILED: (?P<file>\S+) says '(?P<old>.+)' and must say "
    r"'(?P<line>.+)'$",
    re.MULTILINE,
)
THREAD = re.compile(
    r"^ada at (?P<file>\S+):(?P<number>\d+).*:\nPlease add below this line: (?P<line>.+)$",
    re.MULTILINE,
)
CONFLICT = re.compile(
    r", base (?P<base>\S+)\.\n\nConflicting files:\n- (?P<file>\S+)$", re.MULTILINE
)

HAND_IN = "git add . && git commit --quiet -m Work && git push --quiet origin HEAD"
WRITE = f"echo {{line}} > {{file}} && {HAND_IN}"
MEND = f"sed -i s/^{{old}}$/{{line}}/ {{file}} && {HAND_IN}"
ADD = f"sed -i {{number}}a{{line}} {{file}} && {HAND_IN}"
KEEP_BOTH = (
    f"git fetch --quiet origin; git merge --quiet origin/{{base}}; sed -i "
    f"'/^[<=>]\\{{{{7\\}}}}/d' {{file}}; {HAND_IN}"
)
REPLACE = (
    "{file}\n```\n<<<<<<< SEARCH\n{old}=======\n{line}\n>>>>>>> REPLACE\n```\n\n```bash\ngit "
    "push --quiet origin HEAD\n```"
)


def by_shell(words: str) -> Sequence[Step] | None:
    """Does all that is told with the agent's shell."""
    for pattern, command in ((ISSUE, WRITE), (CHECK, MEND), (THREAD, ADD), (CONFLICT, KEEP_BOTH)):
        found = pattern.search(words)
        if found:
            return [
                Step(
                    command.format(
                        **{name: shlex.quote(word) for name, word in found.groupdict().items()}
                    )
                ),
                Step(),
            ]
    return None


def by_edits(words: str) -> Sequence[Step] | None:
    """Lets the agent edit and commit by its own means where it can, and push."""
    for pattern in (ISSUE, CHECK):
        found = pattern.search(words)
        if found:
            told = found.groupdict()
            old = f"{told['old']}\n" if "old" in told else ""
            return [Step(words=REPLACE.format(**{**told, "old": old}), asks=True)]
    return by_shell(words)


@dataclass(frozen=True, slots=True)
class Kind:
    """One agent: its program, its configuration, its person, and how its model works."""

    name: str
    executable: str
    config: dict[str, Any]
    settle: Settle
    reacts: Callable[[str], Sequence[Step] | None]


KINDS = (
    Kind(
        "claude-code",
        "claude",
        {"permissions": "--dangerously-skip-permissions"},
        claude_home,
        by_shell,
    ),
    Kind(
        "aider",
        "aider",
        {"model": "openai/scripted", "passthrough": {"edit_format": "diff"}},
        aider_home,
        by_edits,
    ),
)


@dataclass(slots=True)
class Loop:
    """A house, GitHub's stand-in and a model; the checks run and questions are answered
    whenever somebody waits.
    """

    house: Supervised
    server: Server
    model: Model
    session: str = ""
    good: str = field(default_factory=lambda: f"hello to Ennio {secrets.token_hex(4)}")
    slow: bool = False
    """The checks of new heads begin, and do not end."""

    @property
    def hub(self) -> Hub:
        return self.server.hub

    @property
    def pull(self) -> Pull:
        (pull,) = self.hub.pulls.values()
        return pull

    def file(self, name: str) -> list[str]:
        """The lines of a file at the head of the pull request."""
        return self.hub.git("show", f"{self.pull.head}:{name}", check=False).splitlines()

    def until(self, condition: Callable[[], object], why: str, within: float = 60) -> None:
        """Wait as the checks run and the person at the agent's side answers what it asks."""

        def turn() -> object:
            self._answer()
            with self.server.lock:
                self._check()
            held = condition()
            view = self.house.session(self.session)
            assert held, {key: view[key] for key in ("status", "activity", "question", "reason")}
            return held

        try:
            eventually(turn, within, why)
        except pytest.fail.Exception as failure:
            shown = self.house.ground.tmux("capture-pane", "-p", "-t", f"={self.session}:").stdout
            pytest.fail(f"{failure}\n{shown}")

    def becomes(self, status: str) -> None:
        self.until(lambda: self.house.session(self.session)["status"] == status, f"it is {status}")

    def _check(self) -> None:
        """What Actions would do: begin with each new head of the pull request,
        and say what came of it.
        """
        self.hub.follow()
        for pull in self.hub.pulls.values():
            if pull.state == "OPEN" and pull.head not in self.hub.runs:
                self.hub.run(pull.head, Run("check", status="IN_PROGRESS", conclusion=None))
            for run in self.hub.runs.get(pull.head, ()):
                if run.conclusion is None and not self.slow:
                    self._judge(run)

    def _judge(self, run: Run) -> None:
        found = " ".join(self.file("greeting.txt"))
        run.status, run.conclusion = "COMPLETED", "SUCCESS" if found == self.good else "FAILURE"
        steps = "\n".join(
            f"2026-01-01T00:00:{n % 60:02}.1234567Z setting up {n}" for n in range(300)
        )
        failed = f"FAILED: greeting.txt says '{found}' and must say '{self.good}'"
        self.hub.log_of(
            run,
            f"{steps}\n##[group]Run make check\n{failed}\n##[error]Process completed with exit "
            "code 1.\n",
        )

    def _answer(self) -> None:
        view = self.house.session(self.session)
        if view["activity"] != "waiting_input":
            return
        words = "no" if "Add command output" in (view["question"] or "") else "yes"
        with suppress(EnnioError):  # the question can have gone meanwhile
            self.house.client.post(f"/sessions/{self.session}/answer", {"answer": words})

    def statuses(self) -> list[str]:
        """Every status it had, in order."""
        events = self.house.events(session_id=self.session, type="status_changed")
        return [event["data"]["to"] for event in events]


@contextmanager
def loop(root: Path, kind: Kind) -> Iterator[Loop]:
    """Everything there is to the story, with one project on the stand-in."""
    published.graphql_schema()
    published.openapi()
    path = f"{installed(kind.executable)}:{os.environ['PATH']}"
    server = Server(Hub(root / "github", SystemClock()))
    try:
        with Model() as model, ground_at(root / "ground", path) as ground:
            model.reacts = kind.reacts
            _clone(ground, server)
            house = _house(ground, server, kind, kind.settle(ground, model))
            try:
                yield Loop(house, server, model)
                close(house)
            finally:
                if house.process is not None and house.process.poll() is None:
                    house.kill_everything()
    finally:
        server.close()
    assert server.hub.invalid == []


def _clone(ground: Ground, server: Server) -> None:
    """A person's clone of what is on the stand-in, and their name for git."""
    repository(ground, {"CHANGES.md": "# Changes\n\n- The beginning.\n"}, hub=False)
    (ground.root / "person" / ".gitconfig").symlink_to(ground.root / "gitconfig")
    ground.git("remote", "add", "origin", server.git)
    ground.git("push", "--quiet", "--force", "origin", "HEAD:main")
    ground.git("fetch", "--quiet", "origin")


def _house(ground: Ground, server: Server, kind: Kind, env: dict[str, str]) -> Supervised:
    access = {
        "owner": server.hub.owner,
        "repo": server.hub.name,
        "token": server.hub.token,
        "api_url": server.api,
    }
    forge = {"plugin": "github", "config": {**access, "pace": 0.02}}
    tracker = {"plugin": "github", "config": {**access, "close_on_merge": True}}
    services: dict[str, Any] = {"scm_config": forge, "tracker_config": tracker, "repo": server.git}
    agent: dict[str, Any] = {
        "agent": kind.name,
        "agent_config": kind.config,
        "env": {**env, "IS_SANDBOX": "1"},
    }
    configure(
        ground,
        project(ground, **services, **agent),
        reactions={"approved-and-green": {"action": "auto_merge"}},
        poll=POLL,
    )
    house = Supervised(ground)
    house.start()
    return house


@pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])
def test_an_agent_goes_from_an_issue_to_the_merge_on_the_words_it_is_told(
    tmp_path: Path, kind: Kind
) -> None:
    first, asked, notes = (
        f"{words} {secrets.token_hex(4)}" for words in ("hello", "- A greeting", "- Notes")
    )
    with loop(tmp_path, kind) as at:
        hub = at.hub
        issue = hub.issue("Greet", f"Write a file greeting.txt with one line: {first}")
        at.session = at.house.client.post(
            "/sessions", {"project_id": "score", "issue_id": str(issue)}
        )["id"]
        # its checks are red, and it mends what their log says
        at.until(lambda: hub.pulls, "the pull request is open", 90)
        assert at.file("greeting.txt") == [first]
        at.becomes("ci_failed")
        at.slow = True
        at.until(lambda: at.file("greeting.txt") == [at.good], "the agent wrote what the log says")
        at.becomes("ci_fix_sent")
        at.slow = False
        at.becomes("ci_passing")
        # a reviewer asks for a line at a place
        with at.server.lock:
            thread = hub.thread(
                at.pull.number, "ada", f"Please add below this line: {asked}", "CHANGES.md", 2
            )
            hub.review(at.pull.number, "ada", "CHANGES_REQUESTED")
        at.until(
            lambda: at.file("CHANGES.md")[2:3] == [asked],
            "the agent wrote what the reviewer asked for, and where",
        )
        at.becomes("changes_requested")
        # somebody else writes at the same place
        with at.server.lock:
            hub.push("main", {"CHANGES.md": f"# Changes\n\n{notes}\n- The beginning.\n"})
        at.becomes("merge_conflicts")
        at.until(
            lambda: hub.merges(at.pull.head, hub.heads()["main"]), "the agent resolved the conflict"
        )
        at.becomes("changes_requested")
        # the reviewer is content
        with at.server.lock:
            thread.resolved = True
            hub.review(at.pull.number, "ada", "APPROVED")
        at.until(lambda: at.pull.state == "MERGED", "it is merged")
        at.house.becomes(at.session, "merged", "done")
        assert hub.git("show", "main:greeting.txt").splitlines() == [at.good]
        assert sorted(hub.git("show", "main:CHANGES.md").splitlines()) == sorted(
            ["# Changes", "", asked, notes, "- The beginning."]
        )
        eventually(lambda: hub.issues[issue]["state"] == "closed", 30, "the issue is closed")
        told_once(at)
        passed_through(at)


def told_once(at: Loop) -> None:
    """Assert that the agent put each thing to its model once, in the order of the story,
    and that Ennio knows it.
    """
    # agents put words of their own around what they are told
    conversations = [
        [thing for words in served.heard for thing in _told(words)]
        for served in at.model.log
        if served.scripted
    ]
    assert all(len(set(heard)) == len(heard) for heard in conversations), conversations
    told = dict.fromkeys(thing for heard in conversations for thing in heard)
    assert [pattern for pattern, *_ in told] == [ISSUE, CHECK, THREAD, CONFLICT]
    messages = at.house.client.get(f"/sessions/{at.session}/messages")
    assert [message["state"] for message in messages] == ["delivered"] * 4


def _told(words: str) -> list[tuple[re.Pattern[str], *tuple[str, ...]]]:
    """Each thing that is told in them, with the words of this very run."""
    return [
        (pattern, *found.groups())
        for pattern in (ISSUE, CHECK, THREAD, CONFLICT)
        for found in pattern.finditer(words)
    ]


def passed_through(at: Loop) -> None:
    """Assert that it had the statuses of the story in their order, beside those that only
    last until the next look.
    """
    passing = ("spawning", "working", "pr_open", "ci_passing", "done")
    assert [status for status in at.statuses() if status not in passing] == [
        "ci_failed", "ci_fix_sent", "changes_requested", "merge_conflicts", "changes_requested", "approved", "merged"
    ]  # fmt: skip
