"""The page about Linear shows settings that are understood, and leaves none out."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from ennio.plugins.tracker.interface import MilestoneKind
from ennio.plugins.tracker.linear.settings import PUBLIC, LinearSchema, parse

PAGE = (Path(__file__).parents[2] / "docs" / "linear.md").read_text(encoding="utf-8")


def test_the_settings_that_are_shown_are_understood() -> None:
    shown = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    config = yaml.safe_load(shown[0])["projects"][0]["tracker_config"]["config"]
    settings = parse(config)
    assert settings.states == {
        MilestoneKind.SPAWNED: "In Progress",
        MilestoneKind.PULL_OPENED: "In Review",
        MilestoneKind.MERGED: "Done",
    }


def test_the_page_and_the_reader_know_the_same_settings_and_milestones() -> None:
    assert set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)) == set(LinearSchema.keys())
    assert [kind for kind in MilestoneKind if f"`{kind}`" not in PAGE] == []
    assert PUBLIC in PAGE
