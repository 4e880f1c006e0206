"""Who tells a story: a person who looks before every deed, and starts again what was killed."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ennio.model.errors import Conflict, EnnioError, Refused
from tests.e2e.house import QUICK, Ground, Supervised
from tests.e2e.persons import AWAY, Follower
from tests.faults.plan import VARIABLE, Order, happened, write

LIMIT = 300.0
LOOK = 0.2
"""Seconds between two looks of the person. Each asks for everything, and four stories are told side
by side: oftener, they would take the machine from each other.
"""
SETTINGS: dict[str, Any] = {
    "poll": QUICK,
    "ready_threshold": "500ms",
    "cleanup": {"merged_after": "0s", "killed_after": "1d"},
    "notifiers": [{"plugin": "stub", "name": "paper", "config": {}}],
    "defaults": {"notifiers": ["paper"]},
    "reactions": {"approved-and-green": {"action": "auto_merge"}},
}
"""How the house of a story is set up; who was killed is cleaned up by a person's order."""
MERGED = ("merged", "done")
BURN = {"burn": {"input": 100, "output": 10, "cost": "0.01"}}


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
    """The person of a story; each kind of story says what is due
    (``_next``) and when it is over.
    """

    house: Wired
    ids: dict[str, str] = field(default_factory=dict)
    sessions: dict[str, dict[str, Any]] = field(default_factory=dict)
    starts: int = 1

    def play(self, limit: float = LIMIT) -> None:
        """To the end, or fail saying where it stands."""
        until = time.monotonic() + limit
        while not self._step():
            assert time.monotonic() < until, self.where()
            threading.Event().wait(LOOK)

    def _step(self) -> bool:
        if self.house.process is not None and self.house.process.poll() is not None:
            self.starts += 1
            assert self.starts <= len(self.house.orders) + 4, (
                f"it ends again and again:\n{self.where()}"
            )
            self.house.begin()
        try:
            self._look()
            return self._over()
        except (*AWAY, Conflict, Refused):
            # nobody is there just now, or the world has moved on between the look and the deed
            return False
        except EnnioError as error:
            raise AssertionError(f"{error}\n{self._failed()}") from error

    def _failed(self) -> str:
        """What the supervisor itself says of requests that it failed at, with where that was."""
        log = self.house.log
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        failed = [n for n, line in enumerate(lines) if "failed" in line and "request" in line]
        return "\n".join(lines[failed[-1] : failed[-1] + 60] if failed else lines[-25:])

    def _ask_for(self, session: dict[str, Any]) -> None:
        """Ask for a session, under a key: however often its answer is lost, there is one of it."""
        self.house.client.document(
            "POST", "/sessions", {}, session, headers={"Idempotency-Key": session["role"]}
        )

    def _look(self) -> None:
        self.sessions = self.house.sessions()
        self.ids = {str(session["role"]): name for name, session in self.sessions.items()}
        self._next()

    def _next(self) -> None:
        """Do what is due, having looked whether it is done already."""
        raise AssertionError(f"{type(self).__name__} must say what it does")

    def _over(self) -> bool:
        """Whether all has come to its end, and nothing is left to be done or told."""
        if not all(session["archived_at"] for session in self.sessions.values()):
            return False
        waiting = (
            "select 1 from notifications where done_at is null or (resolved_at is not null and "
            "withdrawn_at is null) union all select 1 from deliveries where settled_at is null"
        )
        return not self.house.ground.rows(waiting)

    def _told(self, session: dict[str, Any], text: str) -> bool:
        messages = self.house.client.get(f"/sessions/{session['id']}/messages")
        return any(message["text"] == text for message in messages)

    def _clean(self, session: dict[str, Any]) -> None:
        if not session["archived_at"]:
            self.house.client.post(f"/sessions/{session['id']}/cleanup")

    def where(self) -> str:
        """Where the story stands."""
        told = ("role", "id", "status", "activity", "reason", "archived_at")
        rows = [
            ", ".join(str(session.get(key)) for key in told) for session in self.sessions.values()
        ]
        pending = self.house.ground.rows("select id, session_id, text from messages")
        pending += self.house.ground.rows("select * from deliveries where settled_at is null")
        pending += self.house.ground.rows("select * from notifications where done_at is null")
        plan = [
            f"orders: {write(self.house.orders)}",
            f"happened: {happened(self.house.ground.home)}",
            f"starts: {self.starts}",
        ]
        return "\n".join(
            [
                "the story did not come to its end:",
                *plan,
                *rows,
                *map(str, pending),
                self.house.words(),
            ]
        )


def on_paper(ground: Ground) -> list[dict[str, Any]]:
    """Every line of what the person was told."""
    file = ground.home / "paper.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


T = TypeVar("T", bound=Teller)


@contextmanager
def begun(house: Wired, teller: T) -> Iterator[tuple[Wired, Follower, T]]:
    """The house runs and somebody takes notes; it is killed however it ends."""
    house.begin()
    follower = Follower(house)
    try:
        yield house, follower, teller
    finally:
        follower.close()
        with suppress(OSError, ValueError):
            house.kill_everything()
