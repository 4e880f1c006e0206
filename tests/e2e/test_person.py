"""What a newcomer types, from ``ennio init`` to ``ennio cleanup``, and what must not
happen to them on the way.
"""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from ennio.http.client import NoSupervisor
from tests.conftest import eventually
from tests.e2e.house import (
    QUICK,
    Ground,
    Supervised,
    configure,
    free_port,
    ground_at,
    nothing_is_left,
    project,
    repository,
    story,
    supervised,
    turn,
)
from tests.ended import Ended

pytestmark = pytest.mark.e2e

HANG = story(turn("prompt", [{"say": "..."}, "hang"]))
EDITS = story(
    turn(
        "prompt",
        [
            {"edit": {"file": "draft.txt", "content": "two hundred lines\n"}},
            {"say": "written"},
            "hang",
        ],
    )
)
CRASHES = story(
    turn(
        "prompt", [{"edit": {"file": "draft.txt", "content": "two hundred lines\n"}}, {"crash": 3}]
    )
)


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    """A newcomer's machine: a repository with one commit and nothing else."""
    with ground_at(tmp_path) as made:
        repository(made, hub=False)
        yield made
        if made.config.exists():
            made.ennio("stop")
        for name in made.terminals():
            made.tmux("kill-session", "-t", f"={name}")
        nothing_is_left(made)


def ok(done: Ended) -> Ended:
    """The command did what it should; else its words are shown."""
    assert done.code == 0, f"exit code {done.code}: {done.err or done.out}"
    return done


def scripted(ground: Ground) -> None:
    """Let the configuration that ``init`` wrote run the scripted agent, quickly, on a free port."""
    document = yaml.safe_load(ground.config.read_text())
    document |= {"port": free_port(), "poll": QUICK, "min_free_memory": 0}
    document["defaults"]["agent"] = "scripted"
    document["projects"][0] |= {"agent_config": {"passthrough": {"speed": 20}}}
    ground.config.write_text(yaml.safe_dump(document, sort_keys=False))


def spawn(ground: Ground, *words: str) -> str:
    return str(ok(ground.ennio("spawn", "score", *words, "--json")).document["id"])


def shown(ground: Ground, session_id: str) -> dict[str, Any]:
    """The session as ``ennio session info`` tells it."""
    found: dict[str, Any] = ok(ground.ennio("session", "info", session_id, "--json")).document[
        "session"
    ]
    return found


def until(ground: Ground, session_id: str, *statuses: str) -> dict[str, Any]:
    """Wait as a person does: by asking again."""

    def reached() -> dict[str, Any]:
        session = shown(ground, session_id)
        assert session["status"] in statuses, f"{session['status']}: {session['reason']}"
        return session

    found: dict[str, Any] = eventually(reached, 40, f"{session_id} is {statuses}")  # type: ignore[assignment]
    return found


# --- the first way --------------------------------------------------------------------------------


@pytest.mark.parametrize("remote", [False, True], ids=["no remote", "a bare remote"])
def test_a_newcomer_comes_from_init_to_a_merged_pull_request(ground: Ground, remote: bool) -> None:
    if remote:
        ground.git("clone", "--quiet", "--bare", ".", str(ground.hub))
        ground.git("remote", "add", "origin", str(ground.hub))
        ground.git("fetch", "--quiet", "origin")
    before = ground.git("rev-parse", "HEAD")
    made = ok(ground.ennio("init", "--json")).document
    assert bool(made["hub"]) is not remote
    scripted(ground)
    ok(ground.ennio("config", "check"))
    assert ground.ennio("doctor").code in (0, 1)
    ok(ground.ennio("start", "--detach"))
    name = spawn(ground, "-p", "Write down what you know")
    until(ground, name, "pr_open", "ci_passing", "review_pending")
    assert name in ok(ground.ennio("status")).out
    pulls = ok(ground.ennio("pr", "list", "--json")).document
    assert [pull["number"] for pull in pulls] == [1]
    ok(ground.ennio("pr", "approve", name))
    ok(ground.ennio("pr", "merge", name))
    until(ground, name, "merged")
    hub = Path(made["hub"] or ground.hub)
    assert ground.git("show", f"main:{name}.md", cwd=hub).startswith(f"# {name}")
    assert ground.git("branch", "--format=%(refname:short)", cwd=hub).split() == ["main"]
    assert (ground.git("rev-parse", "HEAD"), ground.git("branch", "--show-current")) == (
        before,
        "main",
    )
    assert ground.git("status", "--porcelain") in ("", "?? ennio.yaml")
    ok(ground.ennio("cleanup"))
    until(ground, name, "done")
    assert ground.worktrees() == []
    assert ground.terminals() == []


