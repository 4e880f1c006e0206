"""What ``ennio spawn`` asks for, and what it says of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cli.conftest import Api
from tests.cli.told import EVENT, SESSION


def test_spawn_sends_only_what_was_given(api: Api) -> None:
    api.on("POST", "/sessions", SESSION | {"status": "spawning"})
    ended = api.ennio("spawn", "My App", "-i", "42", "--priority", "3", "--hold", "-b", "feat/x")
    assert (
        ended.out == "spawned ma-1a2b3c4d on issue-42-login; see: ennio session info ma-1a2b3c4d\n"
    )
    assert api.last[3] == {
        "project_id": "my-app",
        "issue_id": "42",
        "priority": 3,
        "held": True,
        "branch": "feat/x",
    }


def test_spawn_reads_the_prompt_from_standard_input_or_a_file(api: Api) -> None:
    api.on("POST", "/sessions", SESSION)
    assert api.ennio("spawn", "my-app", "-p", "-", given="from the pipe\n").code == 0
    assert api.last[3]["prompt"] == "from the pipe\n"
    (api.place.folder / "notes.md").write_text("from the file")
    assert api.ennio("spawn", "my-app", "-p", "@notes.md").code == 0
    assert api.last[3]["prompt"] == "from the file"
    assert api.ennio("spawn", "my-app", "-p", "@missing").code == 2


def test_incident_48_a_prompt_is_only_words(api: Api) -> None:
    api.on("POST", "/sessions", SESSION)
    nasty = "$(touch owned) `touch owned`; touch owned 'x\" \n--force"
    assert api.ennio("spawn", "my-app", f"--prompt={nasty}").code == 0
    assert api.last[3]["prompt"] == nasty
    assert not (api.place.folder / "owned").exists()


def test_spawn_without_anything_to_do_is_wrong_usage(api: Api) -> None:
    ended = api.ennio("spawn", "my-app")
    assert ended.code == 2
    assert "--issue" in ended.err
    assert api.ennio("spawn", "my-app", "-p", "  ").code == 2


def test_a_dry_run_shows_prompt_command_branch_and_workspace(api: Api) -> None:
    preview = {
        "session_id": "ma-0",
        "agent": "claude-code",
        "runtime": "tmux",
        "workspace_kind": "worktree",
        "workspace": "/w",
        "branch": "b",
    }
    preview |= {
        "base": "main",
        "prompt": "Do it",
        "system": "Rules",
        "command": ["claude", "--", "Do it"],
        "env": ["KEY"],
        "post_create": ["npm i"],
    }
    api.on("POST", "/sessions", preview | {"queue_reason": "3 of 3 run", "forecast": None})
    lines = api.ennio("spawn", "my-app", "-p", "Do it", "--dry-run").out.splitlines()
    assert api.last[2] == {"dry_run": "true"}
    for line in (
        "workspace    /w (worktree)",
        "branch       b (from main)",
        "command      claude -- 'Do it'",
        "prompt       Do it",
        "waits        3 of 3 run",
    ):
        assert line in lines
    assert lines[-1] == "nothing was started (--dry-run)"


@pytest.mark.parametrize(
    "begun",
    [
        {"event_type": "session_working"},
        {"event_type": "status_changed", "data": {"from": "spawning", "to": "pr_open"}},
    ],
)
def test_spawn_wait_follows_the_session_until_it_has_begun(api: Api, begun: dict[str, Any]) -> None:
    steps = [
        EVENT | {"seq": 5, "event_type": "session_step", "message": "cloning"},
        EVENT | {"seq": 6, "message": "works"} | begun,
        EVENT | {"seq": 7, "event_type": "ci_passing", "message": "later"},
    ]
    stream = "".join(
        f"id: {step['seq']}\nevent: {step['event_type']}\ndata: {json.dumps(step)}\n\n"
        for step in steps
    )
    api.on("POST", "/sessions", SESSION).on("GET", "/events/stream", stream).on(
        "GET", "/sessions/ma-1a2b3c4d", SESSION | {"status": "working"}
    )
    ended = api.ennio("spawn", "my-app", "-p", "x", "--wait", "--json")
    known, *steps_told = ended.err.splitlines()
    assert known.startswith("spawned ma-1a2b3c4d on issue-42-login; ")
    assert steps_told == ["cloning", "works"]
    assert ended.document["status"] == "working"


@pytest.mark.parametrize(
    ("queued", "words"),
    [
        (
            {"held": True, "reason": ""},
            (
                "queued ma-1a2b3c4d on issue-42-login, held back; start it with: ennio queue "
                "release "
                "ma-1a2b3c4d"
            ),
        ),
        (
            {"held": False, "reason": "3 of 3 run"},
            "queued ma-1a2b3c4d on issue-42-login: 3 of 3 run; see: ennio queue list",
        ),
        (
            {"held": False, "reason": ""},
            "spawned ma-1a2b3c4d on issue-42-login; see: ennio session info ma-1a2b3c4d",
        ),
    ],
)
def test_a_session_that_is_known_to_wait_is_not_called_spawned(
    api: Api, queued: dict[str, Any], words: str
) -> None:
    api.on(
        "POST", "/sessions", SESSION | {"status": "spawning", "queued": queued | {"position": 1}}
    )
    assert api.ennio("spawn", "my-app", "-p", "x").out == f"{words}\n"
