"""The person in the demo: spawns, reviews, approves, and in the middle of it all pulls plugs."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from ennio.demo import scene
from ennio.http.client import ApiClient
from ennio.model.errors import Conflict, EnnioError

REVIEWER = "morricone"
Event = Mapping[str, Any]
LEISURE = 10.0
"""Seconds that are enough for a person to answer in."""


@dataclass(slots=True)
class DemoSession:
    """One session in the play: what it is called, and what has happened to it."""

    role: str
    session_id: str
    statuses: list[str] = field(default_factory=lambda: ["spawning"])
    told: Counter[str] = field(default_factory=Counter)
    pull: int | None = None
    escalated: bool = False
    asked_for_changes: bool = False
    approved_head: str | None = None
    head: str | None = None


@dataclass(slots=True)
class Director:
    """Reacts to events as a person would, with the API alone; ``say`` tells the audience.

    ``patience`` is for how many seconds the question of an agent is left to who looks on, before
    it is answered for them.
    """

    client: ApiClient
    say: Callable[[str, str], None]
    parts: dict[str, DemoSession] = field(default_factory=dict)
    crashes: list[str] = field(default_factory=list)
    events: Counter[str] = field(default_factory=Counter)
    budget: dict[str, Any] = field(default_factory=dict)
    last_seq: int = 0
    patience: float = 1.5
    asked: float | None = None
    question: dict[str, Any] = field(default_factory=dict)

    def spawn(self) -> None:
        """Three sessions at once."""
        for role, project, prompt in (
            ("greet", "score", scene.GREET),
            ("notes", "score", scene.NOTES),
            ("silent", "rest", scene.SILENT),
        ):
            session = self.client.post_once(
                "/sessions", {"project_id": project, "prompt": prompt, "role": role}
            )
            self.parts[session["id"]] = DemoSession(role, session["id"])
            self.say(role, f"you ask for a session: {prompt}")

    @property
    def over(self) -> bool:
        """Everything that should merge has merged, and the silent one has been escalated."""
        return all(
            part.escalated if part.role == "silent" else part.statuses[-1] in ("merged", "done")
            for part in self.parts.values()
        )

    def part(self, role: str) -> DemoSession:
        """The session in this role."""
        return next(part for part in self.parts.values() if part.role == role)

    def on(self, event: Event) -> None:
        """Take in one event and do what a person would do now."""
        self.last_seq = max(self.last_seq, event["seq"])
        self.events[event["event_type"]] += 1
        part = self.parts.get(event["session_id"])
        if part is None:
            return
        data = event["data"]
        match event["event_type"]:
            case "status_changed":
                part.statuses.append(data["to"])
            case "pr_created" | "pr_updated":
                part.pull, part.head = data.get("number", part.pull), data.get("head", part.head)
            case "reaction_escalated":
                part.escalated = True
            case "message_delivered" if data.get("reaction"):
                part.told[data["reaction"]] += 1
                self._pull_a_plug(part, data["reaction"])
            case "ci_passing":
                self._review(part, data["head"])
            case "session_paused":
                self._raise(part, data["budget"])
            case "session_step" if data.get("step") == "answered":
                self.question = {"by": "a person"} | self.question | {"answer": data["answer"]}
            case _:
                pass
        self._late_approval()

    def look(self, sessions: Sequence[Mapping[str, Any]]) -> None:
        """See who asks; nobody waits for an answer for ever."""
        for session in sessions:
            if session.get("question") == scene.QUESTION and not self.question:
                if self.asked is None:
                    self.asked = time.monotonic()
                    self._leave(session)
                if time.monotonic() - self.asked >= self.patience:
                    self._answer(session)

    def _leave(self, session: Mapping[str, Any]) -> None:
        """Where there is time enough, say that it is theirs to answer."""
        if self.patience >= LEISURE:
            words = (
                "this is yours to answer, on the page or on the board; in "
                f"{self.patience:.0f} s it is answered for you"
            )
            self.say(session["role"], words)

    def _answer(self, session: Mapping[str, Any]) -> None:
        try:
            self.client.post(f"/sessions/{session['id']}/answer", {"answer": "1"})
        except EnnioError:
            return  # it is just being attended to, or somebody was faster: seen at the next look
        self.question = {"by": "the demo"}
        self.say(session["role"], f"answered for you: {scene.OPTIONS[0]}")

    def _review(self, part: DemoSession, head: str) -> None:
        if part.pull is None:
            return
        if part.role == "greet" and not part.asked_for_changes:
            part.asked_for_changes = True
            self.say(part.role, f"you review #{part.pull} and ask for changes: {scene.REVIEW}")
            self._on_pull(part, "request-changes", {"body": scene.REVIEW})
            return
        if part.role == "notes" and not part.told["merge-conflicts"]:
            return  # it must wait: the other one is merged first, and then they conflict
        self._approve(part, head)

    def _approve(self, part: DemoSession, head: str) -> None:
        if part.approved_head == head:
            return
        part.approved_head = head
        self.say(part.role, f"you approve #{part.pull}")
        try:
            self._on_pull(part, "approve", {"body": "Good.", "head": head})
        except Conflict:
            part.approved_head = (
                None  # the agent has pushed since: what it pushed is looked at once its checks pass
            )

    def _late_approval(self) -> None:
        """A real agent may have put both lines right at once, and then there is
        no conflict to wait for.
        """
        greet, notes = self.part("greet"), self.part("notes")
        waits = (
            notes.statuses[-1] in ("review_pending", "ci_passing")
            and notes.pull is not None
            and notes.head is not None
        )
        if (
            greet.statuses[-1] in ("merged", "done")
            and waits
            and notes.head is not None
            and self.events["merge_conflicts"]
        ):
            self._approve(notes, notes.head)

    def _on_pull(self, part: DemoSession, verb: str, body: dict[str, Any]) -> None:
        project = "score"
        self.client.post(
            f"/projects/{project}/pulls/{part.pull}/{verb}", {**body, "author": REVIEWER}
        )

    def _raise(self, part: DemoSession, budget: str) -> None:
        self.say(part.role, f"you raise its budget by a dollar: {budget}")
        self.budget = self.client.post_once(f"/budgets/{budget}/raise", {"usd": "1", "by": "you"})

    def _pull_a_plug(self, part: DemoSession, reaction: str) -> None:
        if reaction == "ci-failed" and "actor" not in self.crashes:
            self.crashes.append("actor")
            self.say(part.role, "now one actor is made to crash ...")
            self.client.post("/chaos/crash", {"actor": f"session:{part.session_id}"})
        elif reaction == "changes-requested" and "worker" not in self.crashes:
            self.crashes.append("worker")
            worker = self.client.get("/status")["pid"]
            self.say(part.role, f"now the supervisor's worker {worker} gets a kill -9 ...")
            os.kill(worker, signal.SIGKILL)

    def ledger(self) -> dict[str, Any] | None:
        """What the books come to: how many entries they have, and both sides in dollars."""
        try:
            accounts, costs = self.client.get("/accounts"), self.client.get("/costs")
        except EnnioError:
            return None
        sides = {
            side: sum((Decimal(account[f"{side}_usd"]) for account in accounts), Decimal(0))
            for side in ("debits", "credits")
        }
        return {"entries": costs["entries"], **{side: str(sum_) for side, sum_ in sides.items()}}

    def sessions(self) -> list[dict[str, Any]]:
        """How every session stands, as the API tells it now."""
        found = []
        for part in self.parts.values():
            try:
                found.append({**self.client.get(f"/sessions/{part.session_id}"), "role": part.role})
            except EnnioError:
                found.append(
                    {"id": part.session_id, "role": part.role, "status": part.statuses[-1]}
                )
        return found
