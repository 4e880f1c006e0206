"""What is made while a process begins is left alone by the garbage collector, and nothing else is."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from ennio.lasting import lasting


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    yield
    gc.unfreeze()
    gc.enable()


def test_within_nobody_looks_and_afterwards_what_was_made_is_set_aside() -> None:
    before = gc.get_freeze_count()
    with lasting():
        assert not gc.isenabled()
        made = [[number] for number in range(1000)]
    assert gc.isenabled()
    assert gc.get_freeze_count() >= before + len(made)
    assert not any(found is made for found in gc.get_objects())


def test_garbage_of_later_is_found_as_ever() -> None:
    with lasting():
        pass
    ring: list[object] = []
    ring.append(ring)
    del ring
    assert gc.collect() >= 1


def test_an_error_leaves_the_collector_looking() -> None:
    with pytest.raises(ValueError, match="no"), lasting():
        raise ValueError("no")
    assert gc.isenabled()
