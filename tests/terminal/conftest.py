"""One supervisor for a module, with two shells to look at: one in tmux, one of the daemon."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.house import Ground, Supervised, project, supervised

SHELL = ["bash", "--norc", "--noprofile", "-i"]


def shell(runtime: str) -> Any:
    """A project whose agent is a shell in this runtime."""

    def made(ground: Ground) -> dict[str, Any]:
        passthrough = {"argv": SHELL, "interactive": True}
        return project(
            ground,
            runtime,
            runtime=runtime,
            agent="command",
            agent_config={"passthrough": passthrough},
            env={"PS1": "$ "},
            session_prefix=runtime[:2],
        )

    return made


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Supervised]:
    root: Path = tmp_path_factory.mktemp("terminal")
    with supervised(root, shell("tmux"), shell("process")) as house:
        yield house


@pytest.fixture(params=["tmux", "process"])
def session(request: pytest.FixtureRequest, house: Supervised) -> Iterator[str]:
    """A new shell that has begun."""
    session_id = house.spawn("echo begun", project=request.param)
    house.becomes(session_id, "working", within=60)
    yield session_id
    house.client.delete(f"/sessions/{session_id}")
