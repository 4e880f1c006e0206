"""The conflict radar over real repositories: what it finds, how often git is asked for that, and
what is left unknown.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pykka
import pytest

from ennio.actors import conflict_radar, project_radar
from ennio.actors.conflict_radar import ConflictRadar, RadarState
from ennio.actors.dependencies import Dependencies
from ennio.actors.messages import GetHealth, GetRadarState
from ennio.actors.orchestrator.conflicts import ConflictApi
from ennio.actors.project_radar import ProjectRadar
from ennio.actors.registry import CONFLICTS, ActorRegistry
from ennio.config.model import Config
from ennio.hosts import branches
from ennio.hosts.plugin_host import PluginHost
from ennio.machine import commands
from ennio.machine.home import Home
from ennio.machine.interface import Command, CompletedCommand
from ennio.model.clock import ManualClock
from ennio.model.errors import Refused, TimedOut
from ennio.model.session import Session, SessionStatus
from ennio.plugins.registry import Registry
from tests import made_database
from tests.actors.ground import project
from tests.conftest import eventually, need

_AS = ("-c", "user.name=a", "-c", "user.email=a@example.org")


def _git(*words: str, cwd: Path) -> str:
    done = subprocess.run(
        ("git", *_AS, *words), cwd=cwd, check=True, capture_output=True, text=True, timeout=30
    )
    return done.stdout.strip()


@dataclass
class Field:
    """A repository, sessions with branches of it, and who watches them; ``asked`` are the commands
    of git that were run for that.
    """

    root: Path
    kind: str
    deps: Dependencies
    asked: list[str] = field(default_factory=list)
    living: dict[str, Session] = field(default_factory=dict)

    def session(self, name: str, **files: str) -> None:
        path = self.root / "copies" / name
        if self.kind == "worktree":
            _git("worktree", "add", "-q", "-b", name, str(path), "main", cwd=self.root / "score")
        else:
            _git("clone", "-q", str(self.root / "score"), str(path), cwd=self.root)
            _git("checkout", "-q", "-b", name, cwd=path)
        now = self.deps.clock.now()
        self.living[name] = Session(
            *(name, "play", SessionStatus.WORKING, now, now, "beef"),
            branch=name,
            base="main",
            workspace_path=str(path),
            workspace_name=self.kind,
        )
        self.deps.store.sessions.insert(self.living[name])
        self.commit(name, **files)

    def commit(self, name: str, **files: str) -> None:
        for file, text in files.items():
            (self.root / "copies" / name / file).write_text(text)
        if files:
            _git("add", ".", cwd=self.root / "copies" / name)
            _git("commit", "-qm", "change", cwd=self.root / "copies" / name)

    def radar(self) -> ProjectRadar:
        return ProjectRadar(self.deps, self.deps.config.projects[0], self.deps.this_machine)

    def end(self, name: str) -> None:
        ended = replace(self.living.pop(name), status=SessionStatus.KILLED)
        self.deps.store.sessions.save(ended)

    def expected(self) -> dict[tuple[str, str], tuple[str, ...]]:
        return {(one.one, one.other): one.paths for one in self.deps.store.conflicts.list()}

    def told(self, name: str, about: str = "conflict") -> list[str]:
        events = self.deps.store.events.list_by_session(name, limit=100)
        return [str(one.event_type) for one in events if one.event_type.startswith(about)]

    def changed(self, name: str) -> tuple[int, int, int] | None:
        found = self.deps.store.branch_diffs.get(name)
        return None if found is None else (found.added, found.removed, found.files)


@contextmanager
def opened(root: Path, kind: str) -> Iterator[Field]:
    need("git")
    score = root / "score"
    if not score.exists():
        _git("init", "-q", "-b", "main", str(score), cwd=root)
        (score / "a").write_text("1\n2\n3\n")
        (score / "b").write_text("1\n2\n3\n")
        _git("add", ".", cwd=score)
        _git("commit", "-qm", "begin", cwd=score)
    clock, home = ManualClock(), Home(root / "home")
    one = project(score, repo=str(score), default_branch="main")
    config = Config(source=root / "ennio.yaml", directory=root, projects=(one,))
    store = made_database.opened(root, clock)
    plugins = Registry(home, clock, store.forge, root, "score")
    host = PluginHost(plugins, home, clock)
    deps = Dependencies(config, home, clock, store, plugins, ActorRegistry(), host)
    found = Field(root, kind, deps)
    found.living = {one.id: one for one in store.sessions.list() if not one.status.terminal}
    try:
        yield found
    finally:
        host.close()
        plugins.close()
        store.close()


def _counted(monkeypatch: pytest.MonkeyPatch, field_: Field) -> None:
    run = commands.run

    def counting(command: Command) -> CompletedCommand:
        field_.asked += [word for word in command.argv if word in ("diff-tree", "merge-tree")]
        return run(command)

    monkeypatch.setattr(commands, "run", counting)


@pytest.fixture(params=["worktree", "clone"])
def land(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Field]:
    with opened(tmp_path, request.param) as found:
        _counted(monkeypatch, found)
        yield found


def test_who_changes_the_same_lines_is_expected_to_conflict_and_nobody_else(land: Field) -> None:
    land.session("s1", a="one\n2\n3\n")
    land.session("s2", a="two\n2\n3\n")
    land.session("s3", a="1\n2\n3\n4\n", c="new\n")
    land.session("s4", b="one\n2\n3\n")
    land.session("s5")
    assert land.radar().look(land.living) is False
    assert land.expected() == {("s1", "s2"): ("a",)}
    assert land.told("s1") == land.told("s2") == ["conflict_expected"]
    assert land.told("s3") == []


def test_git_is_asked_about_new_heads_alone_and_not_at_all_at_rest(land: Field) -> None:
    for number in range(6):
        land.session(f"s{number}", a=f"n{number}\n2\n3\n")
    radar = land.radar()
    radar.look(land.living)
    assert sorted(land.asked) == ["diff-tree"] * 6 + ["merge-tree"], "15 pairs in one process"
    assert len(land.expected()) == 15
    land.asked.clear()
    written = land.deps.store._connection.sql("select total_changes()").fetchone()[0]
    for _ in range(20):
        assert radar.look(land.living) is False
    assert land.asked == []
    assert land.deps.store._connection.sql("select total_changes()").fetchone()[0] == written
    land.commit("s3", b="three\n")
    radar.look(land.living)
    assert sorted(land.asked) == ["diff-tree", "merge-tree"]
    assert land.told("s3") == ["conflict_expected"] * 5, "in no further paths"


def test_it_is_gone_with_the_lines_or_with_the_session_and_that_is_told_once(land: Field) -> None:
    land.session("s1", a="one\n2\n3\n")
    land.session("s2", a="two\n2\n3\n", c="x")
    land.session("s3", a="three\n2\n3\n", c="y")
    radar = land.radar()
    radar.look(land.living)
    land.commit("s2", a="1\n2\n3\n")
    radar.look(land.living)
    assert land.expected() == {("s1", "s3"): ("a",), ("s2", "s3"): ("c",)}
    assert land.told("s1") == ["conflict_expected", "conflict_expected", "conflict_gone"]
    land.end("s3")
    radar.look(land.living)
    radar.look(land.living)
    assert land.expected() == {}
    assert land.told("s1")[-2:] == ["conflict_gone", "conflict_gone"]
    assert "conflict_gone" not in land.told("s3")


def test_a_restart_forgets_nothing_and_tells_nothing_twice(land: Field) -> None:
    land.session("s1", a="one\n2\n3\n")
    land.session("s2", a="two\n2\n3\n")
    land.radar().look(land.living)
    land.asked.clear()
    land.radar().look(land.living)
    assert sorted(land.asked) == ["diff-tree", "diff-tree"], "the pair itself is known"
    assert land.told("s1") == ["conflict_expected"]
    land.end("s2")
    land.radar().look(land.living)
    assert land.told("s1") == ["conflict_expected", "conflict_gone"]


def test_a_look_takes_on_so_much_and_the_next_ones_the_rest(
    land: Field, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(project_radar, "MOST_BRANCHES", 2)
    monkeypatch.setattr(project_radar, "MOST_PAIRS", 2)
    for number in range(4):
        land.session(f"s{number}", a=f"n{number}\n2\n3\n")
    radar = land.radar()
    looks = 1
    while radar.look(land.living):
        looks += 1
        assert looks < 10
    assert len(land.expected()) == 6
    assert looks >= 3


def test_pairs_there_is_no_room_for_are_counted(
    land: Field, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(project_radar, "MOST_WAITING", 1)
    for number in range(3):
        land.session(f"s{number}", a=f"n{number}\n2\n3\n")
    radar = land.radar()
    radar.look(land.living)
    assert (len(land.expected()), radar.left_out) == (1, 2)


def test_what_takes_too_long_is_unknown_and_what_was_expected_holds_on(
    land: Field, monkeypatch: pytest.MonkeyPatch
) -> None:
    land.session("s1", a="one\n2\n3\n")
    land.session("s2", a="two\n2\n3\n")
    radar = land.radar()
    radar.look(land.living)

    def late(*_words: Any) -> Any:
        raise TimedOut("git merge-tree did not end within 20 s")

    monkeypatch.setattr(branches, "try_merges", late)
    land.commit("s1", a="1\n2\n3\n", b="x\n2\n3\n")
    land.commit("s2", b="y\n2\n3\n")
    assert radar.look(land.living) is False
    assert land.expected() == {("s1", "s2"): ("a",)}
    assert radar.problem == "s1 with s2: git merge-tree did not end within 20 s"


def test_a_branch_that_changes_more_than_is_counted_is_tried_with_everybody(
    land: Field, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(branches, "MOST_PATHS", 1)
    land.session("s1", a="one\n2\n3\n", b="one\n2\n3\n")
    land.session("s2", a="two\n2\n3\n")
    land.radar().look(land.living)
    assert land.expected() == {("s1", "s2"): ("a",)}


# --- how much each changes ------------------------------------------------------------------------


def test_how_much_a_branch_changes_is_counted_once_for_each_head_and_told(land: Field) -> None:
    land.session("s1", a="one\n2\n3\n", c="x\ny\n")
    radar = land.radar()
    radar.look(land.living)
    assert land.changed("s1") == (3, 1, 2)
    radar.look(land.living)
    land.radar().look(land.living)
    assert land.told("s1", "branch") == ["branch_changed"], "a restart tells nothing twice"
    (land.root / "copies" / "s1" / "picture").write_bytes(b"\0\1\2")
    land.commit("s1", b="1\n2\n")
    radar.look(land.living)
    assert land.changed("s1") == (3, 2, 4), "nobody counts lines of what is binary"
    last = land.deps.store.events.list_by_session("s1", limit=1)[0]
    assert last.message.endswith(": +3 -2 in 4 files")
    assert sorted(land.asked) == ["diff-tree"] * 3
    land.end("s1")
    radar.look(land.living)
    assert land.changed("s1") == (3, 2, 4), "it stays when the session has ended"


def test_of_a_branch_that_changes_nothing_nothing_is_kept_or_told(land: Field) -> None:
    land.session("s1")
    land.radar().look(land.living)
    assert (land.changed("s1"), land.told("s1", ""), land.asked) == (None, [], [])


def test_lines_that_cannot_be_counted_are_unknown_and_paths_are_compared_all_the_same(
    land: Field, monkeypatch: pytest.MonkeyPatch
) -> None:
    land.session("s1", a="one\n2\n3\n")
    radar = land.radar()
    radar.look(land.living)
    rows = branches._rows

    def partial(git: Any, how: tuple[str, ...], base: str, head: str) -> Any:
        if "--numstat" in how:
            raise Refused("fatal: unable to read the object of a file")
        return rows(git, how, base, head)

    monkeypatch.setattr(branches, "_rows", partial)
    land.commit("s1", b="one\n2\n3\n")
    land.session("s2", b="two\n2\n3\n")
    land.session("s3", c="x")
    radar.look(land.living)
    assert land.expected() == {("s1", "s2"): ("b",)}
    assert land.asked.count("merge-tree") == 1, "whose paths are known is not tried with everybody"
    assert land.changed("s1") is None, "what was counted was another head"


# --- the actor ------------------------------------------------------------------------------------


@contextmanager
def watching(land: Field, monkeypatch: pytest.MonkeyPatch) -> Iterator[pykka.ActorRef[Any]]:
    monkeypatch.setattr(conflict_radar, "FOLD", 0.05)
    monkeypatch.setattr(conflict_radar, "EVERY", 0.2)
    ref = ConflictRadar.start(land.deps, CONFLICTS, None)
    land.deps.actors.enter(CONFLICTS, ref)
    try:
        yield ref
    finally:
        ref.stop(timeout=30)


def test_it_looks_by_itself_and_says_how_far_it_has_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(tmp_path, "worktree") as land:
        land.session("s1", a="one\n2\n3\n")
        land.session("s2", a="two\n2\n3\n")
        with watching(land, monkeypatch) as ref:
            eventually(land.expected)
            assert ref.ask(GetRadarState()) == RadarState()
            report = ConflictApi(land.deps).report("play")
            assert [one.paths for one in report.conflicts] == [("a",)]
            assert (report.waiting, report.left_out, report.problems) == (0, 0, {})
            land.end("s1")
            eventually(lambda: not land.expected())
        assert ConflictApi(land.deps).report().waiting is None, "nobody is there to say"


def test_a_repository_that_cannot_be_asked_is_a_problem_and_no_reason_to_fall(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(tmp_path, "worktree") as land:
        land.session("s1", a="one\n2\n3\n")
        land.session("s2", a="two\n2\n3\n")
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
        with watching(land, monkeypatch) as ref:
            eventually(lambda: ref.ask(GetHealth()).looks > 1)
            health = ref.ask(GetHealth())
            assert not health.ok
            (tmp_path / "nowhere").mkdir()
            eventually(land.expected)
