"""A person deletes a working copy by hand, and its branch with it: whose turn that is, and what is
there again after a restore.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import eventually
from tests.e2e.house import Ground, Supervised, project, story, supervised, turn

pytestmark = pytest.mark.e2e

WORK = {"file": "mine.txt", "content": "committed, and not pushed\n"}
COMMITS = story(turn("prompt", [{"edit": WORK}, {"commit": "Mine"}, {"say": "..."}, "hang"]))


def committing(ground: Ground, **settings: Any) -> dict[str, Any]:
    """A project whose agents commit something, push nothing and stay."""
    return project(ground, agent_config=COMMITS, **settings)


def committed(house: Supervised) -> tuple[str, Path, str]:
    """A session whose commit was seen: its name, its working copy and the commit."""
    name = house.spawn("Write a line")
    copy = Path(house.becomes(name, "working")["workspace_path"])
    eventually((copy / "mine.txt").exists)

    def seen() -> str | None:
        last = house.ground.git("rev-parse", "HEAD", cwd=copy)
        told = [one["message"] for one in house.events(session_id=name)]
        return last if any(f"its branch is at {last[:7]}: +1" in one for one in told) else None

    last = eventually(seen)
    assert isinstance(last, str)
    return name, copy, last


def made_again(house: Supervised, name: str) -> str:
    """What is told of the working copy that stands again."""
    stands = "the workspace stands at"

    def told() -> str | None:
        words = [one["message"] for one in house.events(session_id=name)]
        found = [one for one in words if one.startswith(stands)]
        return found[-1] if len(found) > 1 else None

    words = eventually(told)
    assert isinstance(words, str)
    return words


def test_incident_01_a_restore_goes_on_at_the_last_commit_of_a_branch_that_was_deleted(
    tmp_path: Path,
) -> None:
    with supervised(tmp_path, committing) as house:
        name, copy, last = committed(house)
        branch = house.session(name)["branch"]
        shutil.rmtree(copy)
        house.ground.git("worktree", "prune")
        house.ground.git("branch", "-D", branch)
        seen = eventually(lambda: "restore" in (one := house.session(name))["wants"] and one)
        assert (seen["turn"], seen["rule"], seen["wants"][0]) == ("you", "1b", "restore")
        assert seen["turn_why"] == f"its working copy is gone: ennio session restore {name}"
        deleted = f"its branch {branch} is deleted"
        eventually(lambda: deleted in house.session(name)["reason"])
        shown = house.ground.ennio("status").out
        assert "gone" in shown
        assert "1 your turn" in shown
        eventually(lambda: _told(house, name) == ["workspace-gone"])

        assert house.ground.ennio("session", "restore", name).code == 0

        gone = f"its branch {branch} had been deleted; it goes on at {last[:7]}, its last commit"
        assert made_again(house, name).endswith(gone)
        house.becomes(name, "working")
        assert house.ground.git("rev-parse", "HEAD", cwd=copy) == last
        assert (copy / "mine.txt").read_text() == WORK["content"]
        assert house.session(name)["turn"] == "agent"


def test_a_restore_of_a_deleted_clone_says_which_commit_went_with_it(tmp_path: Path) -> None:
    with supervised(tmp_path, lambda ground: committing(ground, workspace="clone")) as house:
        name, copy, last = committed(house)
        shutil.rmtree(copy)
        # while it is being deleted, it may seem to have lost its branch alone
        eventually(lambda: "restore" in house.session(name)["wants"])

        assert house.ground.ennio("session", "restore", name).code == 0

        lost = f"its last commit {last[:7]} was only in the working copy that is gone"
        assert lost in made_again(house, name)
        (event,) = [one for one in house.events(session_id=name) if one["data"].get("lost")]
        assert event["priority"] == "action"


def _told(house: Supervised, name: str) -> list[str]:
    """The reactions that have told a person."""
    return [
        one["data"]["reaction"]
        for one in house.events(session_id=name)
        if one["event_type"] == "reaction_triggered"
    ]
