"""Plays many stories side by side: a house mostly waits, so several fit on a core."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.faults.account import settle
from tests.faults.plan import Order, happened, write
from tests.faults.story import told

AT_ONCE = 2 * (os.cpu_count() or 1)
Plan = tuple[Order, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """A story that came to its end; ``happened`` are the orders that were carried out."""

    happened: tuple[str, ...]
    starts: int


def play(root: Path, plan: Plan, runtime: str = "tmux") -> Told:
    """Tell the story while this goes wrong, and hold the account. Raises AssertionError."""
    with told(root, plan, runtime) as (house, follower, teller):
        try:
            teller.play()
            settle(house, teller, follower)
        except (AssertionError, pytest.fail.Exception) as error:
            raise AssertionError(f"ENNIO_FAULT_PLAN='{write(plan)}' plays it again\n{error}") from error
        return Told(tuple(happened(house.ground.home)), teller.starts)


@contextmanager
def side_by_side(plays: Mapping[str, Callable[[], Told]]) -> Iterator[Mapping[str, Future[Told]]]:
    """Begin all of them, a few at a time; each one's end is waited for where it is asked for."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        try:
            yield {name: pool.submit(play) for name, play in plays.items()}
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
