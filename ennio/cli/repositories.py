"""All supervisors of a person, in whatever folder: those that run, and those that could."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ennio.board.table import Column, table
from ennio.cli.context import CliContext
from ennio.config import trusted
from ennio.http import address
from ennio.machine.home import Home
from ennio.model.errors import EnnioError

_PATIENCE = 5.0  # seconds that one may take to answer; all are asked side by side


@dataclass(frozen=True, slots=True)
class KnownSupervisor:
    """One of them. ``turns`` are its living sessions by whose turn it is; None where it does not
    run or does not answer.
    """

    file: str
    there: bool
    url: str | None = None
    pid: int | None = None
    since: str | None = None
    turns: dict[str, int] | None = None

    @property
    def document(self) -> dict[str, Any]:
        """For programs."""
        return {
            "config": self.file,
            "folder": str(Path(self.file).parent),
            "exists": self.there,
            "running": self.url is not None,
            "url": self.url,
            "pid": self.pid,
            "started_at": self.since,
            "turns": self.turns,
        }

    @property
    def row(self) -> tuple[str, ...]:
        """For people."""
        return str(Path(self.file).parent), self._state, self.url or "", self._sessions

    @property
    def _state(self) -> str:
        if self.url is not None:
            return "running" if self.turns is not None else "no answer"
        return "stopped" if self.there else "file gone"

    @property
    def _sessions(self) -> str:
        turns = self.turns or {}
        told = (("you", "yours"), ("agent", "the agent's"), ("world", "the world's"))
        return ", ".join(f"{turns[key]} {word}" for key, word in told if turns.get(key))


def known_supervisors() -> tuple[KnownSupervisor, ...]:
    """All of them, those that run first, then by folder."""
    home = Home.of_environment()
    # by its real path: what runs was perhaps begun by another name of the same folder
    files = {**{file: file for file in trusted.files(home)}, **_running(home)}
    with ThreadPoolExecutor(max(1, min(8, len(files)))) as pool:
        found = list(pool.map(lambda file: _seen(file, home), files.values()))
    return tuple(sorted(found, key=lambda one: (one.url is None, one.file)))


def supervisor_lines(found: Sequence[KnownSupervisor], width: int | None) -> list[str]:
    """A table for people."""
    if not found:
        return ["no supervisor was ever started here; begin with: ennio init"]
    columns = (Column("FOLDER", elastic=True), Column("STATE"), Column("URL"), Column("TURNS"))
    return table(columns, [one.row for one in found], width)


def _running(home: Home) -> dict[str, str]:
    folder = home.root / "run"
    folders = list(folder.iterdir()) if folder.is_dir() else []
    found = [at.config for at in map(address.running, folders) if at is not None]
    return {os.path.realpath(file): file for file in found}


def _seen(file: str, home: Home) -> KnownSupervisor:
    there = Path(file).exists()
    at = address.running(home.run(Path(file)))
    if at is None:
        return KnownSupervisor(file, there)
    return KnownSupervisor(file, there, at.url, at.pid, at.started_at, _turns(file))


def _turns(file: str) -> dict[str, int] | None:
    try:
        sessions = CliContext(config=file).client(_PATIENCE).get("/sessions", view="row")
    except EnnioError:
        return None
    turns = [str(session["turn"]) for session in sessions]
    return {turn: turns.count(turn) for turn in ("you", "agent", "world", "over")}
