"""Typing into a terminal by hand, and the bare agent it is typed to: the scripted player
alone in a tmux session.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ennio.plugins.agent.scripted import player
from tests.bench.bare import new_terminal
from tests.bench.stand import come


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent nobody supervises, in the tmux session ``name``."""

    socket: str
    name: str
    transcript: Path

    def wrote(self, kind: str) -> list[dict[str, Any]]:
        """The lines of this type in its transcript."""
        lines = self.transcript.read_text().splitlines() if self.transcript.exists() else []
        return [entry for entry in map(json.loads, lines) if entry["type"] == kind]

    def take(self, text: str) -> float:
        """Paste a text and press Enter; the hour at which the agent had it (seconds since 1970)."""
        had = len(self.wrote("prompt"))
        put = (
            "load-buffer",
            "-b",
            "bench",
            "-",
            ";",
            "paste-buffer",
            "-d",
            "-p",
            "-r",
            "-b",
            "bench",
            "-t",
            self.name,
        )
        self._tmux(*put, given=text)
        self._tmux("send-keys", "-t", self.name, "Enter")
        return float(
            come(lambda: self.wrote("prompt")[had:], 20, "the bare agent has the text")[0]["t"]
        )

    def seconds(self, text: str) -> float:
        """Seconds it takes until the agent has a text."""
        begun = time.time()
        return self.take(text) - begun

    def _tmux(self, *words: str, given: str = "") -> None:
        subprocess.run(
            ("tmux", "-L", self.socket, *words),
            input=given,
            text=True,
            capture_output=True,
            timeout=20,
            check=True,
        )


def agent(place: Path, socket: str, name: str) -> Agent:
    """Start one; it is not ready yet."""
    folder = place / name
    folder.mkdir(parents=True)
    turn: dict[str, Any] = {"on": "any", "when": None, "times": None, "steps": []}
    story = {"turns": [turn], "speed": 1, "names": {"session": name, "branch": "", "base": ""}}
    (folder / "story.json").write_text(json.dumps(story))
    transcript = folder / "transcript.jsonl"
    play = (
        sys.executable,
        "-I",
        "-S",
        str(player.__file__),
        str(folder / "story.json"),
        str(transcript),
    )
    subprocess.run(
        (*new_terminal(socket, name, folder), *play), capture_output=True, timeout=20, check=True
    )
    return Agent(socket, name, transcript)
