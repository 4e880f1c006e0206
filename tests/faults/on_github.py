"""The story on GitHub: pull requests, checks, words and the issue lie on the
stand-in, and git goes over HTTP.

``greet`` works on an issue a person asked for: its draft is red twice and is mended, a person
takes it out of draft, ada asks for a signature in a thread, which a person answers and
settles; a person asks for the date, and thanks in a review that the agent gets too; ada approves, and Ennio merges, deletes the branch and
closes the issue. ``notes`` hands in and stays at it: a person opens its pull request, closes
it, and ends the session. Where everything was killed just then, it is over by itself: its
agent is gone, and nothing is left to be done.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ennio.demo import scene
from tests.e2e.house import Ground, configure, ground_at, project, repository, story, turn
from tests.e2e.persons import Follower
from tests.faults.clocks import ShiftedClock
from tests.faults.plan import Order
from tests.faults.teller import BURN, MERGED, SETTINGS, Teller, Wired, begun
from tests.github.standin.hub import Hub, Pull, Run, Thread
from tests.github.standin.server import Server
from tests.postgres import chosen

TITLE = "Greet"
SIGN = "Please sign it."
SIGNED = "It is signed."
DATE = "Please date it."
THANKS = "That is well greeted."
ENDED = ("killed", "done")
ADA, ACTIONS = "ada", "Actions"
ASSIGNED = "octo-assignee"
LOG = (
    "##[group]Run make check\nFAILED: a greeting must name whom it greets: {found}\n"
    "##[error]Process completed with exit code 1.\n"
)
GREETING = ("hello, you\n", "hello, Ennio\n")
DONE = "".join((GREETING[1], "signed\n", "dated\n"))
NOTES = "- On the score.\n"


def agent() -> dict[str, Any]:
    """What the scripted agent does in both sessions."""

    def mend(text: str, why: str) -> list[Any]:
        return [{"edit": {"file": "greeting.txt", "content": text}}, BURN, {"commit": why}, "push"]

    def add(line: str, why: str) -> list[Any]:
        return [{"edit": {"file": "greeting.txt", "append": line}}, {"commit": why}, "push"]

    return story(
        turn("prompt", mend("hello\n", TITLE), "greeting"),
        turn("ci_failed", mend(GREETING[0], "Name somebody")),
        turn("ci_failed", mend(GREETING[1], "Name Ennio")),
        turn("message", add("signed\n", "Sign"), "sign it"),
        turn("message", add("dated\n", "Date"), "date it"),
        turn("message", [], "well greeted"),
        turn(
            "prompt",
            [{"edit": {"file": "NOTES.md", "content": NOTES}}, {"commit": "Note"}, "push", "hang"],
            "notes",
        ),
    )


def _project(ground: Ground, server: Server, runtime: str) -> dict[str, Any]:
    access = {
        "owner": server.hub.owner,
        "repo": server.hub.name,
        "token": server.hub.token,
        "api_url": server.api,
    }
    forge = {"draft": True, "delete_branch": True, "pace": 0.01}
    told = {
        "assign": [ASSIGNED],
        "comment": True,
        "labels": {"spawned": ["in progress"], "merged": ["done"]},
        "unlabels": {"merged": ["in progress"]},
        "close_on_merge": True,
    }
    return project(
        ground,
        repo=server.git,
        runtime=runtime,
        agent_config=agent(),
        scm_config={"plugin": "github", "config": {**access, **forge}},
        tracker_config={"plugin": "github", "config": {**access, **told}},
    )


@dataclass(slots=True)
class OnGitHub(Teller):
    """The person of the story, and whoever is on GitHub: Actions, and ada.

    They look at GitHub's own pages, which is the hub's state, and act through Ennio.
    """

    server: Server = None  # type: ignore[assignment] # it comes after fields with defaults
    away: str = ""
    """Who on GitHub does nothing for now: Actions, or ada."""

    @property
    def hub(self) -> Hub:
        """What GitHub knows."""
        return self.server.hub

    def pull_of(self, role: str) -> Pull | None:
        """The pull request of a session, by its branch."""
        branch = self.sessions[self.ids[role]]["branch"]
        return next((pull for pull in self.hub.pulls.values() if pull.branch == branch), None)

    def on_head(self, pull: Pull, line: str) -> bool:
        """Whether this stands in the greeting of its head."""
        return line in self.hub.git("show", f"{pull.head}:greeting.txt", check=False)

    def _next(self) -> None:
        """See ``Teller._next``."""
        with self.server.lock:
            self.judge()
        issue = (
            next(iter(self.house.client.get("/projects/score/issues")), None)
            if "greet" not in self.ids
            else None
        )
        ask = {"project_id": "score"}
        if "greet" not in self.ids and issue is None:
            self.house.client.post("/projects/score/issues", {"title": TITLE, "body": scene.GREET})
        elif issue is not None:
            self._ask_for({**ask, "issue_id": issue["id"], "role": "greet"})
        elif "notes" not in self.ids:
            self._ask_for({**ask, "prompt": "Write notes", "role": "notes"})
        else:
            self._notes(self.sessions[self.ids["notes"]])
            self._greet(self.pull_of("greet"))

    def go_on(self) -> None:
        """What happens on GitHub without Ennio: checks end, and ada approves what is ready."""
        with self.server.lock:
            self.judge()
            pull = self.pull_of("greet")
            if pull is not None and self._is_ready(pull):
                self.hub.review(pull.number, ADA, "APPROVED")

    def _is_ready(self, pull: Pull) -> bool:
        return (
            self.away != ADA
            and self.on_head(pull, "dated")
            and any(THANKS in review["body"] for review in pull.reviews)
            and any(THANKS in text for text in self.house.ground.taken(self.ids["greet"]))
            and not any(review["state"] == "APPROVED" for review in pull.reviews)
        )

    def judge(self) -> None:
        """What Actions would do: judge every head of an open pull request once."""
        self.hub.follow()
        for pull in self.hub.pulls.values() if self.away != ACTIONS else ():
            if pull.state == "OPEN" and pull.head not in self.hub.runs:
                found = self.hub.git("show", f"{pull.head}:greeting.txt", check=False)
                good = not found or "Ennio" in found
                run = self.hub.run(
                    pull.head, Run("check", conclusion="SUCCESS" if good else "FAILURE")
                )
                self.hub.log_of(run, LOG.format(found=found))

    def _greet(self, pull: Pull | None) -> None:
        if pull is None or pull.state != "OPEN" or not self.on_head(pull, "Ennio"):
            return
        place, ours = f"/projects/score/pulls/{pull.number}", self.hub.login
        thread = next(iter(pull.threads), None)
        if pull.draft:
            self.house.client.post(f"{place}/ready")
        elif thread is None:
            self._review(pull, "CHANGES_REQUESTED", SIGN)
        elif not self.on_head(pull, "signed"):
            return
        elif not any(said["author"]["login"] == ours for said in thread.comments):
            self.house.client.post(f"{place}/reply", {"comment": thread.id, "body": SIGNED})
        elif not thread.resolved:
            self.house.client.post(f"{place}/resolve", {"thread": thread.id})
        elif not pull.comments and self._is_seen_settled(thread):
            self.house.client.post(f"{place}/comment", {"body": DATE})
        elif self.on_head(pull, "dated") and not self._is_thanked():
            thanks = {"comments": [{"path": "greeting.txt", "body": THANKS}], "forge": True}
            self.house.client.post(f"/sessions/{self.ids['greet']}/review", thanks)
        elif self._is_ready(pull):
            self._review(pull, "APPROVED")

    def _is_thanked(self) -> bool:
        """Whether the agent has the review, or will; then it is, or will be, on GitHub as well."""
        sent = self.house.client.get(f"/sessions/{self.ids['greet']}/messages")
        return any(THANKS in one["text"] for one in sent)

    def _is_seen_settled(self, thread: Thread) -> bool:
        """Ennio has looked since: that nobody wants anything any more, though ada has not looked
        again, is no news to the agent.
        """
        return thread.id not in self.seen("greet")

    def seen(self, role: str) -> str:
        """What Ennio last saw of a session's pull request, as it is kept."""
        kept = self.house.ground.rows(
            "select value from facts where kind = 'forge' and session_id = ?", self.ids[role]
        )
        return str(kept[0]["value"]) if kept else ""

    def _review(self, pull: Pull, state: str, words: str = "") -> None:
        with self.server.lock:
            if words:
                self.hub.thread(pull.number, ADA, words, "greeting.txt", 1)
            self.hub.review(pull.number, ADA, state)

    def _notes(self, session: dict[str, Any]) -> None:
        if session["status"] in ENDED:
            self._clean(session)
            return
        branch = session["branch"]
        if branch not in self.hub.heads():
            return
        known = [
            pull
            for pull in self.house.client.get("/pulls", project_id="score")
            if pull["branch"] == branch
        ]
        if not known:
            self.house.client.post("/projects/score/pulls", {"branch": branch, "title": "Notes"})
        elif known[0]["state"] == "open" and session["pr_number"] == known[0]["number"]:
            self.house.client.post(f"/projects/score/pulls/{known[0]['number']}/close")
        elif known[0]["state"] == "closed" and self._events(session, "pr_closed"):
            self.house.client.delete(f"/sessions/{session['id']}")

    def _events(self, session: dict[str, Any], kind: str) -> list[dict[str, Any]]:
        return self.house.events(session_id=session["id"], type=kind)

    def _over(self) -> bool:
        """See ``Teller._over``; the issue is closed too."""
        statuses = {role: self.sessions[name]["status"] for role, name in self.ids.items()}
        if statuses.get("greet") not in MERGED or statuses.get("notes") not in ENDED:
            return False
        return super(OnGitHub, self)._over() and all(
            issue["state"] == "closed" for issue in self.hub.issues.values()
        )


def _clone(ground: Ground, server: Server) -> None:
    """A person's clone of what is on GitHub."""
    repository(ground, hub=False)
    ground.git("remote", "add", "origin", server.git)
    ground.git("push", "--quiet", "--force", "origin", "HEAD:main")
    ground.git("fetch", "--quiet", "origin")


@contextmanager
def told(
    root: Path, orders: tuple[Order, ...] = (), runtime: str = "tmux", **env: str
) -> Iterator[tuple[Wired, Follower, OnGitHub]]:
    """A house in which the story begins, with these orders; swept however it ends.

    Its machine and GitHub go by the same clock, so that a clock that is put forward is
    time that passes for both.
    """
    with ground_at(root, database=chosen()) as ground:
        ground.home.mkdir(mode=0o700)
        server = Server(Hub(root / "github", ShiftedClock(ground.home)))
        try:
            _clone(ground, server)
            configure(ground, _project(ground, server, runtime), **SETTINGS)
            house = Wired(ground, orders=orders, more=env)
            with begun(house, OnGitHub(house, server=server)) as playing:
                yield playing
        finally:
            server.close()
