"""A session from being asked for to being cleaned up: its steps, what undoes them, and
the orders that do not fit.
"""

from __future__ import annotations

import errno
import json
import os
import subprocess
from datetime import timedelta

import gevent
import pytest

from ennio.actors.registry import session_name
from ennio.actors.spawning import SpawnRequest
from ennio.config.model import CleanupPolicy, PluginChoice
from ennio.model.errors import Conflict, Refused, Unreachable
from ennio.model.pulls import CheckState
from ennio.model.session import Activity, SessionStatus
from ennio.plugins.tracker.interface import Issue
from ennio.plugins.tracker.stub import StubTracker
from ennio.policy.lifecycle import orders
from tests.actors.ground import Play, Stage
from tests.actors.stubs import Shelf
from tests.conftest import eventually


def _steps(stage: Stage, session_id: str) -> list[str]:
    return [
        event.data["step"]
        for event in stage.deps.store.events.list_by_session(session_id, limit=500)
        if "step" in event.data
    ]


def test_every_step_of_a_spawn_is_an_event(stage: Stage) -> None:
    session_id = stage.working("Write the overture")
    steps = _steps(stage, session_id)
    wanted = ["admitted", "workspace", "branch", "workspace", "prepare", "launch", "launched"]
    assert [step for step in steps if step in wanted] == wanted
    types = stage.types(session_id)
    order = ["session_queued", "session_spawned", "session_working"]
    assert [kind for kind in types if kind in order] == order


