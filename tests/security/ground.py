"""A house as these tests attack it: one session with a pull request, one that
waits, one that was killed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conftest import eventually
from tests.e2e.house import Ground, Supervised, project, supervised


@dataclass(frozen=True, slots=True)
class LivedIn:
    """The house, and the ids of what is in it."""

    house: Supervised
    worker: str
    held: str
    killed: str

    @property
    def sessions(self) -> tuple[str, ...]:
        return self.worker, self.held, self.killed


def small(ground: Ground) -> dict[str, Any]:
    """A project that starts two agents at most, whoever asks for however many."""
    return project(ground, max_sessions=2, tracker_config={"plugin": "local"})


@contextmanager
def lived_in(root: Path, **settings: Any) -> Iterator[LivedIn]:
    """A running house that has seen some life."""
    with supervised(root, small, **settings) as house:
        client = house.client
        client.post("/projects/score/issues", {"title": "An issue"})
        worker, held, killed = house.spawn(), house.spawn(held=True), house.spawn(held=True)
        client.delete(f"/sessions/{killed}")
        eventually(lambda: house.session(worker)["pr_number"], 40, "the pull request is there")
        yield LivedIn(house, worker, held, killed)
