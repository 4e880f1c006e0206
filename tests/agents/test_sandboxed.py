"""Real agents in a sandbox: a turn in which a file is written, on a network with nothing but the
model.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.agents.bench import Settle, bench, claude_home, codex_home, installed
from tests.agents.model import Model
from tests.conftest import need

LOOK = "ls -a ~/.ssh /home > seen.txt 2>&1; echo written > by-agent.txt"
AGENTS: dict[str, tuple[str, dict[str, Any], Settle]] = {
    "claude-code": ("claude", {"permissions": "default"}, claude_home),
    "codex": (
        "codex",
        {"permissions": "never", "passthrough": {"sandbox": "danger-full-access"}},
        codex_home,
    ),
}


def _apart(model: Model) -> dict[str, Any]:
    port = urlsplit(model.base).port
    return {
        "isolation": "bubblewrap",
        "workspace": "clone",
        "sandbox": {"network": "loopback", "ports": [port]},
    }


@pytest.mark.parametrize("agent", AGENTS)
def test_an_agent_in_a_sandbox_takes_its_prompt_writes_a_file_and_sees_nothing_else(
    agent: str, tmp_path: Path
) -> None:
    need("bwrap")
    program, config, settle = AGENTS[agent]
    with bench(tmp_path, installed(program), agent, config, settle, _apart) as at:
        keys = at.house.ground.root / "person" / ".ssh"
        keys.mkdir()
        (keys / "id_rsa").write_text("a key")
        asks = agent == "claude-code"
        at.spawn(f":{'ask' if asks else 'run'} {LOOK}\n:say all is well")
        if asks:
            assert "by-agent.txt" in at.becomes("waiting_input", 60)["question"]
            at.keys("Enter")
        at.ends_turns(1, 60)
        at.rests()
        place = Path(at.view()["workspace_path"])
        assert (place / "by-agent.txt").read_text() == "written\n"
        assert "id_rsa" not in (place / "seen.txt").read_text()
        assert at.view()["isolation"] == "bubblewrap"
        at.say(":say one more")
        at.ends_turns(2, 60)
        at.rests()
        at.tells_tokens(20)
