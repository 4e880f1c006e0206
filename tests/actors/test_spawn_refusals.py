"""Whoever asks what a spawn would do is told what the spawn would be refused for: the same words,
and the same exit code.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import Any, cast

import gevent
import pytest

from ennio.actors import spawning
from ennio.actors.spawning import SpawnRequest
from ennio.config.model import AgentConfig, AuthType, PluginChoice, SshAuth, SshConfig
from ennio.config.money import Budget, BudgetScope
from ennio.hosts.brief import Brief
from ennio.hosts.interface import Host
from ennio.hosts.on_demand import HostOnDemand, OpenHost
from ennio.hosts.session_results import CommandPreview
from ennio.model.errors import EnnioError, Invalid, NotFound, OverBudget, Refused, Unreachable
from ennio.plugins.registry import Registry
from ennio.plugins.tracker.interface import Issue
from ennio.plugins.tracker.stub import StubTracker
from tests.actors.ground import Play, Stage, project
from tests.actors.stubs import Shelf

LONG = "x" * 200_000
OWN_ID = re.compile(r"\bp-[0-9a-f]{8}\b")
"""Each asks about a session of its own."""

Told = tuple[type[EnnioError], int, str]


@dataclass(frozen=True)
class Refusal:
    """What is asked for, of which project, and what is said of it."""

    kind: type[EnnioError]
    words: str
    request: Mapping[str, Any] = field(default_factory=dict)
    project: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    rivals: int = 0
    environ: Mapping[str, str] = field(default_factory=dict)


def _command(*argv: str) -> dict[str, Any]:
    return {"agent": "command", "agent_config": AgentConfig(passthrough={"argv": [*argv]})}


def _budget(scope: BudgetScope, limit: str) -> dict[str, Any]:
    return {"budgets": (Budget(scope, Decimal(limit)),)}


REFUSALS = {
    "no such project": Refusal(NotFound, "no project 'nobody'", {"project_id": "nobody"}),
    "nothing to do": Refusal(Invalid, "^prompt: give a prompt", {"prompt": " \n"}),
    "no tracker": Refusal(Invalid, "^issue_id: .* no tracker_config", {"issue_id": "7"}),
    "no branch name": Refusal(Invalid, "^branch: .*git accepts", {"branch": "a..b"}),
    "the default branch": Refusal(Refused, "^branch: main is the default", {"branch": "main"}),
    "a branch of elsewhere": Refusal(Invalid, "write x$", {"branch": "refs/heads/x"}),
    "a protected branch": Refusal(
        Refused, "protected_branches: v", {"branch": "v1"}, {"protected_branches": ("v*",)}
    ),
    "a name that is protected": Refusal(
        Refused, "protected_branches: p-", {}, {"protected_branches": ("p-*",)}
    ),
    "a branch that is taken": Refusal(
        Refused, "taken belongs to session", {"branch": "taken"}, rivals=1
    ),
    "a branch in other letters": Refusal(
        Refused, "differ in letter case alone", {"branch": "Taken"}, rivals=1
    ),
    "a folder of the default branch": Refusal(
        Refused, "^branch: main/x cannot be made while there is a branch main", {"branch": "main/x"}
    ),
    "a folder of a branch that is taken": Refusal(
        Refused,
        r"^branch: taken/x cannot be made .* branch taken of session p-",
        {"branch": "taken/x"},
        rivals=1,
    ),
    "no such agent": Refusal(Invalid, "^agent: .*'nobody'", {"agent": "nobody"}),
    "no such runtime": Refusal(Invalid, "^runtime: .*'nobody'", {"runtime": "nobody"}),
    "no such workspace": Refusal(Invalid, "^workspace: .*'nobody'", {"workspace": "nobody"}),
    "no other machine": Refusal(Invalid, "^runtime: ssh needs ssh_config", {"runtime": "ssh"}),
    "an agent without settings": Refusal(Invalid, "^agent: .*argv", {"agent": "command"}),
    "half a character": Refusal(Invalid, "^prompt: half a character", {"prompt": "a\ud800"}),
    "a prompt with a NUL": Refusal(Invalid, "^prompt: holds a NUL", {"prompt": "a\0b"}),
    "a prompt that is too long": Refusal(
        Invalid, "the prompt is too long", {"prompt": LONG}, _command("cat", "{prompt}")
    ),
    "no such program": Refusal(
        Refused, "^no-such-agent is not installed", {}, _command("no-such-agent", "{prompt}")
    ),
    "no program in its place": Refusal(
        Refused, "^/no/such/agent is not installed", {}, _command("/no/such/agent")
    ),
    "a path that is gone": Refusal(
        Refused,
        "path /no/such/score does not exist: git clone stub /no/such/score$",
        {"workspace": "worktree"},
        {"path": Path("/no/such/score")},
    ),
    "a path that is no repository": Refusal(
        Refused,
        "path / is not the top of a git repository .*: set it to a clone of stub$",
        {"workspace": "worktree"},
        {"path": Path("/")},
    ),
    "no tmux": Refusal(
        Refused,
        "^tmux is not installed; install it, or set `runtime: process`",
        {"runtime": "tmux"},
        environ={"PATH": ""},
    ),
    "a budget of nothing": Refusal(
        OverBudget, "global:total is used up", config=_budget(BudgetScope.GLOBAL, "0")
    ),
    "a budget of nothing for each": Refusal(
        OverBudget,
        "session:each:total is used up: .* limit_usd in .*ennio.yaml, then: ennio reload$",
        config=_budget(BudgetScope.SESSION, "0"),
    ),
    "a budget without room": Refusal(
        OverBudget,
        "no room for another",
        config=_budget(BudgetScope.GLOBAL, "1"),
        rivals=10,
    ),
}


@pytest.fixture(autouse=True)
def _only_the_stubs_are_stubs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that is no stub's is looked up among the real plugins."""
    for slot in ("agent", "runtime", "workspace"):
        monkeypatch.setattr(Shelf, slot, _stub_or_real(getattr(Shelf, slot), slot))


