"""Which plans are played: every side of every point once, all of them alone, one that was
given, or what chance draws.
"""

from __future__ import annotations

import os
import random
from collections.abc import Mapping, Sequence

from tests.faults import points
from tests.faults.plan import Order, When, read
from tests.faults.stage import Plan

TOGETHER = 18  # orders in one story
RANDOM = 6
SEED = int(os.environ.get("ENNIO_FAULTS_SEED") or random.SystemRandom().randrange(10**6))


def plans(names: Sequence[str]) -> Mapping[str, Plan]:
    """Both sides of each of these points once, or what the environment says instead."""
    if text := os.environ.get("ENNIO_FAULT_PLAN"):
        return {"given": read(text)}
    if os.environ.get("ENNIO_FAULTS") == "all":
        return {str(order): (order,) for order in points.every(names)}
    orders = points.once(names)
    count = -(-len(orders) // TOGETHER)
    # every count-th, so that what goes wrong in one story lies far apart in it
    return {f"once-{number}": tuple(orders[number::count]) for number in range(count)}


def drawn(names: Sequence[str], rounds: int) -> Mapping[str, Plan]:
    """So many plans drawn by chance; the same ones again with the same seed."""
    return {f"random-{number}": _drawn(names, number) for number in range(rounds)}


def _drawn(names: Sequence[str], number: int) -> Plan:
    dice = random.Random(f"{SEED}/{number}")
    orders = []
    for _ in range(RANDOM):
        point, when = dice.choice(names), dice.choice(list(When))
        orders.append(
            Order(point, when, dice.choice(points.faults(point, when)), dice.randint(1, 5))
        )
    return tuple(orders)


def missed(plan: Plan, happened: Sequence[str]) -> set[str]:
    """The orders by which the story did not come."""
    return {str(order) for order in plan} - set(happened)


def seeded(plan: Plan) -> str:
    """How to play a plan that chance drew once more."""
    return (
        f"faults seed {SEED}; ENNIO_FAULTS_SEED={SEED} plays it again: {';'.join(map(str, plan))}"
    )
