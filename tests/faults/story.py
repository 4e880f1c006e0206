"""A story short enough to be played for every point: two sessions, everything that can
befall one, told in seconds.

``greet`` works on an issue: its check is red and is mended, its budget is warned of, used up and
raised, so that it is interrupted in its turn and told to go on; a person sends it a message,
approves, and Ennio merges and cleans up. ``notes`` is held and released, leaves with uncommitted
lines, is restored, asks a question, is answered, asks another one, is answered by a link of the
notice, is killed and cleaned up; what it had is preserved.
``spare`` is asked for, and dropped before it starts.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ennio.demo import scene
from ennio.model.errors import Conflict, Unauthorized
from ennio.policy.budgets.words import GO_ON
from tests.e2e.house import Ground, configure, ground_at, project, repository, story, turn
from tests.e2e.persons import REVIEWER, Follower
from tests.faults.plan import Order
from tests.faults.teller import BURN, MERGED, SETTINGS, Teller, Wired, begun, on_paper
from tests.nats.server import NatsServer, running
from tests.postgres import chosen

SIGN = "Please sign it."
ASK = "Please ask me which way to go."
ANSWER = "left"
ASK_FAR = "Please ask me how far."
FAR, HOW_FAR = "far", ("near", "far")
UNSAVED = "uncommitted lines\n"
ISSUE = f"# Greet\n\n{scene.GREET}\n"
HOOKS = [
    "echo hooked >> hooked.log",
    'echo hooked.log >> "$(git rev-parse --git-path info/exclude)"',
]


def agent() -> dict[str, Any]:
    """What the scripted agent does in both sessions."""
    return story(
        turn(
            "prompt",
            [
                {"edit": {"file": "greeting.txt", "content": "hello\n"}},
                BURN,
                {"commit": "Greet"},
                "push",
            ],
            "greeting",
        ),
        turn(
            "ci_failed",
            [
                {"edit": {"file": "greeting.txt", "content": "hello, Ennio\n"}},
                {"commit": "Name"},
                "push",
                BURN,  # its budget is used up by that, and it is interrupted in the middle of this
                {"think": 1200},
            ],
        ),
        # else it would go on at that step, and think as long again
        turn("message", [{"say": "I go on."}], "There is some again"),
        turn(
            "message",
            [{"edit": {"file": "greeting.txt", "append": "signed\n"}}, {"commit": "Sign"}, "push"],
            "sign it",
        ),
        turn("prompt", [{"edit": {"file": "notes.txt", "content": UNSAVED}}, {"exit": 0}], "notes"),
        turn(
            "message",
            [{"ask": "Left or right?"}, {"edit": {"file": "way.txt", "content": "{answer}\n"}}],
            "which way",
        ),
        turn(
            "message",
            [
                {"ask": {"question": "How far?", "options": [*HOW_FAR]}},
                {"edit": {"file": "far.txt", "content": "{answer}\n"}},
            ],
            "how far",
        ),
    )


def _project(ground: Ground, runtime: str) -> dict[str, Any]:
    checks = [{"name": "greetings", "run": "sh check.sh", "timeout": 60}]
    return project(
        ground,
        runtime=runtime,
        answer=True,
        agent_config=agent(),
        post_create=HOOKS,
        scm_config={"plugin": "local", "config": {"checks": checks, "review_required": True}},
        tracker_config={"plugin": "local", "config": {"comment": True, "close_on_merge": True}},
    )


@dataclass(slots=True, kw_only=True)
class Local(Teller):
    """The person of the story on the local forge; ``nats`` is where what happens is published."""

    nats: NatsServer

    def _next(self) -> None:
        """See ``Teller._next``."""
        ask = {"project_id": "score"}
        if "greet" not in self.ids:
            self._ask_for({**ask, "issue_id": "1", "role": "greet"})
        elif "notes" not in self.ids:
            self._ask_for({**ask, "prompt": "Write notes", "role": "notes", "held": True})
        elif "spare" not in self.ids:
            self._ask_for({**ask, "prompt": "Wait", "role": "spare", "held": True})
        else:
            self._greet(self.sessions[self.ids["greet"]])
            self._notes(self.sessions[self.ids["notes"]])
            self._spare(self.sessions[self.ids["spare"]])

    def _greet(self, session: dict[str, Any]) -> None:
        if session["paused"] and self._interrupted(session):
            self._raise(session["id"])
        if not self._raised(session["id"]):
            return  # what is asked of it before would be said before it is told to go on
        if session["status"] != "review_pending":
            return
        pull = self.house.client.get(f"/projects/score/pulls/{session['pr_number']}")
        if pull["checks"] != "passing" or pull["state"] != "open":
            return
        if not self._told(session, SIGN):
            self.house.client.post(f"/sessions/{session['id']}/send", {"message": SIGN})
        elif pull["review"] != "approved" and "signed" in self._file(session["branch"]):
            self.house.client.post(
                f"/projects/score/pulls/{pull['number']}/approve",
                {"body": "Good.", "author": REVIEWER},
            )

    def _interrupted(self, session: dict[str, Any]) -> bool:
        """Whether it was stopped in the middle of its turn, by what its supervisor remembers."""
        query = "select value from memories where session_id = ?"
        (kept,) = self.house.ground.rows(query, session["id"])
        return '"cut":true' in kept["value"].replace(" ", "") and session["activity"] == "ready"

    def _raise(self, name: str) -> None:
        """Raise its budget, once, however often the answer is lost."""
        path, key = f"/budgets/session:{name}:total/raise", {"Idempotency-Key": "raise"}
        self.house.client.document("POST", path, {}, {"usd": 1}, headers=key)

    def _raised(self, name: str) -> bool:
        messages = self.house.client.get(f"/sessions/{name}/messages")
        return any(message["text"] == GO_ON for message in messages)

    def _file(self, branch: str) -> str:
        return self.house.ground.git("show", f"{branch}:greeting.txt", cwd=self.house.ground.hub)

    def _notes(self, session: dict[str, Any]) -> None:
        path = f"/sessions/{session['id']}"
        asked = self._told(session, ASK)
        if self._held(session):
            self.house.client.post(f"/queue/{session['id']}/release")
        elif session["status"] == "exited":
            self.house.client.post(f"{path}/restore")
        elif session["status"] == "killed":
            self._clean(session)
        elif not asked and session["activity"] in ("ready", "idle"):
            self.house.client.post(f"{path}/send", {"message": ASK})
        elif session["activity"] == "waiting_input":
            self._answer(session, path)
        elif session["activity"] in ("ready", "idle") and self._went_far(session):
            self.house.client.delete(path)
        elif (
            session["activity"] in ("ready", "idle")
            and ANSWER in self.house.ground.taken(session["id"])
            and not self._told(session, ASK_FAR)
        ):
            self.house.client.post(f"{path}/send", {"message": ASK_FAR})

    def _answer(self, session: dict[str, Any], path: str) -> None:
        """In words, or by the button of the last notice; where that holds no more, in words too."""
        if not (session["question"] or "").startswith("How far?"):
            self.house.client.post(f"{path}/answer", {"answer": ANSWER})
            return
        links = [
            line["answers"]
            for line in on_paper(self.house.ground)
            if FAR in line.get("answers", ())
        ]
        if not links:
            return
        try:
            self.house.client.post("/answers", {"link": links[-1][FAR]})
        except (Unauthorized, Conflict):
            self.house.client.post(f"{path}/answer", {"answer": FAR})

    def _went_far(self, session: dict[str, Any]) -> bool:
        taken = self.house.ground.taken(session["id"])
        return bool({FAR, str(HOW_FAR.index(FAR) + 1)} & {*taken})

    def _spare(self, session: dict[str, Any]) -> None:
        if self._held(session):
            self.house.client.delete(f"/queue/{session['id']}")
        elif session["status"] == "killed":
            self._clean(session)

    def _held(self, session: dict[str, Any]) -> bool:
        return any(
            waiting["session_id"] == session["id"] and waiting["held"]
            for waiting in self.house.client.get("/queue")
        )

    def _over(self) -> bool:
        """See ``Teller._over``; the issue is closed too."""
        statuses = {role: self.sessions[name]["status"] for role, name in self.ids.items()}
        if statuses.get("greet") not in MERGED or {
            statuses.get("notes"),
            statuses.get("spare"),
        } != {"killed"}:
            return False
        issue = self.house.ground.clone / "issues" / "1.md"
        return super(Local, self)._over() and "state: closed" in issue.read_text()


@contextmanager
def told(
    root: Path,
    orders: tuple[Order, ...] = (),
    runtime: str = "tmux",
    database: Path | None = None,
    **env: str,
) -> Iterator[tuple[Wired, Follower, Local]]:
    """A house in which the story begins, with these orders; swept however it ends."""
    with ground_at(root, database=chosen()) as ground, running() as nats:
        repository(ground, {"check.sh": scene.CHECK, "issues/1.md": ISSUE})
        configure(
            ground,
            _project(ground, runtime),
            **SETTINGS,
            nats_url=nats.url,
            nats_stream=True,
            budgets=[{"scope": "session", "limit_usd": 0.02, "warn_at": 0.5}],
            **({"database_url": f"sqlite:{database}"} if database else {}),
        )
        if database:
            (ground.clone / "ennio.db").symlink_to(database)  # for those who count
        house = Wired(ground, orders=orders, more=env)
        with begun(house, Local(house=house, nats=nats)) as playing:
            yield playing
