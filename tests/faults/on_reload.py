"""A story of a file: it becomes wrong under a supervisor, a person is told, and mends it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.house import Ground, configure, ground_at, project, repository
from tests.faults.account import close, paper
from tests.faults.plan import Order, happened
from tests.faults.teller import SETTINGS, Teller, Wired
from tests.postgres import chosen

PAUSE = 4.0  # seconds between two orders to read the file again
WRONG = "projects: ["


@dataclass(slots=True, kw_only=True)
class Mender(Teller):
    """Spoils the file, and mends it once somebody was to be told."""

    good: str
    asked: float = 0.0

    def _step(self) -> bool:
        """See ``Teller._step``; nobody begins a supervisor on a file that is wrong."""
        if self.house.process is not None and self.house.process.poll() is not None:
            self.house.ground.config.write_text(self.good)
        return super(Mender, self)._step()

    def _next(self) -> None:
        """See ``Teller._next``."""
        notices = self._notices()
        if not notices:
            self._reload(WRONG)
        elif any(one["resolved_at"] is None for one in notices):
            self._reload(self.good)

    def _reload(self, text: str) -> None:
        if time.monotonic() < self.asked + PAUSE:
            return
        self.asked = time.monotonic()
        self.house.ground.config.write_text(text)
        with suppress(ProcessLookupError, OSError):
            os.kill(self.house.arbiter(), signal.SIGHUP)

    def _notices(self) -> list[dict[str, Any]]:
        wanted = "select resolved_at, withdrawn_at from notifications where reaction = "
        return self.house.ground.rows(f"{wanted}'config-refused'")

    def _over(self) -> bool:
        """See ``Teller._over``; all that was told of the file is taken back."""
        notices = self._notices()
        gone = bool(notices) and all(one["withdrawn_at"] is not None for one in notices)
        return gone and super(Mender, self)._over()


def play(root: Path, plan: tuple[Order, ...]) -> tuple[str, ...]:
    """Tell it while this goes wrong, and hold the account; the orders that were carried out."""
    with ground_at(root, database=chosen()) as ground:
        repository(ground)
        configure(ground, project(ground), **SETTINGS)
        house = Wired(ground, orders=plan)
        house.begin()
        try:
            Mender(house=house, good=ground.config.read_text()).play()
            close(house, [*_account(ground)])
            return tuple(happened(ground.home))
        finally:
            with suppress(OSError, ValueError):
                house.kill_everything()


def _account(ground: Ground) -> Iterator[str]:
    told = "select event_type from house_events where event_type like 'config_%' order by seq"
    kinds = [row["event_type"] for row in ground.rows(told)]
    if kinds != ["config_refused", "config_accepted"] * (len(kinds) // 2):
        yield f"of the file was told: {kinds}"
    if any("refused" not in line["message"] for line in paper(ground)):
        yield f"on paper: {paper(ground)}"
