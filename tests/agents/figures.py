"""The figures of the days and their scenes, as one line of JSON each in the file named by
``$ENNIO_FIGURES``, and as a table.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

FILE = "ENNIO_FIGURES"
_HEAD = (
    "agent",
    "scene",
    "samples",
    "right within 2 s",
    "wrong at most",
    "tokens in",
    "tokens out",
    "as served",
)
_kept: list[Figures] = []


@dataclass(frozen=True, slots=True)
class Figures:
    """One scene of one agent. ``share`` of the samples was right in time; ``longest`` is in
    seconds; tokens as served and as told.

    ``whole`` is a run with all its scenes and what lies between them.
    """

    agent: str
    scene: str
    samples: int
    share: float
    longest: float
    input_tokens: int
    output_tokens: int
    whole: bool = False


def keep(figures: Figures) -> None:
    """Keep them for the table at the end."""
    _kept.append(figures)
    if os.environ.get(FILE):
        with Path(os.environ[FILE]).open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(figures)) + "\n")


def kept() -> list[Figures]:
    """Those of this process."""
    return list(_kept)


def read(file: Path) -> list[Figures]:
    """Those of all processes that were given the file."""
    return (
        [Figures(**json.loads(line)) for line in file.read_text(encoding="utf-8").splitlines()]
        if file.exists()
        else []
    )


def table(days: Iterable[Figures]) -> str:
    """One line for each scene, by agent."""
    rows = [_HEAD, *(_cells(day) for day in sorted(days, key=lambda day: day.agent))]
    widths = [max(len(row[at]) for row in rows) for at in range(len(_HEAD))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def overloaded() -> bool:
    """Whether so much waits for the processor that agents themselves are seconds late: then
    figures say little of Ennio.
    """
    return os.getloadavg()[0] > 2 * (os.cpu_count() or 1)


def in_all(days: Iterable[Figures]) -> list[Figures]:
    """One for each agent over all that was played with it, each sample once."""
    by_agent: dict[str, list[Figures]] = {}
    for day in days:
        if day.whole:
            by_agent.setdefault(day.agent, []).append(day)
    return [_sum(agent, found) for agent, found in sorted(by_agent.items())]


def _sum(agent: str, days: list[Figures]) -> Figures:
    samples = sum(day.samples for day in days)
    share = sum(day.share * day.samples for day in days) / max(samples, 1)
    tokens = sum(day.input_tokens for day in days), sum(day.output_tokens for day in days)
    return Figures(
        agent, "in all", samples, share, max(day.longest for day in days), *tokens, whole=True
    )


def _cells(day: Figures) -> tuple[str, ...]:
    right = f"{day.share:.1%}", f"{day.longest:.1f} s"
    return (
        day.agent,
        day.scene,
        str(day.samples),
        *right,
        str(day.input_tokens),
        str(day.output_tokens),
        "yes",
    )
