"""aider itself, through a whole day of work."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from ennio.errors import EnnioError
from tests.agents.bench import aider_home, bench, installed
from tests.conftest import eventually

CONFIG = {"model": "openai/scripted", "passthrough": {"edit_format": "diff"}}


def test_a_day_of_aider_is_told_as_it_is(tmp_path: Path) -> None:
    with bench(tmp_path, installed("aider"), "aider", CONFIG, aider_home) as at:
        # spawned with its prompt, works, asks; the answer comes through the API
        at.spawn(":think 3\n:ask touch first.txt && echo made\n\n:say never said")
        view = at.becomes("waiting_input", 30)
        assert "touch first.txt" in view["question"]
        assert "Run shell command?" in view["question"]
        time.sleep(3)
        with pytest.raises(EnnioError, match=r"2\. No"):
            at.answer("perhaps")
        at.mark("answered", "active", "waiting_input")
        at.answer("yes")
        eventually(lambda: "Add command output" in (at.view()["question"] or ""), 5, "the second question")
        at.mark("answered", "active", "ready", "waiting_input")
        at.answer("n")
        at.becomes("ready", 5)
        at.mark("rests", "ready")
        assert (Path(at.view()["workspace_path"]) / "first.txt").exists()
        # a message while it is busy waits until the turn is over
        at.say(":think 4\n:say one more")
        at.becomes("active", 8)
        at.say(":say the message that waited")
        assert [message["state"] for message in at.delivered()][-1] == "queued"
        at.ends_turns(2)
        at.becomes("ready", 5)
        # a person interrupts it in its terminal: with Ctrl-C, for it knows no Escape
        at.say(":think 20\n:say never said\n\nwith more\nlines")
        at.becomes("active", 8)
        eventually(lambda: at.model.busy, 5)
        time.sleep(1)
        at.mark("interrupted", "ready")
        at.keys("C-c")
        at.becomes("ready", 3)
        time.sleep(3)
        at.say("!touch not-a-command.txt\n:say after the interrupt")
        at.ends_turns(3)
        assert not (Path(at.view()["workspace_path"]) / "not-a-command.txt").exists()
        at.becomes("ready", 5)
        # the model is in trouble for a while
        at.model.trouble += [500] * 12
        at.say(":say after trouble")
        at.becomes("blocked", 12)
        at.model.trouble.clear()
        at.ends_turns(4, 60)
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
        at.ends_turns(5)
        at.becomes("ready", 5)
        at.tells_tokens()
        status = at.house.ground.git("status", "--porcelain", "--ignored", cwd=Path(at.view()["workspace_path"]))
        assert status == "?? first.txt"  # it keeps nothing of its own in the repository
        # it ends by itself
        at.mark("left", "exited", "ready")
        at.keys("/exit", "Enter")
        at.becomes("exited", 10)
        judged = at.judge()
        assert judged["share"] >= 0.99
        assert judged["longest"] < 10
