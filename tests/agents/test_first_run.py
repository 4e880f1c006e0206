"""The first start of claude-code on a machine, and what is left of a session
in the person's own files.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.agents.bench import KEY, Bench, bench, installed
from tests.agents.model import Model
from tests.conftest import eventually
from tests.e2e.house import Ground

ASKS = {"permissions": "default"}
DARES = {"permissions": "--dangerously-skip-permissions"}


def fresh(ground: Ground, model: Model) -> dict[str, str]:
    """A person who has never started claude-code, and has a key."""
    assert not list((ground.root / "person").iterdir())
    return {"ANTHROPIC_BASE_URL": model.base, "ANTHROPIC_API_KEY": KEY, "IS_SANDBOX": "1"}


def with_a_token(ground: Ground, model: Model) -> dict[str, str]:
    """The same with a token in the place of the key."""
    env = fresh(ground, model)
    return {**env, "ANTHROPIC_AUTH_TOKEN": env.pop("ANTHROPIC_API_KEY")}


def persons(at: Bench) -> dict[str, Any]:
    """The file in which claude-code keeps what it knows of the person; it may be at it just now."""
    file = at.house.ground.root / "person" / ".claude.json"

    def read() -> dict[str, Any] | None:
        with contextlib.suppress(FileNotFoundError, json.JSONDecodeError):
            content: dict[str, Any] = json.loads(file.read_text())
            return content
        return None

    return eventually(read, 30, "the person's file can be read")  # type: ignore[return-value]


def entries(at: Bench) -> list[str]:
    """The workspaces it knows; it makes an entry of its own for the repository they are of."""
    return [
        path
        for path in persons(at).get("projects", {})
        if path.startswith(str(at.house.ground.home))
    ]


def left(at: Bench) -> list[bytes]:
    """What there is in the files of the person's home and of the session: an agent at work makes
    some and removes them again.
    """
    roots = (
        at.house.ground.root / "person",
        at.house.ground.home / "sessions",
        Path(at.view()["workspace_path"]),
    )
    contents = []
    for file in (
        Path(folder, name) for root in roots for folder, _, names in os.walk(root) for name in names
    ):
        with contextlib.suppress(FileNotFoundError):
            if file.is_file():
                contents.append(file.read_bytes())
    return contents


@pytest.mark.parametrize("config", [ASKS, DARES], ids=["asking", "daring"])
@pytest.mark.parametrize("settle", [fresh, with_a_token], ids=["key", "token"])
def test_a_session_starts_where_nobody_ever_started_it(
    tmp_path: Path, config: dict[str, str], settle: Any
) -> None:
    with bench(tmp_path, installed("claude"), "claude-code", config, settle) as at:
        at.spawn(":run echo good morning\n:say all is well")
        at.ends_turns(1)
        at.rests()
        # its hooks run, as in trusted folders only
        assert (at.house.ground.home / "sessions" / at.session / "hooks.jsonl").exists()
        # the person's own first start is still theirs, and their key is nowhere
        told = persons(at)
        assert not {"hasCompletedOnboarding", "customApiKeyResponses"} & told.keys()
        assert not (at.house.ground.root / "person" / ".claude" / "settings.json").exists()
        assert not any(KEY.encode() in content for content in left(at))
        # it goes on as it began
        os.kill(at.pid(), signal.SIGKILL)
        at.becomes("exited")
        at.house.client.post(f"/sessions/{at.session}/restore")
        at.becomes("ready", 60)
        at.say(":say after the kill")
        at.ends_turns(2)
        if (config, settle) == (ASKS, fresh):
            its_trust_goes_with_its_workspace(at)


def its_trust_goes_with_its_workspace(at: Bench) -> None:
    first, turns = at.view(), at.model.turns()
    second = at.house.spawn(":say one")
    at.ends_turns(turns + 1)
    assert sorted(entries(at)) == sorted(
        [first["workspace_path"], at.house.session(second)["workspace_path"]]
    )
    at.house.client.delete(f"/sessions/{at.session}")
    at.house.becomes(at.session, "killed")
    at.house.client.post(f"/sessions/{at.session}/cleanup")
    eventually(lambda: not Path(first["workspace_path"]).exists(), 30, "the workspace is gone")
    # the other one lives, and writes the whole file when it likes
    at.house.client.post(f"/sessions/{second}/send", {"message": ":say two"})
    at.ends_turns(turns + 2)
    assert entries(at) == [at.house.session(second)["workspace_path"]]
    at.house.client.delete(f"/sessions/{second}")
    at.house.becomes(second, "killed")
    assert entries(at) == [at.house.session(second)["workspace_path"]]
    at.house.client.post(f"/sessions/{second}/cleanup")
    eventually(lambda: entries(at) == [], 30, "nothing is left of either")
