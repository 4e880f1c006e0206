"""Which plugin names a configuration may use."""

from __future__ import annotations

from pathlib import Path

import pytest

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
