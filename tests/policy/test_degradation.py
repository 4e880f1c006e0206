"""What is told of a supervisor that is not well."""

from __future__ import annotations

import pytest

from ennio.policy.degradation import LITTLE_DISK, Signs, judge, told

WELL = Signs(free_disk=LITTLE_DISK)


def test_one_of_whom_nothing_is_wrong_is_ready_and_not_degraded() -> None:
    found = judge(WELL)
    assert (found.live, found.ready, found.degraded) == (True, True, ())


@pytest.mark.parametrize(
    ("signs", "name"),
    [
        (Signs(database="it is gone"), "database"),
        (Signs(silent="no answer"), "root"),
        (Signs(actors={"queue": "given up"}), "queue"),
    ],
)
def test_what_everybody_needs_makes_it_unready(signs: Signs, name: str) -> None:
    found = judge(signs)
    assert not found.ready
    assert [(each.name, each.blocks) for each in found.degraded] == [(name, True)]


@pytest.mark.parametrize(
    ("signs", "part"),
    [
        (Signs(actors={"session:ma-1": "given up"}), "actor"),
        (Signs(sources={"forge:app": "502"}), "forge"),
        (Signs(channels={"slack": "3 waiting: 500"}), "channel"),
        (Signs(configuration="line 3"), "configuration"),
        (Signs(free_disk=LITTLE_DISK - 1), "disk"),
    ],
)
def test_what_holds_up_a_part_is_shown_and_the_rest_is_ready(signs: Signs, part: str) -> None:
    found = judge(signs)
    assert found.ready
    assert [each.part for each in found.degraded] == [part]


def test_a_disk_that_could_not_be_read_says_nothing() -> None:
    assert judge(Signs(free_disk=None)).degraded == ()


def test_the_reasons_stand_in_one_line() -> None:
    found = judge(Signs(database="it is gone", sources={"forge:app": "502"}))
    assert told(found.degraded) == "it is gone; forge:app: 502"
