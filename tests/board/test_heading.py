"""The one line above the board's rows: what a person should know first."""

from __future__ import annotations

from typing import Any

import pytest

from ennio.board.heading import gravest, header

EDITED = "ennio.yaml has changed since it was read: ennio reload"


@pytest.mark.parametrize(
    ("also", "told"),
    [
        ({}, (EDITED, False)),
        ({"config_edited": False}, ("", False)),
        ({"config_problem": "line 3"}, ("the configuration was refused: line 3", True)),
        ({"degraded": [{"name": "disk", "detail": "full", "blocks": True}]}, ("disk: full", True)),
        ({"degraded": [{"name": "nats", "detail": "away", "blocks": False}]}, (EDITED, False)),
    ],
)
def test_an_edited_file_is_told_where_nothing_graver_is(
    also: dict[str, Any], told: tuple[str, bool]
) -> None:
    status = {"config": "/home/me/app/ennio.yaml", "config_edited": True, **also}
    assert gravest(status, None) == told


def test_the_money_above_all_rows_is_of_no_single_session() -> None:
    day = {"name": "global:daily", "scope": "global", "period": "daily"}
    one = {"name": "session:ma-1:total", "scope": "session", "period": "total"}
    told = header(
        {},
        [
            one | {"limit": "5.00", "used": "6.50", "percent_used": 130},
            day | {"limit": "20.00", "used": "8.60", "percent_used": 43},
        ],
    )
    assert (told.spend, told.banner) == ("$8.60 of $20 today", "")
