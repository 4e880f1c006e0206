"""Answers that are JSON and yet no answer of GitHub's: whatever lies in them, they end in
values or in an error of ours.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from ennio.model import codec
from ennio.model.clock import ManualClock
from ennio.model.errors import EnnioError, Unreachable
from ennio.model.facts import ForgeSeen, Presence
from ennio.model.pulls import PullRequest, ReviewState
from ennio.plugins.forge import github as github_forge
from ennio.plugins.forge.github.forge import GitHubForge
from ennio.plugins.forge.interface import Watch
from ennio.plugins.quota import allowance
from ennio.plugins.tracker import github as tracker
from ennio.plugins.tracker.github import GitHubTracker
from ennio.plugins.tracker.interface import Issue, Milestone, MilestoneKind
from tests.github import published
from tests.github.conftest import context
from tests.github.standin.hub import Hub, Run
from tests.github.standin.server import Server

JUNK = (None, True, -1, 1.5, "", "words", [], {}, [None], {"nodes": None}, [[1]], {"a": {"b": []}})
SEEN = Milestone(MilestoneKind.MERGED, "s", "command", "fix", "https://github.example/1", 1)
SEEDS = 15
TWO = Watch("s", "fix", "main", 1), Watch("t", "other", "main", idle=True)
CALLS: dict[str, Callable[[GitHubForge, GitHubTracker, int, int], object]] = {
    "survey": lambda forge, _issues, _number, _issue: forge.survey(TWO),
    "look": lambda forge, _issues, number, _issue: forge.look(number),
    "pulls": lambda forge, _issues, _number, _issue: forge.pulls(),
    "files": lambda forge, _issues, number, _issue: forge.files(number),
    "diff": lambda forge, _issues, number, _issue: forge.diff(number),
    "open": lambda forge, _issues, _number, _issue: forge.open("other", "main", "T", ""),
    "merge": lambda forge, _issues, number, _issue: forge.merge(number, forge.look(number).head),
    "review": lambda forge, _issues, number, _issue: forge.review(
        number, "ada", ReviewState.NONE, "words"
    ),
    "check": lambda forge, _issues, _number, _issue: forge.check(),
    "issue": lambda _forge, issues, _number, issue: issues.issue(str(issue)),
    "issues": lambda _forge, issues, _number, _issue: issues.issues(),
    "tell": lambda _forge, issues, _number, issue: issues.tell(str(issue), SEEN),
}


def spoiled(body: Any, chance: random.Random) -> Any:
    """The same with one part of it gone or exchanged, somewhere."""
    if isinstance(body, dict) and body and chance.random() < 0.9:
        key = chance.choice(sorted(body))
        if chance.random() < 0.2:
            return {name: value for name, value in body.items() if name != key}
        return {**body, key: spoiled(body[key], chance)}
    if isinstance(body, list) and body and chance.random() < 0.9:
        place = chance.randrange(len(body))
        return [*body[:place], spoiled(body[place], chance), *body[place + 1 :]]
    return chance.choice(JUNK)


def kept(result: object) -> None:
    """Whatever is taken for true can be kept and read back."""
    if isinstance(result, Mapping):
        result = tuple(result.values())
    for one in result if isinstance(result, (list, tuple)) else (result,):
        if isinstance(one, (ForgeSeen, PullRequest, Issue)):
            codec.loads(type(one), codec.dumps(one))


@pytest.mark.parametrize("call", list(CALLS))
def test_a_spoiled_answer_is_an_error_of_ours_and_no_crash(
    call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    published.graphql_schema()
    published.openapi()
    with tempfile.TemporaryDirectory() as directory:
        hub, clock = Hub(Path(directory) / "hub", ManualClock()), ManualClock()
        server = Server(hub)
        head = hub.push("fix", {"a.txt": "1\n"})
        hub.push("other", {"b.txt": "1\n"})
        number, issue = hub.open("fix").number, hub.issue("Fix", "words", ["bug"])
        hub.log_of(hub.run(head, Run("test", conclusion="FAILURE")), "log")
        hub.thread(number, "ada", "words")
        hub.remark(number, "ada", "words")

        for seed in range(SEEDS):
            chance = random.Random(f"{call} {seed}")
            monkeypatch.setattr(
                allowance, "_ALLOWANCES", {}
            )  # what was spoiled before opens no breaker here
            forge = github_forge.build(context(Path(directory), clock, server, {}))
            settings = {
                "assign": ["octo"],
                "comment": True,
                "labels": {"merged": ["done"]},
                "close_on_merge": True,
            }
            issues = tracker.build(context(Path(directory), clock, server, settings))
            server.spoil = lambda body, chance=chance: (
                spoiled(body, chance) if chance.random() < 0.5 else body
            )  # type: ignore[misc]
            try:
                with suppress(EnnioError):
                    kept(CALLS[call](forge, issues, number, issue))
            except Exception as error:
                raise AssertionError(f"seed {seed}") from error
            server.spoil = lambda body: body
        server.close()


def test_a_part_of_another_kind_is_not_taken_for_true(
    hub: Hub, server: Server, forge: GitHubForge, issues: Callable[..., GitHubTracker]
) -> None:
    """What is kept and cannot be read back would keep a session from starting again."""
    hub.push("fix", {"a.txt": "1\n"})
    number, issue = hub.open("fix").number, hub.issue("Fix")
    server.spoil = _titled
    with pytest.raises(Unreachable, match=r"PullRequest\.title: text was expected, not 7"):
        forge.look(number)
    assert forge.survey(TWO)["s"].presence is Presence.UNKNOWN
    with pytest.raises(Unreachable, match="not shaped as it publishes"):
        issues().issues()
    assert issue
    server.spoil = lambda body: body
    assert forge.look(number).title == "A title"


def _titled(body: Any) -> Any:
    if isinstance(body, list):
        return [_titled(item) for item in body]
    return (
        {key: 7 if key == "title" else _titled(value) for key, value in body.items()}
        if isinstance(body, dict)
        else body
    )
