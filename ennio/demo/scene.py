"""The scene of the demo: a temporary folder with a repository, its bare remote, a
configuration and a story.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ennio.config import trusted
from ennio.config.load import load
from ennio.machine.home import Home
from ennio.model.errors import Refused

CHECK = """\
# the check of this repository: what is greeted must have a name
if [ -f greeting.txt ] && ! grep -q Ennio greeting.txt; then
    echo "greeting.txt says: $(cat greeting.txt)"
    echo "FAILED: a greeting must name whom it greets; write: hello, Ennio"
    exit 1
fi
echo "all greetings name somebody"
"""
CHANGES = "# Changes\n\n- The beginning.\n"
GREET = "Write a file greeting.txt with one line: hello"
NOTES = "Add the line '- Notes on the score.' to CHANGES.md, below '# Changes'"
SILENT = "Think about the meaning of silence"
REVIEW = "Please also add the line '- A greeting.' to CHANGES.md, below '# Changes'."
QUESTION = "Another agent may be changing CHANGES.md too. Write the line all the same?"
OPTIONS = ("Yes, git will tell", "You decide")
"""What is answered changes nothing of the story: they do conflict, and that is put right."""
BUDGET = 0.03
"""Dollars for each session: one of them needs more, and its agent is interrupted in its turn."""
BOTH = "# Changes\n\n- A greeting.\n- Notes on the score.\n- The beginning.\n"


def story(speed: float) -> dict[str, Any]:
    """What the scripted agent does when it is told what the demo tells it."""
    first = "# Changes\n\n- A greeting.\n- The beginning.\n"
    notes = "# Changes\n\n- Notes on the score.\n- The beginning.\n"
    turns = [
        {
            "on": "prompt",
            "when": "greeting.txt",
            "steps": [
                {"say": "A greeting, then."},
                {"think": 2},
                {"edit": {"file": "greeting.txt", "content": "hello\n"}},
                {"burn": {"input": 4100, "output": 380, "cost": "0.0180"}},
                {"commit": "Greet"},
                "push",
                {"summary": "Wrote greeting.txt."},
            ],
        },
        {
            "on": "prompt",
            "when": "Notes",
            "steps": [
                {"think": 1},
                {"ask": {"question": QUESTION, "options": list(OPTIONS)}},
                {"think": 1},
                {"edit": {"file": "CHANGES.md", "content": notes}},
                {"burn": {"input": 3800, "output": 240, "cost": "0.0150"}},
                {"commit": "Mention the notes"},
                "push",
                {"summary": "Mentioned the notes in CHANGES.md."},
            ],
        },
        {
            "on": "ci_failed",
            "steps": [
                {"say": "The log says that it must name whom it greets."},
                {"think": 1.5},
                {"edit": {"file": "greeting.txt", "content": "hello, Ennio\n"}},
                {"burn": {"input": 2100, "output": 120, "cost": "0.0081"}},
                {"commit": "Name whom it greets"},
                "push",
                {"summary": "Fixed what the check complained of."},
            ],
        },
        {
            "on": "changes_requested",
            "steps": [
                {"say": "The reviewer is right."},
                {"think": 1.5},
                {"edit": {"file": "CHANGES.md", "content": first}},
                {"commit": "Mention the greeting"},
                "push",
                {"summary": "Did what the reviewer asked for."},
                {"burn": {"input": 1900, "output": 150, "cost": "0.0079"}},
                {"think": 3},
            ],
        },
        {"on": "message", "when": "go on where you were", "steps": [{"say": "Where was I?"}]},
        {
            "on": "merge_conflicts",
            "steps": [
                {"say": "Somebody else wrote there too; I keep both lines."},
                {"think": 1.5},
                {"pull": {"resolve": {"CHANGES.md": BOTH}}},
                {"burn": {"input": 2600, "output": 210, "cost": "0.0110"}},
                "push",
                {"summary": "Merged the base branch, both lines kept."},
            ],
        },
    ]
    return {"speed": speed, "story": turns}


def silence(speed: float) -> dict[str, Any]:
    """An agent that begins, and is never heard of again."""
    return {"speed": speed, "story": [{"on": "prompt", "steps": [{"say": "..."}, "hang"]}]}


@dataclass(frozen=True, slots=True)
class Scene:
    """Where the demo plays. ``runtime`` is tmux where there is one."""

    root: Path
    runtime: str
    port: int
    agent: str

    @property
    def home(self) -> Path:
        """The ``ENNIO_HOME`` of the demo."""
        return self.root / "home"

    @property
    def bare_remote(self) -> Path:
        """The bare repository everybody pushes to."""
        return self.root / "score.git"

    @property
    def clone(self) -> Path:
        """The person's own clone."""
        return self.root / "score"

    @property
    def config(self) -> Path:
        """The configuration file."""
        return self.clone / "ennio.yaml"

    def environment(self) -> dict[str, str]:
        """What the demo's supervisor is started with."""
        own = {
            "ENNIO_HOME": str(self.home),
            "ENNIO_TMUX_SOCKET": f"ennio-demo-{os.getpid()}",
            "ENNIO_CHAOS": "1",
        }
        author = {
            "GIT_CONFIG_COUNT": "2",
            "GIT_CONFIG_KEY_0": "user.name",
            "GIT_CONFIG_VALUE_0": "Ennio's demo",
        }
        return {
            **os.environ,
            **own,
            **author,
            "GIT_CONFIG_KEY_1": "user.email",
            "GIT_CONFIG_VALUE_1": "demo@localhost",
        }


