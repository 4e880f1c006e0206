"""Whoever asks what a spawn would do is told what the spawn would be refused for: the same words,
and the same exit code.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import product
from typing import Any

import pytest

from ennio.actors.spawning import SpawnRequest
from ennio.config.model import AgentConfig, PluginChoice
from ennio.config.money import Budget, BudgetScope
from ennio.model.errors import EnnioError, Invalid, NotFound, OverBudget, Refused, Unreachable
from ennio.plugins.registry import Registry
from ennio.plugins.tracker.interface import Issue
from ennio.plugins.tracker.stub import StubTracker
from tests.actors.ground import Play, Stage
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
    "a budget of nothing": Refusal(
        OverBudget, "global:total is used up", config=_budget(BudgetScope.GLOBAL, "0")
    ),
    "a budget of nothing for each": Refusal(
        OverBudget, "is used up", config=_budget(BudgetScope.SESSION, "0")
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
    play: Play, name: str
) -> None:
    refusal = REFUSALS[name]
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
