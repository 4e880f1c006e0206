"""Plays many stories side by side: a house mostly waits, so several fit on a core."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from pathlib import Path

import pytest

from tests.e2e.persons import Follower
from tests.faults import account, github_account, on_github, story
from tests.faults.plan import Order, happened, write
from tests.faults.teller import T, Wired

AT_ONCE = 2 * (os.cpu_count() or 1)
Plan = tuple[Order, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """A story that came to its end; ``happened`` are the orders that were carried out."""

    happened: tuple[str, ...]
    starts: int


def play(root: Path, plan: Plan, runtime: str = "tmux") -> Told:
    """Tell the story on the local forge while this goes wrong, and hold the
    account. Raises AssertionError.
    """
    return _play(story.told(root, plan, runtime), plan, account.settle)


def play_on_github(root: Path, plan: Plan, runtime: str = "tmux") -> Told:
    """The same with the story on GitHub."""
    return _play(on_github.told(root, plan, runtime), plan, github_account.settle)


def thoroughly(how: Callable[..., Told], root: Path, plan: Plan) -> Told:
    """Play a plan, and once more alone what was missed: a deed that is done once
    may end in one way only.
    """
    tales = [how(root / "together", plan)]
    left = [order for order in plan if str(order) not in tales[0].happened]
    tales += [how(root / f"alone-{number}", (order,)) for number, order in enumerate(left)]
    return Told(
        tuple(order for tale in tales for order in tale.happened),
        sum(tale.starts for tale in tales),
    )


def _play(
    telling: AbstractContextManager[tuple[Wired, Follower, T]],
    plan: Plan,
    settle: Callable[[Wired, T, Follower], None],
) -> Told:
    with telling as (house, follower, teller):
        try:
            teller.play()
            settle(house, teller, follower)
        except (AssertionError, pytest.fail.Exception) as error:
            raise AssertionError(
                f"ENNIO_FAULT_PLAN='{write(plan)}' plays it again\n{error}"
            ) from error
        return Told(tuple(happened(house.ground.home)), teller.starts)


@contextmanager
def side_by_side(plays: Mapping[str, Callable[[], Told]]) -> Iterator[Mapping[str, Future[Told]]]:
    """Begin all of them, a few at a time; each one's end is waited for where it is asked for."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        try:
            yield {name: pool.submit(play) for name, play in plays.items()}
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def names_of(request: pytest.FixtureRequest, fixture: str, parameter: str) -> list[str]:
    """What the tests with this fixture were given, of those that are run."""
    items = [item for item in request.session.items if fixture in getattr(item, "fixturenames", ())]
    return [item.callspec.params[parameter] for item in items if isinstance(item, pytest.Function)]


def chosen(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    how: Callable[..., Told],
    plans: Mapping[str, Plan],
    drawn: Mapping[str, Plan],
) -> AbstractContextManager[Mapping[str, Future[Told]]]:
    """The stories of the tests that are run, all of them begun; every second that
    chance drew goes without tmux.
    """
    root, wanted = (
        tmp_path_factory.mktemp("faults"),
        names_of(request, str(request.fixturename), "name"),
    )
    whole = {
        name: partial(thoroughly, how, root / str(n), plan)
        for n, (name, plan) in enumerate(plans.items())
        if name in wanted
    }
    runtimes = dict(zip(drawn, cycle(("tmux", "process")), strict=False))
    parts = {
        name: partial(how, root / name, plan, runtimes[name])
        for name, plan in drawn.items()
        if name in wanted
    }
    return side_by_side({**whole, **parts})
