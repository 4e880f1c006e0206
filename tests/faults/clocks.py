"""The clock of a machine that is wrong: its house, its agents, and whoever else lives on it
go by the same wrong time.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ennio.model.clock import SystemClock

SHIFTED = """
import runpy, sys, time
place, real = sys.argv[1], time.time
def wrong():
    try:
        with open(place) as file:
            return real() + float(file.read())
    except (FileNotFoundError, ValueError):
        return real()
time.time = wrong
sys.argv = sys.argv[2:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def shift_of(home: Path) -> Path:
    """The file that says by how many seconds the clock of a house is wrong."""
    return home / "shift"


def put_clock(home: Path, seconds: float) -> None:
    """Put the clock of a house and its agents wrong by so much."""
    draft = home / "shift.draft"
    draft.write_text(str(seconds))
    draft.replace(shift_of(home))


class ShiftedClock(SystemClock):
    """The machine's clock, put wrong by the seconds that stand in a file of
    the house, if there is one.
    """

    def __init__(self, home: Path) -> None:
        self._file = shift_of(home)

    def now(self) -> datetime:
        """The wrong time."""
        try:
            return super().now() + timedelta(seconds=float(self._file.read_text()))
        except (FileNotFoundError, ValueError):
            return super().now()


class OnOurClock:
    """The scripted agent, whose player goes by the same wrong clock as the
    house: it is the machine's.
    """

    def __init__(self, agent: Any, home: Path) -> None:
        self._agent, self._shift = agent, shift_of(home)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._agent, name)

    def launch(self, desk: Any, prompt: str) -> Any:
        """See ``Agent.launch``."""
        return self._wrapped(self._agent.launch(desk, prompt))

    def resume(self, desk: Any, message: str | None) -> Any:
        """See ``Agent.resume``."""
        return self._wrapped(self._agent.resume(desk, message))

    def _wrapped(self, command: Any) -> Any:
        python, *words = command.argv
        player = words.index(next(word for word in words if word.endswith(".py")))
        return replace(
            command,
            argv=(python, *words[:player], "-c", SHIFTED, str(self._shift), *words[player:]),
        )