@pytest.mark.parametrize("remote", [False, True], ids=["a hub of ours", "a bare remote"])
def test_an_agents_push_to_the_base_is_refused_by_our_hub_and_noticed_elsewhere(
    ground: Ground, remote: bool
) -> None:
    if remote:
        ground.git("clone", "--quiet", "--bare", ".", str(ground.hub))
        ground.git("remote", "add", "origin", str(ground.hub))
    hub = Path(ok(ground.ennio("init", "--json")).document["hub"] or ground.hub)
    scripted(ground)
    ok(ground.ennio("start", "--detach"))
    name = spawn(ground, "-p", "Write down what you know")
    until(ground, name, "pr_open", "ci_passing", "review_pending")
    place = Path(shown(ground, name)["workspace_path"])
    before = ground.git("rev-parse", "main", cwd=hub)
    ground.git("commit", "--quiet", "--allow-empty", "-m", "past every review", cwd=place)
    commit = ground.git("rev-parse", "HEAD", cwd=place)
    words = ["git", "push", "--quiet", str(hub), "HEAD:main"]
    env = ground.env | {"ENNIO_SESSION_ID": name}
    done = subprocess.run(
        words, cwd=place, env=env, capture_output=True, text=True, timeout=60, check=False
    )
    after = ground.git("rev-parse", "main", cwd=hub)
    if remote:
        assert (done.returncode, after) == (0, commit)
        found = eventually(
            lambda: [e for e in events(ground, name) if e["event_type"] == "base_pushed"],
            30,
            "it is noticed",
        )
        assert [event["data"] for event in found] == [{"commit": commit}]  # type: ignore[attr-defined]
        assert "is merged by a push" in until(ground, name, "merged")["reason"]
    else:
        assert (done.returncode != 0, after) == (True, before)
        assert f"main is protected: session {name} may not push to it" in done.stderr
        assert [e for e in events(ground, name) if e["event_type"] == "base_pushed"] == []


def events(ground: Ground, session_id: str) -> list[dict[str, Any]]:
    """The events of a session, as ``ennio events`` tells them."""
    found: list[dict[str, Any]] = ok(
        ground.ennio("events", "--session", session_id, "-n", "500", "--json")
    ).document
    return found


def test_a_dry_run_shows_everything_and_does_nothing(ground: Ground) -> None:
    ok(ground.ennio("init"))
    scripted(ground)
    ok(ground.ennio("start", "--detach"))
    shown = ok(ground.ennio("spawn", "score", "-p", "Think", "--dry-run", "--json")).document
    assert shown["agent"] == "scripted"
    assert "Think" in shown["prompt"]
    assert ok(ground.ennio("status", "--json")).document == {
        "sessions": [],
        "queue": [],
        "config_problem": None,
        "config_edited": False,
        "database_problem": None,
        "no_signal": {},
        "degraded": [],
        "nats": None,
    }
    assert ground.rows("select * from events") == []
    assert (ground.worktrees(), ground.terminals(), ground.agents()) == ([], [], {})
    assert not (ground.home / "sessions" / shown["session_id"]).exists()


