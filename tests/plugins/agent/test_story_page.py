"""The page about stories tells of every step there is, with its fields, and of no other."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from ennio.plugins.agent.scripted.cue import KINDS
from ennio.plugins.agent.scripted.story import STEPS, turns

PAGE = (Path(__file__).parents[3] / "docs" / "own-agents.md").read_text(encoding="utf-8")


def test_every_step_stands_in_its_table_with_its_fields() -> None:
    rows = re.findall(r"^\| (`[^|]+`) \| [^|]* \|([^|]*)\|$", PAGE, re.MULTILINE)
    told = {name: fields for names, fields in rows for name in re.findall(r"`(\w+)`", names)}
    assert told.keys() == STEPS.keys()
    for name, step in STEPS.items():
        assert all(re.search(rf"\b{field}\b", told[name]) for field in step.fields), name


def test_every_occasion_is_named() -> None:
    assert all(f"`{kind}`" in PAGE for kind in KINDS)


def test_the_story_it_shows_can_be_played() -> None:
    shown = next(
        text for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL) if text[:5] == "turns"
    )
    assert [turn["on"] for turn in turns(yaml.safe_load(shown), "page")] == ["prompt", "ci_failed"]
