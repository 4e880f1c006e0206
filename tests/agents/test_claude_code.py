"""claude-code itself, through a whole day of work."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

from tests.agents.bench import bench, claude_home, installed
from tests.agents.model import Model
from tests.conftest import eventually
from tests.e2e.house import Ground


def test_a_day_of_claude_code_is_told_as_it_is(tmp_path: Path) -> None:
    with bench(tmp_path, installed("claude"), "claude-code", {"permissions": "default"}, claude_home) as at:
        # spawned with its prompt, works, asks
        at.spawn(":think 3\n:ask touch first.txt && rm first.txt\n:say all is well")
        view = at.becomes("waiting_input")
        assert "touch first.txt" in view["question"]
        at.goes_on(3)
        at.mark("answered", "active")
        at.keys("Enter")
        at.ends_turns(1)
        at.becomes("ready", 5)
        # a message while it is busy waits until the turn is over
        at.say(":think 4\n:say one more")
        at.becomes("active", 5)
        at.say(":say the message that waited")
        assert [message["state"] for message in at.delivered()][-1] == "queued"
        at.ends_turns(3)
        at.becomes("ready", 5)
        # a person presses Escape; what comes back into the box is not sent with the next message
        at.say(":think 20\n:say never said\n\nwith more\nlines")
        at.becomes("active", 8)
        eventually(lambda: at.model.busy, 5)
        at.goes_on(1)
        at.keys("Escape")
        at.becomes("ready", 2)
        at.goes_on(2)
        at.say("!touch not-a-command.txt\n:say after Escape")
        at.ends_turns(4)
        assert at.model.log[-1].words.strip() == "!touch not-a-command.txt\n:say after Escape"
        at.becomes("ready", 5)
        # the model is in trouble for a while
        at.model.trouble += [500, 500, 429]
        at.say(":say after trouble")
        at.becomes("blocked", 8)
        at.ends_turns(5)
        at.becomes("ready", 5)
        # it is killed, and goes on in the very conversation
        at.say(":run sleep 1\n:think 30\n:say never said")
        at.becomes("active", 8)
        eventually(lambda: at.model.busy, 8)
        at.goes_on(1)
        at.mark("killed", "exited")
        os.kill(at.pid(), signal.SIGKILL)
        at.becomes("exited", 4)
        at.goes_on(2)  # its last request breaks off
        at.mark("started again", "exited", "None", "ready")
        at.house.client.post(f"/sessions/{at.session}/restore")
        at.becomes("ready", 10)
        at.mark("resumed", "ready")
        at.say(":say after the kill")
        at.ends_turns(6)
        at.becomes("ready", 5)
        assert "after Escape" in at.screen() or "after trouble" in at.screen()
        # what it used is what the model served, each answer once
        at.tells_tokens()
        assert float(at.view()["usage"]["cost_usd"]) > 0
        # it ends by itself
        at.mark("left", "exited", "ready")
        at.keys("/exit", "Enter")
        at.becomes("exited", 10)
        judged = at.judge()
        assert judged["share"] >= 0.99
        assert judged["longest"] < 10
        eventually(lambda: at.view()["status"] == "done", 10, f"it is done: {at.view()}")


def without_hooks(ground: Ground, model: Model) -> dict[str, str]:
    """A person who wants no hooks at all."""
    env = claude_home(ground, model)
    settings = ground.root / "person" / ".claude" / "settings.json"
    settings.parent.mkdir()
    settings.write_text('{"disableAllHooks": true}')
    return env


def test_incident_12_without_any_hook_the_status_stays_true(tmp_path: Path) -> None:
    with bench(tmp_path, installed("claude"), "claude-code", {"permissions": "default"}, without_hooks) as at:
        at.spawn(":think 3\n:ask touch first.txt && rm first.txt\n:say all is well")
        assert "touch first.txt" in at.becomes("waiting_input")["question"]
        at.goes_on(2)
        at.mark("answered", "active")
        at.keys("Enter")
        at.ends_turns(1)
        at.becomes("ready", 5)
        at.say(":think 3\n:say one more")
        at.ends_turns(2)
        at.becomes("ready", 5)
        eventually(lambda: [message["state"] for message in at.delivered()] == ["delivered"] * 2, 10, f"{at.delivered()}")
        at.tells_tokens()
        assert not (at.house.ground.home / "sessions" / at.session / "hooks.jsonl").exists()
        judged = at.judge()
        assert judged["share"] >= 0.99
        assert judged["longest"] < 10


def test_nothing_of_the_persons_files_is_touched_but_the_entry_of_trust(tmp_path: Path) -> None:
    with bench(tmp_path, installed("claude"), "claude-code", {"permissions": "default"}, claude_home) as at:
        person = at.house.ground.root / "person"
        at.spawn(":say all is well")
        at.ends_turns(1)
        at.becomes("ready", 5)
        entries = json.loads((person / ".claude.json").read_text())["projects"]
        view = at.view()
        assert [path for path, entry in entries.items() if entry.get("hasTrustDialogAccepted")] == [view["workspace_path"]]
        assert not (person / ".claude" / "settings.json").exists()
        assert at.house.ground.git("status", "--porcelain", cwd=Path(view["workspace_path"])) == ""


def test_what_an_agent_did_while_the_supervisor_was_dead_is_known_afterwards(tmp_path: Path) -> None:
    with bench(tmp_path, installed("claude"), "claude-code", {"permissions": "default"}, claude_home) as at:
        at.spawn(":think 3\n:say said to nobody")
        at.becomes("active", 10)
        at.house.kill_everything()
        at.ends_turns(1)
        at.house.start()
        at.becomes("ready", 10)
        at.tells_tokens()
        assert at.view()["summary"] == "said to nobody"
        at.say(":think 2\n:say rings at the new door")
        at.becomes("active", 5)
        at.ends_turns(2)
        at.becomes("ready", 5)
