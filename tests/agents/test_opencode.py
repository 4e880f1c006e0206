"""opencode itself, through a whole day of work."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from ennio.errors import EnnioError
from tests.agents.bench import bench, installed, opencode_home
from tests.conftest import eventually


def test_a_day_of_opencode_is_told_as_it_is(tmp_path: Path) -> None:
    with bench(tmp_path, installed("opencode"), "opencode", {"model": "loop/scripted"}, opencode_home) as at:
        # spawned with its prompt, works, asks; the answer comes through the API
        at.spawn(":think 3\n:ask touch first.txt\n:say all is well")
        view = at.becomes("waiting_input", 40)
        assert "touch first.txt" in view["question"]
        time.sleep(3)
        with pytest.raises(EnnioError, match=r"3\. Reject"):
            at.answer("perhaps")
        at.mark("answered", "active")
        at.answer("yes")
        at.ends_turns(1)
        at.becomes("ready", 5)
        assert (Path(at.view()["workspace_path"]) / "first.txt").exists()
        # a message while it is busy waits until the turn is over
        at.say(":think 4\n:say one more")
        at.becomes("active", 8)
        at.say(":say the message that waited")
        assert [message["state"] for message in at.delivered()][-1] == "queued"
        at.ends_turns(3)
        at.becomes("ready", 5)
        # a person presses Escape, twice
        at.say(":think 20\n:say never said\n\nwith more\nlines")
        at.becomes("active", 8)
        eventually(lambda: at.model.busy, 5)
        time.sleep(1)
        at.mark("interrupted", "ready")
        at.keys("Escape")
        time.sleep(0.3)
        at.keys("Escape")
        at.becomes("ready", 3)
        time.sleep(2)
        at.say("!touch not-a-command.txt\n:say after Escape")
        at.ends_turns(4)
        assert not (Path(at.view()["workspace_path"]) / "not-a-command.txt").exists()
        at.becomes("ready", 5)
        # the model is in trouble for a while
        at.model.trouble += [500] * 3
        at.say(":say after trouble")
        at.becomes("blocked", 12)
        at.ends_turns(5, 60)
        at.becomes("ready", 5)
        # it is killed, and goes on in the very conversation
        at.say(":think 30\n:say never said")
        at.becomes("active", 8)
        eventually(lambda: at.model.busy, 8)
        time.sleep(1)
        at.mark("killed", "exited")
        os.kill(at.pid(), signal.SIGKILL)
        at.becomes("exited", 4)
        time.sleep(2)
        at.mark("started again", "exited", "None", "ready")
        at.house.client.post(f"/sessions/{at.session}/restore")
        at.becomes("ready", 20)
        at.mark("resumed", "ready")
        at.say(":say after the kill")
        at.mark("told", "ready", "active")  # a fresh start takes seconds from its first prompt to its first request
        at.ends_turns(6)
        at.becomes("ready", 5)
        assert "after trouble" in at.screen() or "after Escape" in at.screen()
        at.tells_tokens()
        # it ends by itself
        at.mark("left", "exited", "ready")
        at.keys("/exit")
        time.sleep(1)
        at.keys("Enter")
        at.becomes("exited", 10)
        judged = at.judge()
        assert judged["share"] >= 0.99
        assert judged["longest"] < 10
