"""Answers that are valid JSON and yet not what their service publishes: unknown, not a crash."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from ennio.model import codec
from ennio.model.errors import Unreachable

T = TypeVar("T")


@contextmanager
def as_published(service: str) -> Iterator[None]:
    """For the reading of answers, as a decorator or a block: what lacks a part, or has another in
    its place, raises Unreachable.

    A mistake of ours in reading looks the same; the words keep what it was, and the tests hold us
    to the published schemas.
    """
    try:
        yield
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        what = f"{type(error).__name__}: {error}"[:200]
        raise Unreachable(
            f"{service} answered something that is not shaped as it publishes ({what})"
        ) from error


def sound(value: T) -> T:
    """The same value, when every part of it is of its kind. Raises ValueError: what is kept
    otherwise cannot be read back.
    """
    codec.loads(type(value), codec.dumps(value))
    return value
