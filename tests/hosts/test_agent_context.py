"""What an agent's plugin is told of the place it works in."""

from __future__ import annotations

from pathlib import Path

from tests.hosts.test_unread import Pair


def test_an_agent_is_told_its_workspace_by_the_path_that_it_will_know_it_by(tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    (real / "w").mkdir(parents=True)
    link.symlink_to(real)
    assert Pair("claude-code", link).context.workspace == real / "w"
    assert Pair("codex", link).context.workspace == real / "w"
