"""What the doctor says of agents."""

from __future__ import annotations

import pytest

from ennio.cli.doctor import agents
from ennio.cli.doctor.finding import fine


@pytest.mark.parametrize("version", ["2.1.329 (Claude Code)", "codex-cli 2.1.329", "2.1.329"])
def test_a_version_that_was_tried_is_fine(version: str) -> None:
    assert agents.agent("claude-code", version, "", wanted=True, tried=("2.1.329",)) == fine(
        f"agent claude-code: {version}"
    )


@pytest.mark.parametrize("version", ["2.1.330 (Claude Code)", "12.1.329", "2.1.3290", "dev"])
def test_a_version_that_was_never_tried_gets_a_clear_word(version: str) -> None:
    found = agents.agent("claude-code", version, "", wanted=True, tried=("2.1.329",))
    assert "was never tried" in found.what
    assert "2.1.329" in found.what


def test_claude_code_and_codex_say_what_they_were_tried_with() -> None:
    assert all(kind.tried for kind in agents.KINDS if kind.name in ("claude-code", "codex"))
