"""A house to measure: a real supervisor with the intervals people have, on a ground of its
own, swept away afterwards.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from ennio.http import address
from ennio.machine.home import Home
from tests.bench.wire import Wire
from tests.conftest import eventually
from tests.e2e.house import Supervised, configure, ground_at, project, repository, story, turn

POLL = {"runtime": "2s", "agent": "1s", "forge": "5s"}
"""The intervals of a configuration that says nothing about them."""

WORK = story(
    turn(
        "prompt",
        [{"edit": {"file": "{session}.txt", "content": "{prompt}\n"}}, {"commit": "Work"}, "push"],
    )
)
PULLED = ("pr_open", "ci_passing", "review_pending", "approved", "mergeable")


class Shortfall(Exception):
    """What was to be measured did not come about."""


@dataclass(slots=True)
class MeasuredHouse(Supervised):
    """A supervisor that notes which processes it starts and which sessions it has seen."""

    notes: Path = Path()

    module = "tests.bench.supervisor"
    forked = False  # what it takes is what is measured

    @property
    def env(self) -> dict[str, str]:
        """The ground's, and where the notes go."""
        return {**self.ground.env, "ENNIO_BENCH_NOTES": str(self.notes)}

    def noted(self, name: str) -> list[str]:
        """The lines of a note so far."""
        path = self.notes / name
        return path.read_text(errors="replace").splitlines() if path.exists() else []

    def wire(self) -> Wire:
        """A kept-alive connection with the right to ask."""
        token = address.known_token(Home(self.ground.home).run(self.ground.config))
        return Wire(int(self.client.url.rpartition(":")[2]), {"Authorization": f"Bearer {token}"})

    def told(self, name: str, kind: str) -> float | None:
        """When an event of this type was first written of a session (seconds since 1970); read
        beside Ennio, whom it costs nothing.
        """
        rows = self.ground.rows(
            "SELECT timestamp FROM events WHERE session_id = ? AND event_type = ? ORDER BY seq "
            "LIMIT 1",
            name,
            kind,
        )
        return datetime.fromisoformat(rows[0]["timestamp"]).timestamp() if rows else None

    def forget(self) -> None:
        """Begin the notes anew; nobody may be running."""
        for name in ("processes", "seen"):
            (self.notes / name).unlink(missing_ok=True)

    def quiet(self, looks: int = 6) -> None:
        """Wait until nothing has been written for a while."""
        last: list[int] = []

        def unchanged() -> bool:
            last.append(self.client.get("/status")["last_seq"])
            return len(last) > looks and len(set(last[-looks:])) == 1

        come(unchanged, 120, "nothing happens any more")


def come(condition: Any, within: float, what: str) -> Any:
    """Wait for a condition. Raises Shortfall with its last words."""
    try:
        return eventually(condition, within, what)
    except pytest.fail.Exception as late:
        raise Shortfall(str(late)) from None


@contextmanager
def _notes(root: Path) -> Iterator[Path]:
    """A folder in memory where there is one: what is measured must not count the
    writing of whoever measures.
    """
    memory = Path("/dev/shm")
    place = Path(tempfile.mkdtemp(prefix="ennio-bench-", dir=memory if memory.is_dir() else root))
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


@contextmanager
def house_at(
    root: Path, agent_config: dict[str, Any] | None = None, **settings: Any
) -> Iterator[MeasuredHouse]:
    """A house that has a repository and a configuration, and is not started yet; at the end
    nothing of it runs any more.
    """
    with ground_at(root) as ground, _notes(root) as notes:
        repository(ground)
        configure(
            ground, project(ground, agent_config=agent_config or WORK), **{"poll": POLL, **settings}
        )
        house = MeasuredHouse(ground, notes=notes)
        try:
            yield house
        finally:
            if house.process is not None and house.process.poll() is None:
                house.kill_everything()