def free_port() -> int:
    """A port nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def build(root: Path, agent: str, speed: float, runtime: str | None = None) -> Scene:
    """Set the scene. Raises Refused when git is missing."""
    if shutil.which("git") is None:
        raise Refused(
            "the demo needs git, and there is none; Debian, Ubuntu: sudo apt-get install git; "
            "macOS: brew install git"
        )
    chosen = runtime or ("tmux" if shutil.which("tmux") else "process")
    scene = Scene(root, chosen, free_port(), agent)
    _repository(scene)
    scene.config.write_text(_configuration(scene, speed), encoding="utf-8")
    trusted.trust(load(scene.config, os.environ), Home(scene.home), {})
    return scene


def _repository(scene: Scene) -> None:
    scene.clone.mkdir(parents=True)
    (scene.clone / "check.sh").write_text(CHECK)
    (scene.clone / "CHANGES.md").write_text(CHANGES)
    _git(scene, "init", "--quiet", "--initial-branch=main")
    for key, value in (("user.name", "Ennio's demo"), ("user.email", "demo@localhost")):
        _git(scene, "config", key, value)
    _git(scene, "add", ".")
    _git(scene, "commit", "--quiet", "--message", "Begin")
    _git(scene, "clone", "--quiet", "--bare", ".", str(scene.bare_remote))
    _git(scene, "remote", "add", "origin", str(scene.bare_remote))
    _git(scene, "fetch", "--quiet", "origin")


def _git(scene: Scene, *args: str) -> None:
    subprocess.run(
        ("git", "-C", str(scene.clone), *args), check=True, capture_output=True, timeout=60
    )


TELL = "cat >> .notices.jsonl; echo >> .notices.jsonl"
"""How the person of the demo is told: by a line in a file beside the configuration."""


def _configuration(scene: Scene, speed: float) -> str:
    import yaml  # noqa: PLC0415 - only the demo writes YAML

    def project(name: str, agent: str, passthrough: dict[str, Any]) -> dict[str, Any]:
        scripted = {"agent_config": {"passthrough": passthrough}} if agent == "scripted" else {}
        checks = [{"name": "greetings", "run": "sh check.sh", "timeout": 60}]
        forge = {"plugin": "local", "config": {"checks": checks, "review_required": True}}
        where = {"repo": str(scene.bare_remote), "path": str(scene.clone)}
        return {
            "name": name,
            **where,
            "agent": agent,
            "runtime": scene.runtime,
            "scm_config": forge,
            **scripted,
        }

    return yaml.safe_dump(
        {
            "port": scene.port,
            "database_url": "sqlite:ennio.db",  # of its own, whatever DATABASE_URL says
            "min_free_memory": 0,
            "poll": {"runtime": "250ms", "agent": "200ms", "forge": "250ms"},
            "reactions": {
                "approved-and-green": {"action": "auto_merge"},
                "agent-stuck": {"threshold": "4s", "escalate_after": "4s"},
            },
            "notifiers": [
                {"plugin": "command", "name": "person", "config": {"argv": ["sh", "-c", TELL]}}
            ],
            "defaults": {"notifiers": ["person"]},
            "budgets": [{"scope": "session", "limit_usd": BUDGET, "warn_at": 0.5}],
            "projects": [
                project("score", scene.agent, story(speed)),
                project("rest", "scripted", silence(speed)),
            ],
        },
        sort_keys=False,
    )
