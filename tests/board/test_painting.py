"""What a frame of the board costs with 500 sessions, of processor and of bytes. Budgets of time have
three times the slack; ``bin/bench`` holds them exactly.
"""

from __future__ import annotations

import time

import pytest

from ennio.board.frame import frame
from ennio.board.moving import step
from ennio.board.news import Rows
from ennio.board.painting import painted
from ennio.board.view import BoardView
from tests.bench.timing import percentile
from tests.board.stand_ins import board

SLACK = 3
SIZES = ((80, 24), (160, 45))
FRAMES = 120


def unfolded() -> BoardView:
    """All five hundred of them, as lines."""
    view = board(500, look="colour")
    groups = frozenset(item.key for item in view.body.items if item.kind == "group")
    return view.wishing(toggled=groups, over=True)


@pytest.mark.parametrize("size", SIZES)
def test_a_frame_of_five_hundred_is_made_in_four_milliseconds(size: tuple[int, int]) -> None:
    """By the processor's time: what else the machine does is not its."""
    view, took = unfolded(), list[float]()
    for _ in range(FRAMES):
        view = step(view, 1, size)
        begun = time.process_time()
        frame(view, *size)
        took.append(time.process_time() - begun)
    p95 = percentile(took, 0.95)
    assert p95 <= 0.004 * SLACK, f"{1000 * p95:.1f} ms"


@pytest.mark.parametrize("size", SIZES)
def test_one_row_that_is_another_is_two_kilobytes_at_most(size: tuple[int, int]) -> None:
    view = unfolded()
    seen = view.rows[view.body.items[3].name]
    told = dict(seen.document) | {"turn_why": "active 2s ago", "signal_at": None}
    after = Rows([told], frozenset({seen.id})).taken(view)
    written = painted(frame(view, *size), frame(after, *size), size[0])
    assert 0 < len(written.encode()) <= 2048
