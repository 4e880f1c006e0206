"""A figure: a value, its bare counterpart from the same run, and what is wanted of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Wanted:
    """A bound: on the ``value`` or on its ``ratio`` to the bare counterpart, from above
    (``most``) or from below.
    """

    on: str
    bound: float
    most: bool = True

    def met(self, value: float, ratio: float | None) -> bool | None:
        """Whether it holds; None when there is nothing to hold it against."""
        found = ratio if self.on == "ratio" else value
        return None if found is None else found <= self.bound if self.most else found >= self.bound

    def __str__(self) -> str:
        return f"{'≤' if self.most else '≥'} {self.bound:g}{'×' if self.on == 'ratio' else ''}"


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured. ``baseline`` is the bare counterpart in the same unit,
    None where there is none.
    """

    name: str
    value: float
    unit: str
    baseline: float | None = None
    wanted: Wanted | None = None

    @property
    def ratio(self) -> float | None:
        """The value over its bare counterpart."""
        return self.value / self.baseline if self.baseline else None

    @property
    def ok(self) -> bool | None:
        """Whether it is as wanted; None when nothing is."""
        return None if self.wanted is None else self.wanted.met(self.value, self.ratio)

    def as_json(self) -> dict[str, Any]:
        """The figure as ``--json`` shows it, rounded to what can be meant."""
        return {
            "value": _rounded(self.value),
            "unit": self.unit,
            "baseline": _rounded(self.baseline),
            "ratio": _rounded(self.ratio),
            "wanted": None if self.wanted is None else str(self.wanted),
            "ok": self.ok,
        }


@dataclass(frozen=True, slots=True)
class Run:
    """What a group is given: an empty folder of its own, how thorough to be, which figures are
    wanted, whom to tell of progress.
    """

    root: Path
    quick: bool
    wants: Callable[[str], bool]
    say: Callable[[str], None]

    def sizes(self, few: Sequence[int], many: Sequence[int]) -> Sequence[int]:
        """Numbers of sessions: the few, or with time also the many."""
        return few if self.quick else (*few, *many)

    def times(self, few: int, many: int) -> int:
        """How often to repeat."""
        return few if self.quick else many


@dataclass(frozen=True, slots=True)
class Group:
    """Figures that are measured together. ``names`` are those it can bring."""

    names: tuple[str, ...]
    measure: Callable[[Run], Iterator[Figure]]


def _rounded(number: float | None) -> float | None:
    return None if number is None else float(f"{number:.4g}")
