"""codex itself, through a whole day of work."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from tests.agents.bench import bench, codex_home, installed
from tests.conftest import eventually


def test_a_day_of_codex_is_told_as_it_is(tmp_path: Path) -> None:
    config = {"permissions": "on-request", "passthrough": {"sandbox": "read-only"}}
    with bench(tmp_path, installed("codex"), "codex", config, codex_home) as at:
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
        # a person has it interrupted from outside of its terminal
        at.say(":think 20\n:say never said\n\nwith more\nlines")
        at.becomes("active", 8)
        eventually(lambda: at.model.busy, 5)
        at.goes_on(1)
        at.house.client.post(f"/sessions/{at.session}/interrupt")
        at.becomes("ready", 2)
        at.goes_on(2)
        at.say("!touch not-a-command.txt\n:say after Escape")
        at.ends_turns(4)
        assert [served for served in at.model.good if served.scripted][-1].words.strip() == "!touch not-a-command.txt\n:say after Escape"
        at.becomes("ready", 5)
        # the model is in trouble for a while; codex itself is silent about its first tries
        at.model.trouble += [500] * 12
        at.say(":say after trouble")
        at.becomes("blocked", 12)
        at.ends_turns(5, 60)
        at.becomes("ready", 5)
        # it is killed, and goes on in the very conversation
        at.say(":run sleep 1\n:think 30\n:say never said")
        at.becomes("active", 8)
        eventually(lambda: at.model.busy, 8)
        at.goes_on(2)
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
        at.tells_tokens()
        # it ends by itself
        at.mark("left", "exited", "ready")
        at.keys("/quit")
        at.goes_on(0.5)
        at.keys("Enter")
        at.becomes("exited", 10)
        judged = at.judge()
        assert judged["share"] >= 0.99
        assert judged["longest"] < 10
        eventually(lambda: at.view()["status"] == "done", 10, f"it is done: {at.view()}")
