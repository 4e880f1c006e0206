"""A story past the metering proxy: an agent asks its model, and what was served is in the books once,
whatever dies between a line of the proxy and its entry.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ennio.proxy import process
from ennio.proxy.directory import ProxyDirectory
from tests.agents.model import Model
from tests.e2e.house import Ground, configure, ground_at, project, repository, story, turn
from tests.faults.account import close
from tests.faults.plan import Order, happened
from tests.faults.teller import SETTINGS, Teller, Wired
from tests.postgres import chosen

ASKS = 4
PROMPT = "Ask your model"


@dataclass(slots=True, kw_only=True)
class Asker(Teller):
    """Spawns one session, and ends it once its agent has asked all it wants to know."""

    model: Model

    def _next(self) -> None:
        """See ``Teller._next``."""
        if "asks" not in self.ids:
            self._ask_for({"project_id": "score", "prompt": PROMPT, "role": "asks"})
            return
        session = self.sessions[self.ids["asks"]]
        done = len(self.model.good) == ASKS and booked(self.house.ground) == served(self.model)
        if session["status"] == "killed":
            self._clean(session)
        elif done:
            self.house.client.delete(f"/sessions/{session['id']}")

    def _over(self) -> bool:
        """See ``Teller._over``."""
        return "asks" in self.ids and super(Asker, self)._over()


@contextmanager
def told(root: Path, orders: tuple[Order, ...] = ()) -> Iterator[tuple[Wired, Asker]]:
    """A house in which the story begins, with these orders; swept however it ends."""
    with Model() as model, ground_at(root, database=chosen()) as ground:
        repository(ground)
        configure(ground, _project(ground, model), **SETTINGS)
        house = Wired(ground, orders=orders)
        house.begin()
        try:
            yield house, Asker(house=house, model=model)
        finally:
            with suppress(OSError, ValueError):
                house.kill_everything()
            process.end(ProxyDirectory(ground.home / "proxy"))


def _project(ground: Ground, model: Model) -> dict[str, Any]:
    steps = [{"request": ":think 0.3\n:say hello"}] * ASKS
    made = project(
        ground,
        agent_config={**story(turn("prompt", steps)), "metering": "proxy"},
        env={"ANTHROPIC_BASE_URL": model.base},
        scm_config=None,
    )
    return {key: value for key, value in made.items() if value is not None}


def booked(ground: Ground) -> list[tuple[int, int, int]]:
    """Each entry: requests, and the tokens given and made."""
    rows = ground.rows("select requests, input_tokens as i, output_tokens as o from ledger_entries")
    return sorted((row["requests"], row["i"], row["o"]) for row in rows)


def served(model: Model) -> list[tuple[int, int, int]]:
    """Each request as its model counted it."""
    return sorted((1, one.input_tokens, one.output_tokens) for one in model.good)


def play(root: Path, plan: tuple[Order, ...], _runtime: str = "") -> tuple[str, ...]:
    """Tell it while this goes wrong, and hold the books; the orders that were carried out."""
    with told(root, plan) as (house, asker):
        asker.play()
        wrong = (
            []
            if booked(house.ground) == served(asker.model) and len(asker.model.log) == ASKS
            else [f"booked {booked(house.ground)}, served {served(asker.model)}"]
        )
        close(house, wrong)
        return tuple(happened(house.ground.home))
