"""A small house and the API over it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ennio.http.app import create_app
from tests.http.api import TOKEN, Api
from tests.http.small_orchestrator import SmallOrchestrator


@pytest.fixture
def orchestrator(tmp_path: Path) -> Iterator[SmallOrchestrator]:
    """A house with two projects and no sessions."""
    made = SmallOrchestrator.at(tmp_path)
    yield made
    made.store.close()


@pytest.fixture
def api(orchestrator: SmallOrchestrator) -> Api:
    """The API over that house."""
    return Api(create_app(orchestrator, TOKEN))


@pytest.fixture
def session_id(api: Api) -> str:
    """One session of my-app."""
    spawned: str = api.post("/sessions", {"project_id": "my-app", "prompt": "Do it."})["id"]
    return spawned
