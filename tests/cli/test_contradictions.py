"""Arguments of which one would be left out of account are refused, both named."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Api


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("status msgs --disk", "PROJECT does not go with --disk"),
        ("status --all --disk", "--all does not go with --disk"),
        ("status --all-repositories --disk", "--all-repositories does not go with --disk"),
        ("status msgs --all-repositories", "PROJECT does not go with --all-repositories"),
        ("cost --calibration --overview", "--overview does not go with --calibration"),
        ("cost --calibration --by model", "--by does not go with --calibration"),
        ("cost --overview --by project", "--by does not go with --overview"),
        ("cost --overview --csv", "--csv does not go with --overview"),
        (
            "cost --session ma-1 --project other",
            "session ma-1 is one of project msgs, not of other",
        ),
    ],
)
def test_what_means_nothing_together_is_refused_before_anything_is_shown(
    api: Api, line: str, told: str
) -> None:
    api.on("GET", "/disk", {}).on("GET", "/spend", {}).on("GET", "/costs", {})
    api.on("GET", "/projects", [{"id": one, "name": one} for one in ("msgs", "other")])
    api.on("GET", "/sessions", [{"id": "ma-1"}])
    api.on("GET", "/sessions/ma-1", {"id": "ma-1", "project_id": "msgs"})
    refused = api.ennio(*line.split())
    assert (refused.code, refused.out) == (2, "")
    assert f"{told}: leave one of " in refused.err
