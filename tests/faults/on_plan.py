"""A story of a plan: its window is used up, the session is parked until that begins anew, and goes on
by itself, once, whatever dies meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.house import Ground, configure, ground_at, project, repository, story, turn
from tests.faults.account import close
from tests.faults.plan import Order, happened
from tests.faults.teller import SETTINGS, Teller, Wired
from tests.postgres import chosen

PROMPT, WORDS, DONE = "Use up the plan", "continue", "it went on"
RESETS_IN = 5.0


@dataclass(slots=True, kw_only=True)
class PlanTeller(Teller):
    """Spawns one session, kills the worker once it is parked where that is ``wanted``, and ends the
    session once it has gone on.
    """

    kills_parked: bool = False

    def _next(self) -> None:
        """See ``Teller._next``."""
        if "plan" not in self.ids:
            self._ask_for({"project_id": "score", "prompt": PROMPT, "role": "plan"})
            return
        session = self.sessions[self.ids["plan"]]
        if self.kills_parked and session["activity"] == "blocked":
            self.kills_parked = False
            self.house.kill_worker()
        elif session["status"] == "killed":
            self._clean(session)
        elif session["activity"] == "ready" and WORDS in self.house.ground.taken(session["id"]):
            self.house.client.delete(f"/sessions/{session['id']}")

    def _over(self) -> bool:
        """See ``Teller._over``."""
        return "plan" in self.ids and super(PlanTeller, self)._over()


@contextmanager
def told(
    root: Path, orders: tuple[Order, ...] = (), *, kills_parked: bool = False
) -> Iterator[tuple[Wired, PlanTeller]]:
    """A house in which the story begins, with these orders; swept however it ends."""
    with ground_at(root, database=chosen()) as ground:
        repository(ground)
        configure(ground, _project(ground), **SETTINGS)
        house = Wired(ground, orders=orders)
        house.begin()
        try:
            yield house, PlanTeller(house=house, kills_parked=kills_parked)
        finally:
            with suppress(OSError, ValueError):
                house.kill_everything()


def _project(ground: Ground) -> dict[str, Any]:
    used_up = [{"window": {"name": "five_hour", "resets_in": RESETS_IN}}]
    # at its normal speed: the window begins anew by the clock
    told_ = story(turn("prompt", used_up), turn("message", [{"say": DONE}]), speed=1)
    made = project(ground, agent_config=told_, scm_config=None, resume_at_reset=True)
    return {key: value for key, value in made.items() if value is not None}


def play(
    root: Path, plan: tuple[Order, ...] = (), *, kills_parked: bool = False
) -> tuple[str, ...]:
    """Tell it while this goes wrong, and hold what was said; the orders that were carried out."""
    with told(root, plan, kills_parked=kills_parked) as (house, teller):
        teller.play()
        close(house, [*_wrong(house.ground, teller.ids["plan"])])
        return tuple(happened(house.ground.home))


def _wrong(ground: Ground, session_id: str) -> Iterator[str]:
    """It took two texts and no other, was told to go on after the window began anew and not before,
    and each step of its parking is in the log once.
    """
    taken = ground.taken(session_id)
    if len(taken) != 2 or PROMPT not in taken[0] or taken[1] != WORDS:
        yield f"it took {taken}"
    lines = ground.transcript(session_id)
    resets = [line["resets_at"] for line in lines if line["type"] == "window"]
    at = [line["t"] for line in lines if line.get("text") == WORDS]
    if len(resets) != 1 or not at or not 0 <= at[0] - resets[0] < 60:
        yield f"the window began anew at {resets}, and it went on at {at}"
    steps = "select message from events where event_type = 'session_step' and message like ?"
    for words in ("%used up%", "goes on: %"):
        found = [row["message"] for row in ground.rows(steps, words)]
        if len(found) != 1:
            yield f"{words} is told {len(found)} times: {found}"
    messages = ground.rows("select text from messages where origin = 'plan'")
    if [row["text"] for row in messages] != [WORDS]:
        yield f"words to go on: {messages}"
