"""The real agents whose plan is used up: parked with the hour that their provider told, and gone on
once after it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.agents.bench import bench, codex_home, installed
from tests.agents.heard import FIRST_OF_PLANNED, is_heard
from tests.agents.model import Model
from tests.agents.used_up import UsedUp
from tests.conftest import eventually
from tests.e2e.house import Ground

DAY = 86400


def subscriber(ground: Ground, model: Model) -> dict[str, str]:
    """A person who is logged in to claude-code with a plan."""
    person = ground.root / "person"
    (person / ".claude.json").write_text(json.dumps({"hasCompletedOnboarding": True}))
    login = {
        "accessToken": "sk-ant-oat01-loop",
        "refreshToken": "loop",
        "expiresAt": int(time.time() + DAY) * 1000,
        "scopes": ["user:inference", "user:profile"],
        "subscriptionType": "max",
    }
    (person / ".claude").mkdir()
    (person / ".claude" / ".credentials.json").write_text(json.dumps({"claudeAiOauth": login}))
    return {"ANTHROPIC_BASE_URL": model.base}


@pytest.mark.parametrize(
    ("agent", "executable", "config", "settle"),
    [
        ("codex", "codex", {"permissions": "never"}, codex_home),
        ("claude-code", "claude", {"permissions": "default"}, subscriber),
    ],
    ids=["codex", "claude-code"],
)
def test_an_agent_whose_plan_is_used_up_is_parked_and_goes_on_once_after_the_reset(
    tmp_path: Path,
    agent: str,
    executable: str,
    config: Mapping[str, Any],
    settle: Callable[[Ground, Model], dict[str, str]],
) -> None:
    folder = installed(executable)
    with bench(tmp_path, folder, agent, config, settle, resume_at_reset=True) as at:
        is_heard(at, FIRST_OF_PLANNED, lambda: at.spawn(FIRST_OF_PLANNED))
        reset = int(time.time()) + 30
        at.model.used_up = UsedUp(reset, reset + DAY)
        at.mark("used up", "active", "ready", "blocked", "waiting_input")
        at.say(":say the second turn is over")

        def parked() -> dict[str, Any] | None:
            view = at.view()
            return view if "plan window five_hour used up" in (view["reason"] or "") else None

        eventually(parked, 40, f"it is parked: {at.screen()}")
        view = at.view()
        windows = {window["name"]: window for window in view["windows"]}
        assert windows["five_hour"]["used_percent"] == 100
        until = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(reset))
        assert windows["five_hour"]["resets_at"].startswith(until)
        assert view["activity"] == "blocked", at.screen()
        assert "ontinuing" not in at.screen(), "it would go on by itself, too"
        served = len(at.model.log)
        at.model.used_up = None
        eventually(lambda: len(at.model.log) > served, 120, f"it goes on: {at.screen()}")
        went_on = at.model.log[served]
        assert reset <= went_on.began < reset + 60
        eventually(lambda: "used up" not in (at.view()["reason"] or ""), 60, "it is parked no more")

        def told() -> list[str]:
            return [one["state"] for one in at.delivered() if one["text"] == "continue"]

        eventually(lambda: told() == ["delivered"], 60, f"it has its words: {at.delivered()}")