def test_an_issue_file_is_a_task(ground: Ground) -> None:
    (ground.clone / "issues").mkdir()
    (ground.clone / "issues" / "7-say-hello.md").write_text("# Say hello\n\nTo everybody.\n")
    repository_hub(ground)
    configure(ground, project(ground, tracker_config={"plugin": "local"}))
    ok(ground.ennio("start", "--detach"))
    name = spawn(ground, "-i", "7")
    session = until(ground, name, "pr_open", "ci_passing", "review_pending")
    assert session["branch"] == "issue-7-say-hello"
    assert any("To everybody." in text for text in ground.taken(name))
    assert ground.ennio("spawn", "score", "-i", "8", "--wait").code == 1
    for other in ok(ground.ennio("session", "list", "--json")).document:
        ground.ennio("session", "kill", other["id"])
    ok(ground.ennio("cleanup", "--force"))


def repository_hub(ground: Ground) -> None:
    ground.git("clone", "--quiet", "--bare", ".", str(ground.hub))
    ground.git("remote", "add", "origin", str(ground.hub))
    ground.git("fetch", "--quiet", "origin")


# --- stopping and starting ------------------------------------------------------------------------


@pytest.mark.parametrize("runtime", ["tmux", "process"])
def test_incident_01_09_stopping_keeps_agents_running_and_starting_adopts_them(
    tmp_path: Path, runtime: str
) -> None:
    with supervised(tmp_path, lambda g: project(g, runtime=runtime, agent_config=EDITS)) as house:
        name = house.spawn()
        house.becomes(name, "working")
        draft = house.ground.home / "worktrees" / "score" / name / "draft.txt"
        eventually(draft.exists)
        agents = house.ground.agents()[name]
        stopped = ok(house.ground.ennio("stop", "--json")).document
        assert stopped["agents"] == 1
        assert house.process is not None
        assert house.process.wait(20) == 0
        assert set(agents) <= set(house.ground.agents()[name])
        assert draft.read_text() == "two hundred lines\n"
        with pytest.raises(NoSupervisor):
            house.client.get("/health")
        house.start()
        assert house.becomes(name, "working")["no_signal_since"] is None
        eventually(lambda: house.session(name)["activity"] == "active", why="it is seen again")
        assert set(agents) <= set(house.ground.agents()[name])
        assert [entry["type"] for entry in house.ground.transcript(name)].count("ready") == 1


def test_a_second_start_is_refused_and_names_the_holder(tmp_path: Path) -> None:
    with supervised(tmp_path) as house:
        for words in (("start",), ("start", "--detach")):
            done = house.ground.ennio(*words)
            assert done.code != 0
            assert str(house.arbiter()) in done.err
        assert house.client.get("/health") == "ok"


def test_two_configurations_on_one_database_are_refused_too(tmp_path: Path) -> None:
    with supervised(tmp_path) as house:
        other = tmp_path / "other.yaml"
        document = yaml.safe_load(house.ground.config.read_text())
        other.write_text(
            yaml.safe_dump(
                document
                | {
                    "port": free_port(),
                    "database_url": f"sqlite:///{house.ground.clone / 'ennio.db'}",
                }
            )
        )
        done = house.ground.ennio("start", "--detach", "--config", str(other), timeout=100)
        assert done.code != 0
        assert "another supervisor works on" in done.err
        assert str(house.arbiter()) in done.err
        eventually(
            lambda: _supervising(house) == {house.arbiter(), *house.workers()},
            why="the second one is gone",
        )


def _supervising(house: Supervised) -> set[int]:
    return {pid for pid in house.ground.processes() if "ennio.supervise" in _line(pid)}


def _line(pid: int) -> str:
    try:
        return " ".join(psutil.Process(pid).cmdline())
    except psutil.Error:
        return ""


def test_incident_51_a_killed_arbiter_leaves_no_web_server(tmp_path: Path) -> None:
    with supervised(tmp_path, lambda g: project(g, agent_config=HANG)) as house:
        name = house.spawn()
        house.becomes(name, "working")
        url = house.client.url
        house.kill_arbiter()
        house.start()
        assert house.client.url == url
        eventually(lambda: len(house.workers()) == 1, 30, "the new supervisor has its worker")
        eventually(
            lambda: _supervising(house) == {house.arbiter(), *house.workers()},
            why="nothing of the old one is left",
        )
        house.answers()
        house.becomes(name, "working")


