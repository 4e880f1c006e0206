"""A configuration in which something is broken, and the commands that are printed to mend it, done
word by word as they would be typed.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.fork_server import forked

if TYPE_CHECKING:
    from tests.cli.conftest import Place

ROOT = Path(__file__).resolve().parents[2]
_SENTENCE = re.compile(r"^.*(?:when you agree: |up to date: )")
"""What stands before the command, where a sentence leads to it."""
_REMARK = re.compile(r"\s{2,}\(.*\)$|\s{3}or .*$")
"""What stands behind it."""
_QUOTED = re.compile(r"`((?:ennio|git|mkdir -p) [^`]+)`")
_LED_TO = re.compile(
    r"(?:: |; )((?:ennio|git|rm|mv|cp) [^;]+?)(?:\s{2,}.*| finds them| and .*)?$", re.MULTILINE
)


@dataclass(slots=True)
class Sick:
    """A folder with a configuration, where something is to be broken and mended."""

    place: Place
    env: dict[str, str]

    @property
    def folder(self) -> Path:
        return self.place.folder

    def write(self, *, repo: str = "", path: str = "", more: str = "", top: str = "") -> None:
        """The file, with one project."""
        where = f"{{name: app, repo: {repo or self.folder}, path: {path or self.folder}{more}}}"
        text = "defaults: {agent: scripted, runtime: process}\n" + top
        (self.folder / "ennio.yaml").write_text(f"{text}projects:\n  - {where}\n")

    def sh(self, line: str) -> subprocess.CompletedProcess[str]:
        """As typed into the shell of whoever reads it."""
        return subprocess.run(
            ["sh", "-c", line],
            cwd=self.folder,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def findings(self) -> list[dict[str, str]]:
        """All that ``ennio doctor`` finds."""
        ended = self.sh("ennio doctor --json")
        assert ended.stderr == ""
        return list(json.loads(ended.stdout)["findings"])

    def doctor(self) -> dict[str, str]:
        """What is not well, with the way out of each."""
        found = self.findings()
        return {one["what"]: one["fix"] for one in found if one["level"] != "fine"}

    def finds(self, words: str) -> str:
        """The way out of what is told by these words."""
        found = self.doctor()
        return next((way for what, way in found.items() if words in what), "") or pytest.fail(
            f"nothing of {words!r} in {found}"
        )

    def heals(self, words: str) -> str:
        """Do what is printed under it, and see it gone; what was done is given back."""
        command = _REMARK.sub("", _SENTENCE.sub("", self.finds(words)))
        done = self.sh(command)
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        left = self.doctor()
        assert not [what for what in left if words in what], (command, left)
        return command


@contextmanager
def sick_at(place: Place) -> Iterator[Sick]:
    """A sound one to begin with; whatever supervisor is left at the end is stopped."""
    programs = place.home / "programs"
    programs.mkdir()
    shim = programs / "ennio"
    shim.write_text(f'#!/bin/sh\nexec {shlex.join(forked())} "$@"\n')
    shim.chmod(0o755)
    env = place.env | {
        "PATH": f"{programs}:{place.env['PATH']}",
        "PYTHONPATH": str(ROOT),
        "GIT_CONFIG_GLOBAL": str(place.home / ".gitconfig"),
    }
    place.git("init", "-q", "-b", "main")
    place.git("commit", "-q", "--allow-empty", "-m", "first")
    one = Sick(place, env)
    one.write()
    yield one
    one.sh("ennio stop --timeout 20")


def refused(sick: Sick, line: str, words: str) -> str:
    """What an error says, which has these words."""
    done = sick.sh(line)
    assert done.returncode != 0, done
    said = done.stderr + done.stdout
    assert words in said, done
    return said


def way_out(said: str) -> str:
    """The command that it names."""
    found = _QUOTED.findall(said) or _LED_TO.findall(said)
    assert found, said
    return (
        str(found[-1])
        .replace("ennio start", "ennio start --detach")
        .replace("--detach --detach", "--detach")
    )


def heals(sick: Sick, line: str, words: str, *, where: str = ".") -> str:
    """Do what the error names, and see the same line go through; what was done is given back."""
    way = way_out(refused(sick, f"cd {where} && {line}", words))
    done = sick.sh(f"cd {where} && {way}")
    assert done.returncode == 0, (way, done)
    again = sick.sh(f"cd {where} && {line}")
    assert again.returncode == 0, (way, again)
    assert words not in again.stderr + again.stdout
    return way


def runs(sick: Sick) -> None:
    done = sick.sh("ennio start --detach")
    assert done.returncode == 0, done


def spawned(sick: Sick, *more: str) -> str:
    done = sick.sh(f"ennio spawn app -p hello --json {' '.join(more)}")
    assert done.returncode == 0, done
    return str(json.loads(done.stdout)["id"])


def status_of(sick: Sick, session: str) -> str:
    found = json.loads(sick.sh("ennio status --json --all").stdout)
    return str(next(one["status"] for one in found["sessions"] if one["id"] == session))
