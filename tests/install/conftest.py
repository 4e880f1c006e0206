"""What Ennio is installed from, built once, and an environment it is installed into, for all of
these tests.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import lacking
from tests.ended import Ended

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Built:
    """What ``bin/wheel --house`` made."""

    house: Path

    @property
    def wheel(self) -> Path:
        return next(self.house.glob("ennio-*.whl"))

    @property
    def sources(self) -> Path:
        return next(self.house.glob("ennio-*.tar.gz"))


@dataclass(frozen=True, slots=True)
class Installed:
    """An environment with Ennio, and a person of its own who knows nothing of the checkout."""

    root: Path

    @property
    def bin(self) -> Path:
        return self.root / "an environment" / "bin"

    @property
    def person(self) -> Path:
        return self.root / "person"

    @property
    def env(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("LANG", "TMPDIR") if name in os.environ}
        path = f"{self.bin}:/usr/local/bin:/usr/bin:/bin"
        git = {"GIT_CONFIG_SYSTEM": "/dev/null", "GIT_AUTHOR_NAME": "P", "GIT_COMMITTER_NAME": "P"}
        mail = {"GIT_AUTHOR_EMAIL": "p@example.org", "GIT_COMMITTER_EMAIL": "p@example.org"}
        return kept | git | mail | {"HOME": str(self.person), "PATH": path}

    def run(self, *words: str, cwd: Path | None = None, timeout: float = 120) -> Ended:
        done = subprocess.run(
            words,
            cwd=cwd or self.person,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def repository(self, place: Path) -> None:
        """A repository of that person's, with one commit."""
        for words in (("init", "-b", "main", str(place)), ("-C", str(place), "commit")):
            more = ("--allow-empty", "-m", "begin") if words[-1] == "commit" else ()
            done = self.run("git", *words, "-q", *more)
            assert done.code == 0, done.err

    def ennio(self, *words: str, cwd: Path | None = None, timeout: float = 120) -> Ended:
        return self.run(str(self.bin / "ennio"), *words, cwd=cwd, timeout=timeout)


@pytest.fixture(scope="package")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Wheel, sources and a wheelhouse; a laptop without a network or npm skips, CI fails."""
    house = tmp_path_factory.mktemp("house")
    done = subprocess.run(
        [ROOT / "bin" / "wheel", "--house", house], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        lacking(f"no wheelhouse could be made: what is installed was NOT tested: {done.stderr}")
    return Built(house)


@pytest.fixture(scope="package")
def installed(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Ennio, installed without a network into an environment that was empty."""
    found = Installed(tmp_path_factory.mktemp("installed"))
    found.person.mkdir()
    empty = (sys.executable, "-m", "venv", "--without-pip", str(found.bin.parent))
    subprocess.run(empty, check=True, timeout=120)
    pip = (sys.executable, "-m", "pip", "--isolated", "--python", str(found.bin / "python"))
    offline = ("--no-compile", "--no-index", "--find-links", str(built.house))
    done = found.run(*pip, "install", *offline, "ennio")
    assert done.code == 0, done.err
    return found