def test_incident_04_a_start_after_a_kill_at_any_moment_of_the_first_start_works(
    tmp_path: Path,
) -> None:
    with ground_at(tmp_path) as ground:
        repository(ground)
        configure(ground)
        house = Supervised(ground)
        for _ in range(6):
            house.begin()
            eventually(house.workers, 30, "the first worker begins")
            house.kill_everything()
        house.start()
        assert house.sessions() == {}
        house.stop()
        nothing_is_left(ground)


# --- work is not lost -----------------------------------------------------------------------------


def test_incident_02_cleanup_never_touches_a_live_session_and_its_dry_run_says_what_it_does(
    tmp_path: Path,
) -> None:
    with supervised(tmp_path, lambda g: project(g, agent_config=EDITS)) as house:
        live, dead = house.spawn(), house.spawn()
        for name in (live, dead):
            house.becomes(name, "working")
            eventually((house.ground.home / "worktrees" / "score" / name / "draft.txt").exists)
        ok(house.ground.ennio("session", "kill", dead))
        dry = {
            item["session_id"]: item
            for item in ok(house.ground.ennio("cleanup", "--dry-run", "--force", "--json")).document
        }
        assert (dry[live]["action"], dry[dead]["action"]) == ("kept", "would remove")
        assert house.ground.worktrees() == sorted([live, dead])
        ok(house.ground.ennio("cleanup", "--force"))
        eventually(lambda: house.ground.worktrees() == [live])
        assert house.session(live)["status"] == "working"
        kept = house.ground.git("for-each-ref", "--format=%(refname)", "refs/ennio/preserved")
        assert f"refs/ennio/preserved/{dead}" in kept
        assert house.ground.git("show", f"{kept.splitlines()[0]}:draft.txt") == "two hundred lines"


def test_incident_03_restore_goes_on_in_the_workspace_with_its_uncommitted_lines(
    tmp_path: Path,
) -> None:
    with supervised(tmp_path, lambda g: project(g, agent_config=CRASHES)) as house:
        name = house.spawn()
        reason = house.becomes(name, "exited")["reason"]
        assert "exit code 3" in reason
        draft = house.ground.home / "worktrees" / "score" / name / "draft.txt"
        draft.write_text("two hundred lines, and one by hand\n")
        ok(house.ground.ennio("session", "restore", name))
        house.becomes(name, "working")
        assert draft.read_text() == "two hundred lines, and one by hand\n"
        assert house.ground.ennio("session", "restore", name).code == 1
        ok(house.ground.ennio("session", "kill", name))
        assert draft.exists()
        assert house.ground.ennio("session", "restore", name).code == 1


def test_a_restored_session_waits_for_room_in_the_queue_and_says_what_for(tmp_path: Path) -> None:
    with supervised(tmp_path, lambda g: project(g, agent_config=HANG, max_sessions=1)) as house:
        first = house.spawn()
        house.becomes(first, "working")
        house.ground.tmux("kill-server")
        house.becomes(first, "exited")
        second = house.spawn()
        house.becomes(second, "working")
        told = ok(house.ground.ennio("session", "restore", first)).out
        assert (
            f"{first} waits in the queue, position 1: project score has 1 of 1 sessions "
            "(max_sessions)" in told
        )
        assert first in ok(house.ground.ennio("queue", "list")).out
        assert house.session(first)["queued"]["position"] == 1
        ok(house.ground.ennio("session", "kill", second))
        house.becomes(first, "working")


def test_incident_05_a_spawn_whose_supervisor_is_killed_half_way_is_seen_and_finished(
    tmp_path: Path,
) -> None:
    with supervised(
        tmp_path, lambda g: project(g, agent_config=HANG, post_create=["sleep 1"])
    ) as house:
        name = house.spawn()
        eventually(lambda: house.ground.worktrees() == [name])
        house.kill_everything()
        asking = subprocess.Popen(
            house.ground.command("spawn", "score", "-p", "x", "--wait"),
            cwd=house.ground.clone,
            env=house.ground.env,
        )
        house.start()
        asking.send_signal(signal.SIGKILL)
        asking.wait(30)
        house.becomes(name, "working")
        assert [entry["type"] for entry in house.ground.transcript(name)].count("ready") == 1
        assert set(house.ground.terminals()) <= set(house.sessions())


