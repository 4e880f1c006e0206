"""What was saved is shown once, and of the project whose session it was."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from ennio.actors import preserved
from ennio.actors.spawning import SpawnRequest
from tests.actors.ground import Play, Stage, project

FORGOTTEN = "tw-00000001"
"""A session of which nothing is stored any more; its prefix is that of the second project."""


@pytest.fixture
def shared(play: Play) -> Iterator[tuple[Stage, str]]:
    """Two projects with one repository, and a session of the second."""
    one = project(path=play.root, session_prefix="pl")
    two = project(id="two", name="two", path=play.root, session_prefix="tw")
    play.settings["projects"] = (one, two)
    with play.opened() as stage:
        session_id = stage.orchestrator.sessions.spawn(SpawnRequest("two", prompt="Do it")).id
        path = str(play.root)
        git = ("git", "-C", path, "-c", "user.name=n", "-c", "user.email=e")
        subprocess.run(["git", "init", "-q", path], check=True)
        subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "work"], check=True)
        for name in (session_id, f"{session_id}-2", FORGOTTEN, "else-1"):
            subprocess.run([*git, "update-ref", f"refs/ennio/preserved/{name}", "HEAD"], check=True)
        yield stage, session_id


def test_projects_with_one_repository_show_each_saved_thing_once(
    shared: tuple[Stage, str],
) -> None:
    stage, session_id = shared
    found = preserved.everything(stage.deps, None)
    assert sorted((item.id, item.project_id) for item in found) == sorted(
        [(session_id, "two"), (f"{session_id}-2", "two"), (FORGOTTEN, "two"), ("else-1", "play")]
    )
    assert preserved.contents(stage.deps, session_id).item.project_id == "two"


def test_of_one_project_those_of_the_other_are_not_shown(shared: tuple[Stage, str]) -> None:
    stage, session_id = shared
    saved = {item.id for item in preserved.everything(stage.deps, "two")}
    assert saved == {session_id, f"{session_id}-2", FORGOTTEN}
    assert {item.id for item in preserved.everything(stage.deps, "play")} == {"else-1"}
