"""claude-code itself, through a whole day of work."""

from __future__ import annotations

import json
from pathlib import Path

from tests.agents.bench import Settle, bench, claude_home, installed, play
from tests.agents.claude_scenes import SCENES
from tests.agents.day import Manners, day
from tests.agents.model import Model
from tests.conftest import eventually
from tests.e2e.house import Ground

MANNERS = Manners(choices=r"\d\. No", work=":run sleep 1\n")


def test_a_day_of_claude_code_is_told_as_it_is(tmp_path: Path) -> None:
    with bench(
        tmp_path, installed("claude"), "claude-code", {"permissions": "default"}, claude_home
    ) as at:
        day(at, MANNERS)
        assert float(at.view()["usage"]["cost_usd"]) > 0


def test_what_helpers_do_and_persons_change_is_told_as_it_is(tmp_path: Path) -> None:
    with bench(
        tmp_path, installed("claude"), "claude-code", {"permissions": "default"}, claude_home
    ) as at:
        play(at, SCENES)


def without_hooks(ground: Ground, model: Model) -> dict[str, str]:
    """A person who wants no hooks at all."""
    env = claude_home(ground, model)
    settings = ground.root / "person" / ".claude" / "settings.json"
    settings.parent.mkdir()
    settings.write_text('{"disableAllHooks": true}')
    return env


def test_incident_12_without_any_hook_the_status_stays_true(tmp_path: Path) -> None:
    with bench(
        tmp_path, installed("claude"), "claude-code", {"permissions": "default"}, without_hooks
    ) as at:
        at.spawn(":think 3\n:ask touch first.txt && rm first.txt\n:say all is well")
        assert "touch first.txt" in at.becomes("waiting_input")["question"]
        at.goes_on(2)
        at.mark("answered", "active")
        at.keys("Enter")
        at.ends_turns(1)
        at.rests()
        at.say(":think 3\n:say one more")
        at.ends_turns(2)
        at.rests()
        eventually(
            lambda: [message["state"] for message in at.delivered()] == ["delivered"] * 2,
            30,
            f"{at.delivered()}",
        )
        at.tells_tokens()
        assert not (at.house.ground.home / "sessions" / at.session / "hooks.jsonl").exists()
        at.is_judged("without hooks")


def test_nothing_of_the_persons_files_is_touched_but_the_entry_of_trust(tmp_path: Path) -> None:
    with bench(
        tmp_path, installed("claude"), "claude-code", {"permissions": "default"}, claude_home
    ) as at:
        person = at.house.ground.root / "person"
        at.spawn(":say all is well")
        at.ends_turns(1)
        at.rests()
        entries = json.loads((person / ".claude.json").read_text())["projects"]
        view = at.view()
        assert [path for path, entry in entries.items() if entry.get("hasTrustDialogAccepted")] == [
            view["workspace_path"]
        ]
        assert not (person / ".claude" / "settings.json").exists()
        assert at.house.ground.git("status", "--porcelain", cwd=Path(view["workspace_path"])) == ""


def test_what_an_agent_did_while_the_supervisor_was_dead_is_known_afterwards(
    tmp_path: Path,
) -> None:
    with bench(
        tmp_path, installed("claude"), "claude-code", {"permissions": "default"}, claude_home
    ) as at:
        at.spawn(":think 3\n:say said to nobody")
        at.becomes("active")
        at.house.kill_everything()
        at.ends_turns(1)
        at.house.start()
        at.rests()
        at.tells_tokens()
        assert at.view()["summary"] == "said to nobody"
        at.say(":think 2\n:say rings at the new door")
        at.becomes("active")
        at.ends_turns(2)
        at.rests()


def with_old_copy(folder: Path, real: Path) -> Settle:
    """Make a claude there that first does what an ending one does: it writes the copy of the
    person's file that it had read over what others wrote into it meanwhile, once.
    """

    def settle(ground: Ground, model: Model) -> dict[str, str]:
        env = claude_home(ground, model)
        file, copy = ground.root / "person" / ".claude.json", folder / "copy.json"
        copy.write_text(file.read_text())
        program = folder / "claude"
        program.write_text(
            f"#!/bin/sh\nif grep -q hasTrustDialogAccepted {file} && [ -e {copy} ] && "
            f'[ "$1" != --version ]; then mv {copy} {file}; fi\nexec {real / "claude"} "$@"\n'
        )
        program.chmod(0o755)
        return env

    folder.mkdir()
    return settle


def test_a_trust_dialog_that_comes_although_trust_was_written_is_shown_and_can_be_answered(
    tmp_path: Path,
) -> None:
    folder, real = tmp_path / "ending", installed("claude")
    settle = with_old_copy(folder, real)
    with bench(tmp_path, folder, "claude-code", {"permissions": "default"}, settle) as at:
        at.spawn(":say trusted after all")
        at.mark("spawned", "None", "waiting_input")
        question = at.becomes("waiting_input")["question"]
        assert "one you trust?" in question
        assert "[1. No, exit / 2. Yes, I trust this folder]" in question
        at.answer("yes")
        at.mark("answered", "waiting_input", "ready", "active")
        at.ends_turns(1)
        at.rests()
        at.is_judged("trust dialog")
