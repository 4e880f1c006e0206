"""What becomes of a shard's tests, written down while they run, so that also a process that dies
has told how far it came.

As a plugin (``pytest -p tests.shards.record --record FILE``) it writes one JSON object a line:
``{"collected": 3}``, then for each test ``{"begun": ID}`` and, when all of it is over, ``{"test":
ID, "outcome": "passed", "seconds": 0.1, "why": "", "told": "what it printed"}``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

_BADNESS = ("passed", "skipped", "failed")


@dataclass(frozen=True, slots=True)
class Result:
    """How one test ended: the worst of its set-up, call and teardown, and
    the seconds of all three.
    """

    test: str
    outcome: str
    seconds: float
    why: str
    told: str


@dataclass(slots=True)
class Record:
    """What a shard has told so far; ``collected`` is None until it knows how many tests it has."""

    collected: int | None = None
    running: str = ""
    results: list[Result] = field(default_factory=list)

    def count(self, outcome: str) -> int:
        return sum(result.outcome == outcome for result in self.results)


def read(file: Path) -> Record:
    """What the file tells; the half line of one that is just writing, or
    died in it, is left out.
    """
    found = Record()
    for entry in _entries(file):
        if "collected" in entry:
            found.collected = entry["collected"]
        elif "begun" in entry:
            found.running = entry["begun"]
        else:
            found.running = ""
            found.results.append(Result(**entry))
    return found


def _entries(file: Path) -> Iterator[dict[str, Any]]:
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    yield from (json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n"))


class Recorder:
    """Writes each line at once."""

    def __init__(self, file: Path) -> None:
        self._file = file.open("w", encoding="utf-8", buffering=1)
        self._phases: list[pytest.TestReport] = []

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self._write({"collected": len(session.items)})

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._phases = []
        self._write({"begun": nodeid})

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._phases.append(report)

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        worst = max(self._phases, key=lambda phase: _BADNESS.index(phase.outcome))
        why = str(worst.longrepr[2]) if isinstance(worst.longrepr, tuple) else ""
        seconds = sum(phase.duration for phase in self._phases)
        told = self._phases[-1].capstdout
        self._write(
            {"test": nodeid, "outcome": worst.outcome, "seconds": seconds, "why": why, "told": told}
        )

    def _write(self, entry: dict[str, Any]) -> None:
        self._file.write(json.dumps(entry) + "\n")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--record", type=Path, help="write what becomes of each test to this file")


def pytest_configure(config: pytest.Config) -> None:
    if file := config.getoption("--record"):
        config.pluginmanager.register(Recorder(file))