def test_the_agent_finds_its_prompt_its_folder_and_no_more_of_the_environment(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_THE_HOUSE", "x")
    session_id = stage.working("Write the overture")
    launch = stage.runtime.launches[0]
    assert launch.cwd == stage.deps.home.workspace("stub", "play", session_id)
    assert launch.env["ENNIO_SESSION_ID"] == session_id
    assert "SECRET_OF_THE_HOUSE" not in launch.env
    assert "Write the overture" in (stage.deps.home.session(session_id) / "prompt.md").read_text()


@pytest.mark.parametrize("action", ["create", "prepare"])
def test_a_workspace_that_cannot_be_made_is_undone_and_said(stage: Stage, action: str) -> None:
    def refuse() -> None:
        raise Refused("post_create command 1 (`make`) ended with exit code 2")

    stage.workspace.before[action] = refuse
    session_id = stage.spawn()
    session = stage.until(session_id, SessionStatus.EXITED)
    assert "ended with exit code 2" in (session.reason or "")
    path = stage.deps.home.workspace("stub", "play", session_id)
    eventually(lambda: not path.exists())
    assert not stage.runtime.launches
    assert stage.session(session_id).status is SessionStatus.EXITED


def test_a_launch_that_is_refused_leaves_no_workspace_and_can_be_restored(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(_desk: object) -> None:
        raise Refused("the agent is not installed")

    with monkeypatch.context() as patched:
        patched.setattr(stage.agent, "prepare", missing)
        session_id = stage.spawn()
        stage.until(session_id, SessionStatus.EXITED)
        eventually(lambda: not stage.deps.home.workspace("stub", "play", session_id).exists())
    stage.orchestrator.sessions.restore(session_id)
    eventually(lambda: len(stage.runtime.launches) == 1)
    stage.settle_in(session_id)


def test_a_workspace_out_of_reach_is_tried_again(stage: Stage) -> None:
    def away() -> None:
        raise Unreachable("the hub does not answer")

    stage.workspace.before["create"] = away
    session_id = stage.spawn()
    eventually(lambda: any("does not answer" in words for words in stage.words(session_id)))
    assert stage.session(session_id).status is SessionStatus.SPAWNING
    stage.workspace.before.clear()
    stage.pass_time(5)
    eventually(lambda: stage.runtime.launches)


def test_incident_33_a_spawn_that_is_turned_away_with_a_time_waits_for_it_and_says_so(
    stage: Stage,
) -> None:
    asked: list[int] = []

    def used_up() -> None:
        asked.append(1)
        raise Unreachable("the quota of the token is used up", until=opens)

    opens = stage.clock.now() + timedelta(hours=1)
    stage.workspace.before["create"] = used_up
    session_id = stage.spawn()
    eventually(lambda: "quota" in (stage.session(session_id).reason or ""))
    for _ in range(11):
        stage.pass_time(300)
        stage.quiet()
    session = stage.session(session_id)
    assert (session.status, session.reason, len(asked)) == (
        SessionStatus.SPAWNING,
        "the quota of the token is used up",
        1,
    )
    assert [words for words in stage.words(session_id) if "quota" in words] == [
        "making the workspace waits until 01:00 UTC: the quota of the token is used up"
    ]
    stage.workspace.before.clear()
    stage.pass_time(300)
    eventually(lambda: stage.runtime.launches)
    assert "quota" not in (stage.session(session_id).reason or "")


def test_a_spawn_that_is_turned_away_more_often_than_it_is_tried_still_waits(stage: Stage) -> None:
    asked: list[int] = []

    def used_up() -> None:
        asked.append(1)
        raise Unreachable(
            "the quota of the token is used up", until=stage.clock.now() + timedelta(minutes=10)
        )

    stage.workspace.before["create"] = used_up
    session_id = stage.spawn()
    for turn in range(1, 10):
        eventually(lambda so_far=turn: len(asked) == so_far)
        stage.quiet()
        stage.pass_time(600)
    assert stage.session(session_id).status is SessionStatus.SPAWNING
    assert stage.orchestrator.sessions.kill(session_id).reason == "killed by a person"


@pytest.mark.parametrize(
    "code", [errno.ENOSPC, errno.EDQUOT, errno.EAGAIN, errno.EMFILE, errno.ENFILE, errno.ENOMEM]
)
def test_a_resource_that_has_run_out_is_said_and_tried_until_there_is_some(
    stage: Stage, code: int
) -> None:
    def lacking() -> None:
        raise OSError(code, os.strerror(code), "/somewhere")

    stage.workspace.before["create"] = lacking
    session_id = stage.spawn()
    for tries in range(1, 2 * orders.MAX_TRIES):
        eventually(lambda tries=tries: _failures(stage, session_id) >= tries)
        stage.pass_time(61)
    session = stage.session(session_id)
    assert session.status is SessionStatus.SPAWNING
    assert "(/somewhere)" in (session.reason or ""), "it says what is lacking, and where"
    assert stage.alive(session_name(session_id))
    assert len([words for words in stage.words(session_id) if "/somewhere" in words]) == 1, (
        "it is told once"
    )
    stage.workspace.before.clear()
    stage.pass_time(61)
    eventually(lambda: stage.session(session_id).runtime_handle)


def _failures(stage: Stage, session_id: str) -> int:
    memory = stage.deps.store.memories.get(session_id)
    return int(json.loads(memory)["failures"]) if memory else 0


def test_incident_05_a_kill_during_a_slow_clone_is_immediate_and_leaves_nothing(
    stage: Stage,
) -> None:
    broken_off: list[str] = []

    def clone() -> None:
        try:
            gevent.sleep(600)
        finally:
            broken_off.append("clone")

    stage.workspace.before["create"] = clone
    session_id = stage.spawn()
    eventually(lambda: "branch" in _steps(stage, session_id))
    killed = stage.orchestrator.sessions.kill(session_id)
    assert killed.status is SessionStatus.KILLED
    eventually(lambda: broken_off)
    stage.look()
    assert not stage.runtime.launches
    assert not stage.workspace.made


def test_incident_05_a_kill_while_the_launch_is_under_way_ends_the_agent_that_comes_up(
    stage: Stage,
) -> None:
    stage.hooks["start"] = lambda _name: gevent.sleep(
        600
    )  # it stands, but nobody has heard of it yet
    session_id = stage.spawn()
    eventually(lambda: stage.runtime.launches)
    stage.orchestrator.sessions.kill(session_id)
    eventually(lambda: stage.runtime.stopped == [session_id])
    assert stage.session(session_id).status is SessionStatus.KILLED


def test_incident_05_an_agent_that_comes_up_after_it_was_ended_is_ended_again(stage: Stage) -> None:
    session_id = stage.launched()
    launch = stage.runtime.launches[0]
    stage.orchestrator.sessions.kill(session_id)
    eventually(lambda: session_id in stage.runtime.stopped)
    stage.runtime.start(launch)  # as if the first order had been slow
    eventually(lambda: stage.runtime.stopped == [session_id, session_id])
    assert not stage.runtime.survey()


def test_incident_05_a_session_is_visible_from_the_moment_it_is_asked_for(stage: Stage) -> None:
    stage.workspace.before["create"] = lambda: gevent.sleep(600)
    session_id = stage.spawn()
    assert [session.id for session in stage.deps.store.sessions.list()] == [session_id]
    assert stage.session(session_id).status is SessionStatus.SPAWNING


def test_incident_07_what_a_kill_left_of_a_half_made_workspace_is_cleaned(stage: Stage) -> None:
    def half_way(session_id: str) -> None:
        (stage.deps.home.workspace("stub", "play", session_id) / "half.txt").write_text("a line")
        gevent.sleep(600)

    stage.hooks["create"] = half_way
    session_id = stage.spawn()
    path = stage.deps.home.workspace("stub", "play", session_id)
    half = path / "half.txt"
    eventually(half.exists)
    stage.orchestrator.sessions.kill(session_id)
    stage.orchestrator.workspaces.cleanup(session_id, None, dry_run=False, force=False)
    eventually(lambda: stage.session(session_id).archived_at)
    assert not path.exists()
    assert (path.parent / ".preserved" / session_id / "half.txt").read_text() == "a line"


def test_restoring_what_was_cleaned_up_names_where_its_work_is(stage: Stage) -> None:
    session_id, other = stage.working(), stage.working()
    for name in (session_id, other):
        stage.orchestrator.sessions.kill(name)
        eventually(
            lambda name=name: (
                stage.orchestrator.workspaces.cleanup(name, None, dry_run=False, force=False)[
                    0
                ].action
                != "kept"
            )
        )
        eventually(lambda name=name: stage.session(name).archived_at)
        eventually(lambda name=name: not stage.alive(session_name(name)))
    path = str(stage.deps.project("play").path)
    git = ("git", "-C", path, "-c", "user.name=n", "-c", "user.email=e")
    subprocess.run(["git", "init", "-q", path], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "work"], check=True)
    subprocess.run([*git, "update-ref", f"refs/ennio/preserved/{session_id}", "HEAD"], check=True)
    with pytest.raises(
        Conflict, match=f"cleaned up; its work is saved: ennio preserved show {session_id}$"
    ):
        stage.orchestrator.sessions.restore(session_id)
    with pytest.raises(Conflict, match="nothing left of it but its record"):
        stage.orchestrator.sessions.restore(other)


def test_two_sessions_do_not_share_a_branch(stage: Stage) -> None:
    first = stage.working(branch="theme")
    with pytest.raises(Refused, match=first):
        stage.spawn(branch="theme")
    with pytest.raises(Refused, match=f"Theme and theme of session {first}.* letter case alone"):
        stage.spawn(branch="Theme")


def test_orders_that_do_not_fit_are_conflicts_and_change_nothing(stage: Stage) -> None:
    session_id = stage.working()
    with pytest.raises(Conflict, match="only an exited session"):
        stage.orchestrator.sessions.restore(session_id)
    assert [
        item.action
        for item in stage.orchestrator.workspaces.cleanup(
            session_id, None, dry_run=False, force=True
        )
    ] == ["kept"]
    stage.orchestrator.sessions.kill(session_id)
    assert stage.orchestrator.sessions.kill(session_id).status is SessionStatus.KILLED, (
        "a second kill is fine"
    )
    with pytest.raises(Conflict):
        stage.orchestrator.sessions.restore(session_id)
    with pytest.raises(Conflict):
        stage.orchestrator.sessions.send(session_id, "hello?")


def test_incident_02_a_dry_run_lists_exactly_what_is_removed_and_no_live_session_is(
    stage: Stage,
) -> None:
    living, ended = stage.working("one"), stage.working("two")
    stage.orchestrator.sessions.kill(ended)
    eventually(lambda: ended in stage.runtime.stopped)
    dry = {
        item.session_id: item.action
        for item in stage.orchestrator.workspaces.cleanup(None, None, dry_run=True, force=True)
    }
    assert dry == {living: "kept", ended: "would remove"}
    assert stage.agent.forgotten == []
    assert stage.deps.home.workspace("stub", "play", ended).exists()
    stage.orchestrator.workspaces.cleanup(None, None, dry_run=False, force=True)
    eventually(lambda: not stage.deps.home.workspace("stub", "play", ended).exists())
    assert stage.deps.home.workspace("stub", "play", living).exists()
    assert stage.agent.forgotten == [ended]
    assert living not in stage.runtime.stopped


def test_incident_01_stopping_the_house_ends_neither_agents_nor_workspaces(play: Play) -> None:
    with play.opened() as stage:
        session_id = stage.working()
        path = stage.deps.home.workspace("stub", "play", session_id)
        (path / "uncommitted.txt").write_text("mine")
    assert not play.runtime.stopped
    assert (path / "uncommitted.txt").read_text() == "mine"
    with play.opened() as stage:
        stage.look()
        assert stage.session(session_id).status is SessionStatus.WORKING
        assert len(play.runtime.launches) == 1


def test_incident_08_a_merged_session_is_cleaned_although_its_agent_is_busy(play: Play) -> None:
    play.settings["cleanup"] = CleanupPolicy(merged_after=600)
    with play.opened() as stage:
        session_id = stage.working()
        number = stage.pull(session_id)
        stage.says(session_id, Activity.ACTIVE, ready=True)
        eventually(lambda: stage.session(session_id).activity is Activity.ACTIVE)
        stage.forge.checks(number, CheckState.PASSING)
        stage.orchestrator.pulls.merge("play", number)
        stage.until(session_id, SessionStatus.MERGED)
        assert session_id not in stage.runtime.stopped, "it is left alone until cleaning is due"
        dry = stage.orchestrator.workspaces.cleanup(session_id, None, dry_run=True, force=False)
        assert [item.reason for item in dry] == [
            "it is merged; its agent is still there and is ended first"
        ]
        stage.pass_time(601)
        stage.until(session_id, SessionStatus.DONE)
        assert session_id in stage.runtime.stopped
        eventually(
            lambda: not stage.alive(session_name(session_id)), why="nothing is left to watch"
        )
    assert not play.runtime.survey()


def test_a_project_that_left_the_configuration_leaves_its_sessions_alone(play: Play) -> None:
    with play.opened() as stage:
        session_id = stage.working()
    play.settings["project"] = {"id": "other", "name": "other"}
    with play.opened() as stage:
        assert not stage.alive(session_name(session_id))
        assert stage.session(session_id).status is SessionStatus.WORKING
        with pytest.raises(Exception, match="no project"):
            stage.orchestrator.sessions.spawn(SpawnRequest("play", prompt="x"))


@pytest.mark.parametrize("branch", ["main", "origin/main", "refs/heads/main", "Main", "release/7"])
def test_a_session_on_a_protected_branch_is_refused_before_anything_is_made(
    play: Play, branch: str
) -> None:
    play.settings["project"] = {"protected_branches": ("release/*",)}
    with play.opened() as stage:
        for ask in (stage.orchestrator.sessions.spawn, stage.orchestrator.sessions.preview):
            with pytest.raises(
                Refused, match=r"^branch: .*(the default branch|protected_branches: release/\*)"
            ):
                ask(SpawnRequest("play", prompt="Do it", branch=branch))
        assert stage.deps.store.sessions.list() == ()
        assert stage.deps.store.queue.list() == ()


def test_a_session_whose_own_name_is_protected_is_refused_too(play: Play) -> None:
    play.settings["project"] = {"protected_branches": ("p-*",)}
    with play.opened() as stage, pytest.raises(Refused, match=r"protected_branches: p-\*"):
        stage.spawn()


def test_a_tracker_that_names_a_protected_branch_is_refused_as_soon_as_it_is_known(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracker = StubTracker([Issue("7", "Tidy up", "", branch="origin/main")])
    monkeypatch.setattr(Shelf, "tracker", lambda _shelf, _project: tracker)
    play.settings["project"] = {"tracker": PluginChoice("stub")}
    with play.opened() as stage:
        session_id = stage.orchestrator.sessions.spawn(SpawnRequest("play", issue_id="7")).id
        session = stage.until(session_id, SessionStatus.EXITED)
        assert "the default branch" in (session.reason or "")
        assert (stage.workspace.made, stage.runtime.launches) == ([], [])


def test_a_session_whose_branch_became_protected_is_not_started_again(play: Play) -> None:
    with play.opened() as stage:
        session_id = stage.working(branch="stable")
        play.settings["project"] = {"protected_branches": ("stable",)}
    with play.opened() as stage:
        stage.runtime.finish(session_id, exit_code=1)
        stage.until(session_id, SessionStatus.EXITED)
        with pytest.raises(Refused, match="protected_branches: stable"):
            stage.orchestrator.sessions.restore(session_id)
        assert len(stage.runtime.launches) == 1