def test_incident_06_parallel_merges_all_land(tmp_path: Path) -> None:
    with supervised(tmp_path) as house:
        names = [house.spawn(f"Task {number}") for number in range(6)]
        for name in names:
            house.becomes(name, "pr_open", "ci_passing", "review_pending", within=40)
        ground = house.ground
        commands = [ground.command("pr", "merge", name) for name in names]
        merging = [
            subprocess.Popen(command, cwd=ground.clone, env=ground.env, stdout=subprocess.DEVNULL)
            for command in commands
        ]
        assert [process.wait(60) for process in merging] == [0] * len(names)
        for name in names:
            house.becomes(name, "merged")
            assert house.ground.main(f"{name}.md").startswith(f"# {name}")
        assert house.ground.git("rev-list", "--count", "main", cwd=house.ground.hub) == str(
            1 + len(names)
        )


def test_incident_07_08_a_merged_workspace_is_reaped_though_its_agent_still_runs(
    tmp_path: Path,
) -> None:
    with supervised(tmp_path, cleanup={"merged_after": "1s"}) as house:
        name = house.spawn()
        house.becomes(name, "pr_open", "ci_passing", "review_pending")
        ok(house.ground.ennio("pr", "merge", name))
        house.becomes(name, "done")
        assert house.ground.worktrees() == []
        assert house.ground.terminals() == []
        assert house.ground.agents() == {}


# --- the queue ------------------------------------------------------------------------------------


def test_the_queue_is_held_moved_dropped_and_ordered_by_a_person(tmp_path: Path) -> None:
    with supervised(tmp_path, lambda g: project(g, agent_config=HANG, max_sessions=1)) as house:
        ground = house.ground
        first = spawn(ground, "-p", "first", "--wait")
        second, third, fourth, fifth = (
            spawn(ground, "-p", word) for word in ("second", "third", "fourth", "fifth")
        )

        def order() -> list[str]:
            return [
                entry["session_id"]
                for entry in ok(ground.ennio("queue", "list", "--json")).document
            ]

        assert order() == [second, third, fourth, fifth]
        ok(ground.ennio("queue", "move", fourth, "1"))
        assert order() == [fourth, second, third, fifth]
        ok(ground.ennio("queue", "priority", fifth, "10"))
        assert order() == [fifth, fourth, second, third]
        ok(ground.ennio("queue", "hold", fifth))
        ok(ground.ennio("queue", "drop", fourth))
        assert house.session(fourth)["status"] == "killed"
        ok(ground.ennio("session", "kill", first))
        house.becomes(second, "working")
        assert house.session(fifth)["status"] == "spawning"
        ok(ground.ennio("queue", "release", fifth))
        ok(ground.ennio("session", "kill", second))
        house.becomes(fifth, "working")
        assert order() == [third]
        assert ground.ennio("queue", "hold", first).code == 1
        house.kill_everything()
        house.start()
        assert order() == [third]
        assert set(ground.agents()) == {fifth}


def test_the_terminal_of_a_killed_session_is_told_to_be_closed_in_words_of_ours(
    tmp_path: Path,
) -> None:
    with supervised(tmp_path, lambda g: project(g, agent_config=HANG)) as house:
        name = house.spawn()
        house.becomes(name, "working")
        begin = name[: name.index("-") + 5]
        shown = house.ground.ennio("open", begin, "--print")
        assert (shown.code, f"={name}" in shown.out) == (0, True), shown
        assert house.ground.ennio("session", "kill", begin).code == 0
        house.becomes(name, "killed")
        for words in (["open", name], ["open", name, "--print"]):
            told = house.ground.ennio(*words)
            assert told.code == 3, told
            assert f"session {name} has no terminal" in told.err
