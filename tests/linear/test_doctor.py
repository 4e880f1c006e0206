"""What ``ennio doctor`` finds out about Linear."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ennio.cli.doctor.finding import Level
from ennio.cli.doctor.linear import service
from ennio.config.model import PluginChoice, Project
from tests.linear.standin import KEY, Linear


def _project(plugin: str = "linear", **settings: Any) -> Project:
    return Project(
        id="shop", name="shop", repo="x", path=Path("x"), tracker=PluginChoice(plugin, settings)
    )


def test_a_key_that_opens_is_fine_and_says_whose_it_is(linear: Linear) -> None:
    finding = service(_project(api_key=KEY, api_url=linear.url))
    assert finding is not None
    assert (finding.level, finding.what) == (
        Level.FINE,
        "project shop: Linear knows its key as Ada Lovelace's",
    )


def test_a_key_that_does_not_open_is_broken_and_not_shown(linear: Linear) -> None:
    finding = service(_project(api_key="lin_api_wrong", api_url=linear.url))
    assert finding is not None
    assert finding.level is Level.BROKEN
    assert "lin_api_wrong" not in f"{finding.what} {finding.fix}"


def test_a_linear_that_does_not_answer_is_a_warning_and_a_wrong_setting_is_broken() -> None:
    away = service(_project(api_key=KEY, api_url="http://127.0.0.1:9/graphql"))
    wrong = service(_project(team="ENG"))
    assert away is not None
    assert wrong is not None
    assert (away.level, wrong.level) == (Level.WARNING, Level.BROKEN)
    assert "api_key: is missing" in wrong.what


def test_other_trackers_are_not_asked() -> None:
    assert service(_project("local")) is None
