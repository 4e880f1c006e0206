"""Measuring on a machine that others use too: real thing and bare counterpart by
turns, and the middle of many.
"""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable, Sequence

import psutil


def took(deed: Callable[[], object]) -> float:
    """Seconds a deed takes."""
    begun = time.perf_counter()
    deed()
    return time.perf_counter() - begun


def by_turns(times: int, *deeds: Callable[[], float]) -> list[float]:
    """The median of what each deed returns when they are done by turns: what slows the
    machine down slows all of them.
    """
    found = [[deed() for deed in deeds] for _ in range(times)]
    return [statistics.median(values) for values in zip(*found, strict=True)]


def beside(times: int, deed: Callable[[], float], bare: Callable[[], float]) -> list[float]:
    """What a deed and its bare counterpart return, where a few in a hundred matter: each turn is
    held against the one next to it, and the middle of that is taken. The first of each, which also
    loads what is needed, does not count.
    """
    _, *pairs = [(deed(), bare()) for _ in range(times + 1)]
    middle = statistics.median(beside for _, beside in pairs)
    return [middle * statistics.median(value / beside for value, beside in pairs), middle]


def percentile(values: Sequence[float], part: float) -> float:
    """The value that so large a part (0..1) of all stays below or equal to."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(part * len(ranked)))]


def pass_by(seconds: float) -> None:
    """Let a measured window go by."""
    threading.Event().wait(seconds)


def cpu(pid: int) -> float:
    """Seconds of processor time a process has used, with what it waited for of its children."""
    spent = psutil.Process(pid).cpu_times()
    return float(spent.user + spent.system + spent.children_user + spent.children_system)
