"""Branches that will not merge with each other are told of before anybody merges one."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from tests.conftest import eventually
from tests.e2e.house import Ground, Supervised, project, story, supervised, turn

SAME = [
    {"edit": {"file": "README.md", "content": "# {session}\n"}},
    {"commit": "Rename it"},
    "push",
    {"summary": "Renamed the score."},
]
APART = [
    {"edit": {"file": "{session}.md", "content": "apart\n"}},
    {"commit": "Add a file"},
    "push",
    {"summary": "Added a file."},
]
PLAYED = story(turn("prompt", APART, when="^apart"), turn("prompt", SAME), turn("message", APART))


def _expected(house: Supervised) -> list[tuple[str, str, list[str]]]:
    report = house.ground.ennio("conflicts", "--json").document
    return [(one["one"], one["other"], one["paths"]) for one in report["conflicts"]]


def _with(house: Supervised, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = house.session(name)["conflicts"]
    return found


def _told(house: Supervised, name: str) -> Counter[str]:
    kinds = (one["event_type"] for one in house.events(session_id=name))
    return Counter(kind for kind in kinds if kind.startswith("conflict_"))


def test_two_agents_at_one_file_are_told_of_before_either_is_merged(tmp_path: Path) -> None:
    def playing(ground: Ground) -> dict[str, Any]:
        return project(ground, agent_config=PLAYED)

    with supervised(tmp_path, playing) as house:
        one, other = house.spawn("Rename it"), house.spawn("Rename it too")
        beside = house.spawn("apart from them")
        pair = sorted((one, other))
        eventually(lambda: _expected(house) == [(*pair, ["README.md"])], 40, "it is foreseen")
        assert [(each["with"], each["branch"]) for each in _with(house, one)] == [(other, other)]
        assert _with(house, beside) == []
        assert _told(house, one) == _told(house, other) == {"conflict_expected": 1}

        house.kill_worker()
        house.answers()
        assert _expected(house) == [(*pair, ["README.md"])], "a restart forgets nothing"

        eventually(lambda: house.session(one)["pr_number"], 40, "its pull request is open")
        house.becomes(one, "ci_passing", "pr_open", "approved", "review_pending")
        warning = f"a conflict is expected with {other} ({other}): README.md"
        assert warning in house.ground.ennio("pr", "show", one).out
        approved = house.ground.ennio("pr", "approve", one)
        assert (approved.code, warning in approved.err) == (0, True), approved.err
        merged = house.ground.ennio("pr", "merge", one)
        assert (merged.code, warning in merged.err) == (0, True), merged.err
        eventually(lambda: _expected(house) == [], 40, "who is merged is not expected any more")
        assert _told(house, other) == {"conflict_expected": 1, "conflict_gone": 1}
