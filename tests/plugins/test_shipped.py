"""Which plugin names a configuration may use."""

from __future__ import annotations

from pathlib import Path

import pytest

from ennio.model.errors import ConfigError
from ennio.model.plugin_names import offered
from ennio.plugins.registry import factory
from ennio.plugins.shipped import SHIPPED, known


def test_every_slot_ships_a_stub() -> None:
    assert len(SHIPPED) == 8
    assert all("stub" in names for names in SHIPPED.values())


def test_a_distribution_brings_names_by_entry_points(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    information = tmp_path / "mine-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text("[ennio.agent]\nmine = mine:Agent\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert known()["agent"] == (*SHIPPED["agent"], "mine")
    assert known()["scm"] == SHIPPED["scm"]


@pytest.mark.parametrize("slot", SHIPPED)
@pytest.mark.parametrize("name", ["no-such", "stubb", "scriptd"])
def test_the_plugin_of_tests_is_never_offered(slot: str, name: str) -> None:
    with pytest.raises(ConfigError) as refused:
        factory(slot, name)
    said = refused.value.problems[0].message.replace(repr(name), "")
    assert "stub" not in said
    assert offered(SHIPPED[slot]) == SHIPPED[slot][:-1]


def test_an_agent_that_is_mistyped_is_led_to_the_nearest() -> None:
    with pytest.raises(ConfigError, match="did you mean 'scripted'"):
        factory("agent", "scriptd")
