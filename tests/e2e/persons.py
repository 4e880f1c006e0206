"""Who takes part in the chaos beside Ennio: a person who does their part, and
somebody who takes notes.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from ennio.demo import scene
from ennio.http.client import NoSupervisor
from ennio.model.errors import Conflict, EnnioError, Refused, TimedOut, Unreachable
from tests.e2e.house import OVER, Supervised

REVIEWER = "morricone"
SIGN = "Please sign it."
AWAY = (NoSupervisor, Unreachable, TimedOut)


@dataclass(slots=True)
class Person:
    """Wants sessions, answers, reviews and approves; always looks before doing, so that
    nothing is asked for twice.

    ``wanted`` are the prompts by role. A role that begins with ``extra`` is asked to sign its file.
    ``judged`` are the heads for which changes were about to be asked, ``refused`` those of which it
    was seen that they were.
    """

    house: Supervised
    wanted: Mapping[str, str]
    ids: dict[str, str] = field(default_factory=dict)
    sessions: dict[str, dict[str, Any]] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    judged: dict[str, str] = field(default_factory=dict)

    def look(self, upto: int) -> bool:
        """Do what is due among the first ``upto`` roles; False when nobody answered."""
        try:
            self.sessions = self.house.sessions()
            self.ids = {str(session["role"]): name for name, session in self.sessions.items()}
            self._ask_for(upto)
            for role, name in self.ids.items():
                self._answer(self.sessions[name])
                self._review(role, self.sessions[name])
        except AWAY:
            return False
        except (Conflict, Refused):
            return True  # the world moved on between the look and the deed
        return True

    def _ask_for(self, upto: int) -> None:
        for role in list(self.wanted)[:upto]:
            if role not in self.ids:
                self.house.client.post(
                    "/sessions", {"project_id": "score", "prompt": self.wanted[role], "role": role}
                )
                return

    def _answer(self, session: Mapping[str, Any]) -> None:
        if session["question"] == scene.QUESTION:
            self.house.client.post(f"/sessions/{session['id']}/answer", {"answer": "1"})

    def _review(self, role: str, session: Mapping[str, Any]) -> None:
        if session["status"] not in ("review_pending", "changes_requested"):
            return
        pull = self.house.client.get(f"/projects/score/pulls/{session['pr_number']}")
        if pull["review"] == "changes_requested":
            # seen late, the agent may have answered already: it was the head that was judged
            self.refused.setdefault(role, self.judged.get(role, pull["head"]))
        if (
            pull["checks"] != "passing"
            or pull["state"] != "open"
            or self.refused.get(role) == pull["head"]
        ):
            return
        wish = {"greet": scene.REVIEW}.get(role, SIGN if role.startswith("extra") else None)
        place = f"/projects/score/pulls/{pull['number']}"
        if wish is not None and role not in self.refused:
            self.judged[role] = pull["head"]
            self.house.client.post(f"{place}/request-changes", {"body": wish, "author": REVIEWER})
        elif role == "notes" and self.sessions[self.ids["greet"]]["status"] not in OVER:
            return  # the other one is merged first, and then they conflict
        else:
            self.house.client.post(f"{place}/approve", {"body": "Good.", "author": REVIEWER})

    @property
    def done(self) -> bool:
        """Whether every session that was wanted has been merged."""
        return len(self.ids) == len(self.wanted) and all(
            self.sessions[name]["status"] in ("merged", "done") for name in self.ids.values()
        )


class Follower:
    """Reads the event stream from the beginning, reconnecting with Last-Event-ID over every
    death of the supervisor.
    """

    def __init__(self, house: Supervised) -> None:
        self._house = house
        self.events: list[dict[str, Any]] = []
        self.failed: str | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def _follow(self) -> None:
        after = 0
        while not self._over.is_set():
            try:
                for event in self._house.client.stream(after=after):
                    self.events.append(event)
                    after = event["seq"]
            except AWAY:
                self._over.wait(0.05)
            except (EnnioError, ValueError, KeyError) as error:
                self.failed = repr(error)
                return

    def close(self) -> None:
        """Take no more notes; the thread ends with the connection."""
        self._over.set()
        with suppress(RuntimeError):
            self._thread.join(0.1)