def _stub_or_real(stub: Callable[..., Any], slot: str) -> Callable[..., Any]:
    real = getattr(Registry, slot)
    return lambda shelf, name, *more: (stub if name == "stub" else real)(shelf, name, *more)


def _asked(stage: Stage, request: Mapping[str, Any], *, dry: bool) -> Told | None:
    """What is said against it, None where it is accepted."""
    sessions = stage.orchestrator.sessions
    order = SpawnRequest(**({"project_id": "play", "prompt": "Do it"} | request))
    try:
        (sessions.preview if dry else sessions.spawn)(order)
    except EnnioError as error:
        return type(error), error.exit_code, OWN_ID.sub("p-ID", str(error))
    return None


def _made(stage: Stage) -> tuple[int, int, int]:
    store = stage.deps.store
    return len(store.sessions.list()), len(store.queue.list()), len(store.events.after(0))


@pytest.mark.parametrize("name", REFUSALS)
def test_a_dry_run_is_refused_as_the_spawn_is_and_neither_makes_anything(
    play: Play, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal = REFUSALS[name]
    for variable, value in refusal.environ.items():
        monkeypatch.setenv(variable, value)
    play.settings |= {"project": dict(refusal.project), **refusal.config}
    with play.opened() as stage:
        for number in range(refusal.rivals):
            stage.spawn(branch="taken" if number == 0 else None, held=True)
        before = _made(stage)
        spawned = _asked(stage, refusal.request, dry=False)
        assert spawned is not None
        assert spawned[:2] == (refusal.kind, refusal.kind.exit_code)
        assert re.search(refusal.words, spawned[2]), spawned[2]
        assert _asked(stage, refusal.request, dry=True) == spawned
        assert _made(stage) == before


CHOICES: Mapping[str, tuple[Any, ...]] = {
    "project_id": ("play", "nobody"),
    "prompt": (None, "Do it", "a\0b", LONG),
    "issue_id": (None, "7"),
    "branch": (None, "main", "taken", "Taken", "a..b", "fine"),
    "agent": (None, "nobody", "stub"),
    "runtime": (None, "ssh"),
}


def _requests() -> Iterator[dict[str, Any]]:
    for chosen in product(*CHOICES.values()):
        given = zip(CHOICES, chosen, strict=True)
        yield {name: value for name, value in given if value is not None} | {"held": True}


def test_whatever_is_asked_for_a_dry_run_and_the_spawn_after_it_agree(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracker = StubTracker([Issue("7", "Tidy up", "")])
    monkeypatch.setattr(Shelf, "tracker", lambda _shelf, _project: tracker)
    play.settings["project"] = _command("cat", "{prompt}") | {"tracker": PluginChoice("stub")}
    with play.opened() as stage:
        stage.spawn(branch="taken", held=True)
        accepted = 0
        for request in _requests():
            foreseen = _asked(stage, {"prompt": None} | request, dry=True)
            assert _asked(stage, {"prompt": None} | request, dry=False) == foreseen, request
            accepted += foreseen is None
        assert accepted > 5


@pytest.mark.parametrize("branch", ["feat/same", "Feat/Same", "feat", "feat/same/x"])
@pytest.mark.parametrize("shared", ["path", "repo"])
def test_a_branch_of_another_project_of_the_same_repository_is_taken_as_well(
    play: Play, branch: str, shared: str
) -> None:
    own = {"path": play.root, "repo": "git@there.test:o/r.git"}
    other = project(**own | {"id": "other", "name": "other", "path": play.root / "other"})
    if shared == "path":
        other = replace(other, path=play.root, repo="stub")
    else:
        other = replace(other, repo="https://there.test/o/r")
    apart = replace(other, id="apart", path=play.root / "apart", repo="another")
    play.settings["projects"] = (project(**own), other, apart)
    with play.opened() as stage:
        held = stage.spawn(branch="feat/same", held=True)
        told = _asked(stage, {"project_id": "other", "branch": branch}, dry=False)
        assert told is not None
        assert told[0] is Refused
        assert "session p-ID" in told[2]
        assert held in stage.deps.store.sessions.branches_held("play")
        request = {"project_id": "apart", "branch": branch, "held": True}
        assert _asked(stage, request, dry=False) is None


def test_what_a_working_copy_may_bring_is_not_known_to_be_missing(play: Play) -> None:
    play.settings["project"] = _command("./agent", "{prompt}")
    with play.opened() as stage:
        assert _asked(stage, {"held": True}, dry=False) is None
    play.settings["project"] = _command("no-such-agent") | {"post_create": ("make agent",)}
    with play.opened() as stage:
        assert _asked(stage, {"held": True}, dry=False) is None


def test_what_cannot_be_seen_keeps_no_session_from_being_asked_for(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unseen(*_: object) -> None:
        raise Unreachable("the disk does not answer")

    monkeypatch.setattr(stage.deps.this_machine, "judge", unseen)
    assert _asked(stage, {"held": True}, dry=False) is None


class _Elsewhere(HostOnDemand):
    """Another machine, which says what it lacks in its own way."""

    def __init__(self, name: str, near: Host, judge: Callable[[], None]) -> None:
        super().__init__(name, lambda: cast("OpenHost", near), near)
        self._judge = judge

    def judge(self, brief: Brief, prompt: str, system: str) -> None:
        """See ``Host``."""
        del brief, prompt, system
        self._judge()


class _Away(_Elsewhere):
    """The same of one that shows nothing either."""

    def preview(self, brief: Brief, prompt: str, system: str) -> CommandPreview:
        """See ``Host``."""
        self.judge(brief, prompt, system)
        raise AssertionError


def _lacks_tmux() -> None:
    raise Refused("tmux is not installed on me@there; install it there")


def _is_away() -> None:
    raise Unreachable("me@there does not answer")


def _says_nothing() -> None:
    gevent.sleep(600)


FAR: Mapping[str, tuple[Callable[[], None], bool]] = {
    "lacks something": (_lacks_tmux, True),
    "is away": (_is_away, False),
    "says nothing": (_says_nothing, False),
}


@pytest.mark.parametrize("how", FAR)
def test_another_machine_is_asked_beforehand_and_not_waited_for(
    play: Play, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr(spawning, "JUDGED_WITHIN", 0.2)
    judge, refuses = FAR[how]
    ssh = SshConfig(host="there", username="me", auth=SshAuth(AuthType.AGENT))
    play.settings["project"] = {"ssh": ssh}
    with play.opened() as stage:
        known = cast("dict[str, Host]", stage.deps.other_machines)
        known["me@there"] = _Elsewhere("me@there", stage.deps.this_machine, judge)
        told, before = _asked(stage, {"held": True}, dry=False), _made(stage)[0]
        if refuses:
            assert told == (Refused, 5, "tmux is not installed on me@there; install it there")
        else:
            assert told is None, "it tells what it lacks when its turn comes"
        assert before == (0 if refuses else 1)


@pytest.mark.parametrize("how", FAR)
def test_a_dry_run_tells_what_would_be_done_by_a_machine_that_cannot_be_seen(
    play: Play, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr(spawning, "JUDGED_WITHIN", 0.2)
    monkeypatch.setattr(spawning, "SHOWN_WITHIN", 0.2)
    judge, refuses = FAR[how]
    ssh = SshConfig(host="there", username="me", auth=SshAuth(AuthType.AGENT))
    play.settings["project"] = {"ssh": ssh}
    with play.opened() as stage:
        known = cast("dict[str, Host]", stage.deps.other_machines)
        known["me@there"] = _Away("me@there", stage.deps.this_machine, judge)
        if refuses:
            assert _asked(stage, {}, dry=True) == _asked(stage, {}, dry=False)
            return
        shown = stage.orchestrator.sessions.preview(
            SpawnRequest("play", prompt="Do it", branch="b")
        )
        assert (shown.branch, shown.command, shown.workspace) == ("b", (), "")
        said = "me@there (does not answer|has not answered within 0.2 s)$"
        assert re.match(said, shown.unseen or ""), shown
        assert _made(stage) == (0, 0, 0)
        assert _asked(stage, {"held": True}, dry=False) is None


def test_a_branch_that_an_issue_names_is_refused_beforehand_in_the_same_way(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracker = StubTracker([Issue("7", "Tidy up", "", branch="taken")])
    monkeypatch.setattr(Shelf, "tracker", lambda _shelf, _project: tracker)
    play.settings["project"] = {"tracker": PluginChoice("stub")}
    with play.opened() as stage:
        stage.spawn(branch="taken", held=True)
        foreseen = _asked(stage, {"prompt": None, "issue_id": "7"}, dry=True)
        assert foreseen == _asked(stage, {"branch": "taken"}, dry=False)
