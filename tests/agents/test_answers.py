"""Questions of the agents that are answered from outside, by the keys of a menu."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from ennio.model.errors import EnnioError
from tests.agents.bench import bench, claude_home, codex_home, installed
from tests.agents.model import Model
from tests.conftest import eventually
from tests.e2e.house import Ground

CODEX = {"permissions": "on-request", "passthrough": {"sandbox": "read-only"}}


@pytest.mark.parametrize(
    ("executable", "agent", "config", "settle"),
    [
        ("claude", "claude-code", {"permissions": "default"}, claude_home),
        ("codex", "codex", CODEX, codex_home),
    ],
    ids=["claude-code", "codex"],
)
def test_a_permission_is_given_and_refused_through_the_api(
    executable: str,
    agent: str,
    config: Mapping[str, Any],
    settle: Callable[[Ground, Model], dict[str, str]],
    tmp_path: Path,
) -> None:
    with bench(tmp_path, installed(executable), agent, config, settle) as at:
        at.spawn(":ask touch given.txt\n:say well")
        at.becomes("waiting_input")
        with pytest.raises(EnnioError, match="fits none of the choices"):
            at.answer("perhaps")
        at.answer("yes")
        at.ends_turns(1)
        at.rests()
        workspace = Path(at.view()["workspace_path"])
        assert (workspace / "given.txt").exists()
        with pytest.raises(EnnioError, match="asks nothing just now"):
            at.answer("yes")
        at.say(":ask touch refused.txt\n:say well")
        at.becomes("waiting_input")
        at.answer("no")
        eventually(lambda: at.view()["activity"] in ("ready", "idle", "active"), 30, at.screen())
        assert not (workspace / "refused.txt").exists()
        # and what it does next is broken off through the API too
        at.rests()
        at.say(":think 20\n:say never said")
        at.becomes("active")
        eventually(lambda: at.model.busy, 30)
        at.house.client.post(f"/sessions/{at.session}/interrupt")
        at.rests()
        eventually(
            lambda: [served.end for served in at.model.log if served.scripted][-1] == "broken",
            30,
            "the agent has hung up",
        )
