"""One frame of the board with 500 sessions over one with 5; how long the slow ones take, what an
event has written to the terminal, and how long the command takes to its first frame and its rows.

The bare counterpart of a frame is the same frame of the same size with few sessions: what is not
seen should cost nothing. That of the command is ``python -c pass``.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field

from ennio.board.frame import frame
from ennio.board.moving import step
from ennio.board.news import Rows
from ennio.board.painting import painted
from ennio.board.view import BoardView
from tests.bench.figure import Figure, Group, Run, Wanted
from tests.bench.timing import by_turns, percentile, took
from tests.board.opening import opened
from tests.board.stand_ins import board
from tests.dashboard.crowd import crowded
from tests.e2e.house import ROOT, Supervised

_DRAWN = ("board.frame", "board.frame.p95", "board.written")
FIRST, ROWS = "board.first", "board.first.rows"
NAMES = (*_DRAWN, FIRST, ROWS)
SIZE = (160, 45)
_MANY, _FEW = 500, 5


def measure(run: Run) -> Iterator[Figure]:
    """The picture alone, and the command before a supervisor."""
    if any(map(run.wants, _DRAWN)):
        yield from _frames(run)
    if run.wants(FIRST) or run.wants(ROWS):
        many = run.times(50, 500)
        run.say(f"board with {many} sessions ...")
        with crowded(run.root / "house", many) as (house, _):
            yield from _first(run, house)


def _frames(run: Run) -> Iterator[Figure]:
    """A cursor that goes down and up again, with all zones unfolded."""
    run.say("board: frames")
    hands = [_Cursor(_unfolded(count)) for count in (_MANY, _FEW)]
    value, bare = by_turns(run.times(200, 1000), *(each.frame for each in hands))
    yield Figure("board.frame", 1000 * value, "ms", 1000 * bare, Wanted("ratio", 1.5))
    slow = [percentile(each.all, 0.95) for each in hands]
    yield Figure("board.frame.p95", 1000 * slow[0], "ms", 1000 * slow[1], Wanted("value", 4.0))
    yield Figure("board.written", _written(), "bytes", None, Wanted("value", 2048.0))


def _unfolded(count: int) -> BoardView:
    view = board(count, look="colour")
    groups = frozenset(item.key for item in view.body.items if item.kind == "group")
    return view.wishing(toggled=groups, over=True)


def _first(run: Run, house: Supervised) -> Iterator[Figure]:
    ours = _Opened(house)
    first, rows, bare = by_turns(run.times(7, 25), ours.first, ours.rows, _bare)
    yield Figure(FIRST, 1000 * first, "ms", 1000 * bare, Wanted("value", 150.0))
    yield Figure(ROWS, 1000 * rows, "ms", 1000 * bare, Wanted("value", 150.0))


@dataclass(slots=True)
class _Opened:
    """The command as a person types it; once for both figures."""

    house: Supervised
    seen: list[float] = field(default_factory=list)

    def first(self) -> float:
        words = (str(ROOT / "bin" / "ennio"), "board")
        ground = self.house.ground
        told = ("? help", "Rate-limit the login form")
        self.seen = list(opened(words, ground.clone, ground.env, *told).seen)
        return self.seen[0]

    def rows(self) -> float:
        return self.seen[1]


def _bare() -> float:
    return took(lambda: subprocess.run((sys.executable, "-c", "pass"), check=True))


class _Cursor:
    def __init__(self, view: BoardView) -> None:
        self._view = view
        self._at = 0
        self.all: list[float] = []

    def frame(self) -> float:
        self._at += 1
        self._view = step(self._view, -40 if self._at % 60 == 0 else 1, SIZE)
        seconds = took(lambda: frame(self._view, *SIZE))
        self.all.append(seconds)
        return seconds


def _written() -> float:
    """What is written when one session that is seen has another reason."""
    view = _unfolded(_MANY)
    seen = view.rows[view.body.items[3].name]
    told = dict(seen.document) | {"turn_why": "active 2s ago", "signal_at": None}
    after = Rows([told], frozenset({seen.id})).taken(view)
    return float(len(painted(frame(view, *SIZE), frame(after, *SIZE), SIZE[0])))


GROUP = Group(NAMES, measure)
