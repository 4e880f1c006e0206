"""claude-code itself, through a whole day of work."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.agents.bench import Bench, Settle, bench, claude_home, installed, play
from tests.agents.books import CLAUDE, PRICES
from tests.agents.claude_scenes import SCENES
from tests.agents.day import Manners, day
from tests.agents.model import Model
from tests.agents.scenes import refuses
from tests.conftest import eventually
from tests.e2e.house import Ground

MANNERS = Manners(choices=r"\d\. No", answered=refuses, work=":run sleep 1\n", alone=True)


def test_a_day_of_claude_code_is_told_as_it_is(tmp_path: Path) -> None:
    place = installed("claude")
    with bench(tmp_path, place, "claude-code", CLAUDE.config, claude_home, prices=PRICES) as at:
        day(at, MANNERS, CLAUDE, SCENES)
        nothing_of_the_persons_is_touched_but_the_entry_of_trust(at)


def nothing_of_the_persons_is_touched_but_the_entry_of_trust(at: Bench) -> None:
    person = at.house.ground.root / "person"
    entries = json.loads((person / ".claude.json").read_text())["projects"]
    workspace = at.view()["workspace_path"]
    assert [path for path, entry in entries.items() if entry.get("hasTrustDialogAccepted")] == [
        workspace
    ]
    assert not (person / ".claude" / "settings.json").exists()
    assert at.house.ground.git("status", "--porcelain", cwd=Path(workspace)) == ""


@pytest.mark.scenes
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
        at.spawn(":think 3\n:ask touch first.txt && rm first.txt\n:say all is well", judged=True)
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
        assert float(at.view()["usage"]["cost_usd"]) > 0  # the model it takes by itself has a price
        assert not (at.house.ground.home / "sessions" / at.session / "hooks.jsonl").exists()
        at.is_judged("without hooks")


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
        at.spawn(":say trusted after all", judged=True)
        at.mark("spawned", "None", "waiting_input")
        question = at.becomes("waiting_input")["question"]
        assert "one you trust?" in question
        assert "[1. No, exit / 2. Yes, I trust this folder]" in question
        at.answer("yes")
        at.mark("answered", "waiting_input", "ready", "active")
        at.ends_turns(1)
        at.rests()
        at.is_judged("trust dialog")
