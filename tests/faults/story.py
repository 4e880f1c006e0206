"""A story short enough to be played for every point: two sessions, everything that can befall one, told in seconds.

``greet`` works on an issue: its check is red and is mended, a person sends it a message, approves, and Ennio merges
and cleans up. ``notes`` leaves with uncommitted lines, is restored, asks a question, is answered, and is killed;
what it had is preserved.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ennio.demo import scene
from ennio.errors import Conflict, Refused
from tests.e2e.house import Ground, Supervised, configure, ground_at, project, repository, story, turn
from tests.e2e.persons import AWAY, REVIEWER, Follower
from tests.faults.plan import VARIABLE, Order, happened, write

POLL = {"runtime": "150ms", "agent": "100ms", "forge": "150ms"}
LIMIT = 120.0
SIGN = "Please sign it."
ASK = "Please ask me which way to go."
ANSWER = "left"
UNSAVED = "uncommitted lines\n"
ISSUE = f"# Greet\n\n{scene.GREET}\n"
BURN = {"burn": {"input": 100, "output": 10, "cost": "0.01"}}
HOOKS = ["echo hooked >> hooked.log", "echo hooked.log >> \"$(git rev-parse --git-path info/exclude)\""]
MERGED = ("merged", "done")


def agent() -> dict[str, Any]:
    """What the scripted agent does in both sessions."""
    return story(
        turn("prompt", [{"edit": {"file": "greeting.txt", "content": "hello\n"}}, BURN, {"commit": "Greet"}, "push"], "greeting"),
        turn("ci_failed", [{"edit": {"file": "greeting.txt", "content": "hello, Ennio\n"}}, BURN, {"commit": "Name"}, "push"]),
        turn("message", [{"edit": {"file": "greeting.txt", "append": "signed\n"}}, {"commit": "Sign"}, "push"], "sign it"),
        turn("prompt", [{"edit": {"file": "notes.txt", "content": UNSAVED}}, {"exit": 0}], "notes"),
        turn("message", [{"ask": "Left or right?"}, {"edit": {"file": "way.txt", "content": "{answer}\n"}}], "which way"),
    )


def _project(ground: Ground, runtime: str) -> dict[str, Any]:
    checks = [{"name": "greetings", "run": "sh check.sh", "timeout": 60}]
    return project(
        ground,
        runtime=runtime,
        agent_config=agent(),
        post_create=HOOKS,
        scm_config={"plugin": "local", "config": {"checks": checks, "review_required": True}},
        tracker_config={"plugin": "local", "config": {"comment": True, "close_on_merge": True}},
    )


@dataclass(slots=True)
class Wired(Supervised):
    """A supervisor to which something is to happen."""

    orders: tuple[Order, ...] = ()
    more: dict[str, str] = field(default_factory=dict)

    module = "tests.faults.supervisor"

    @property
    def env(self) -> dict[str, str]:
        return self.ground.env | {VARIABLE: write(self.orders)} | self.more


@dataclass(slots=True)
class Teller:
    """The person of the story. Looks before every deed, and starts again what was killed."""

    house: Wired
    ids: dict[str, str] = field(default_factory=dict)
    sessions: dict[str, dict[str, Any]] = field(default_factory=dict)
    starts: int = 1
    stage: str = "nothing yet"

    def play(self, limit: float = LIMIT) -> None:
        """To the end, or fail saying where it stands."""
        until = time.monotonic() + limit
        while not self._step():
            assert time.monotonic() < until, self.where()
            threading.Event().wait(0.05)

    def _step(self) -> bool:
        if self.house.process is not None and self.house.process.poll() is not None:
            self.starts += 1
            assert self.starts <= len(self.house.orders) + 4, f"it ends again and again:\n{self.where()}"
            self.house.begin()
        try:
            self._look()
            return self._over()
        except (*AWAY, Conflict, Refused):
            return False  # nobody is there just now, or the world has moved on between the look and the deed

    def _look(self) -> None:
        self.sessions = self.house.sessions()
        self.ids = {str(session["role"]): name for name, session in self.sessions.items()}
        if "greet" not in self.ids:
            self.house.client.post("/sessions", {"project_id": "score", "issue_id": "1", "role": "greet"})
        elif "notes" not in self.ids:
            self.house.client.post("/sessions", {"project_id": "score", "prompt": "Write notes", "role": "notes"})
        else:
            self._greet(self.sessions[self.ids["greet"]])
            self._notes(self.sessions[self.ids["notes"]])

    def _greet(self, session: dict[str, Any]) -> None:
        if session["status"] != "review_pending":
            return
        pull = self.house.client.get(f"/projects/score/pulls/{session['pr_number']}")
        if pull["checks"] != "passing" or pull["state"] != "open":
            return
        if not self._told(session, SIGN):
            self.house.client.post(f"/sessions/{session['id']}/send", {"message": SIGN})
        elif pull["review"] != "approved" and "signed" in self._file(session["branch"]):
            self.house.client.post(f"/projects/score/pulls/{pull['number']}/approve", {"body": "Good.", "author": REVIEWER})

    def _file(self, branch: str) -> str:
        return self.house.ground.git("show", f"{branch}:greeting.txt", cwd=self.house.ground.hub)

    def _notes(self, session: dict[str, Any]) -> None:
        path = f"/sessions/{session['id']}"
        asked = self._told(session, ASK)
        if session["status"] == "exited":
            self.house.client.post(f"{path}/restore")
        elif session["status"] == "killed" or asked is None:
            return
        elif not asked and session["activity"] in ("ready", "idle"):
            self.house.client.post(f"{path}/send", {"message": ASK})
        elif session["activity"] == "waiting_input":
            self.house.client.post(f"{path}/answer", {"answer": ANSWER})
        elif session["activity"] in ("ready", "idle") and ANSWER in self.house.ground.taken(session["id"]):
            self.house.client.delete(path)

    def _told(self, session: dict[str, Any], text: str) -> bool:
        messages = self.house.client.get(f"/sessions/{session['id']}/messages")
        return any(message["text"] == text for message in messages)

    def _over(self) -> bool:
        """Both have ended, are cleaned up, and nothing is left to be done or told."""
        statuses = {role: self.sessions[name]["status"] for role, name in self.ids.items()}
        if statuses.get("greet") not in MERGED or statuses.get("notes") != "killed":
            return False
        if not all(self.sessions[name]["archived_at"] for name in self.ids.values()):
            return False
        ground = self.house.ground
        waiting = ground.rows("select 1 from notifications where done_at is null union all select 1 from merges where state = 'open'")
        return not waiting and "state: closed" in (ground.clone / "issues" / "1.md").read_text()

    def where(self) -> str:
        """Where the story stands."""
        rows = [f"{s['role']} {s['id']}: {s['status']} {s['activity']}, {s.get('reason')}" for s in self.sessions.values()]
        pending = self.house.ground.rows("select session_id, text, state, attempts, detail, error from messages")
        told = [f"orders: {write(self.house.orders)}", f"happened: {happened(self.house.ground.home)}", f"starts: {self.starts}"]
        return "\n".join(["the story did not come to its end:", *told, *rows, *map(str, pending), self.house.words()])


@contextmanager
def told(
    root: Path, orders: tuple[Order, ...] = (), runtime: str = "tmux", database: Path | None = None, **env: str
) -> Iterator[tuple[Wired, Follower, Teller]]:
    """A house in which the story begins, with these orders; swept however it ends."""
    with ground_at(root) as ground:
        files = {"check.sh": scene.CHECK, "issues/1.md": ISSUE}
        repository(ground, files)
        configure(
            ground,
            _project(ground, runtime),
            poll=POLL,
            ready_threshold="500ms",
            cleanup={"merged_after": "0s", "killed_after": "0s"},
            notifiers=[{"plugin": "stub", "name": "paper", "config": {}}],
            defaults={"notifiers": ["paper"]},
            reactions={"approved-and-green": {"action": "auto_merge"}},
            **({"database_url": f"sqlite:{database}"} if database else {}),
        )
        if database:
            (ground.clone / "ennio.db").symlink_to(database)  # for those who count
        house = Wired(ground, orders=orders, more=env)
        house.begin()
        follower = Follower(house)
        try:
            yield house, follower, Teller(house)
        finally:
            follower.close()
            with suppress(OSError, ValueError):
                house.kill_everything()
