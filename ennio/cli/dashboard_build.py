"""Builds the dashboard of a checkout, where npm is there; a wheel has it built already.

Only what is about to show it builds it, ``ennio dashboard`` and ``ennio demo --open``, so nothing
else ever waits; and only where ``bin/ennio`` was called (``-X ennio-checkout``), so that no program
fetches packages that nobody sees. A supervisor that runs serves the page as soon as it is there.
``python -m ennio.cli.dashboard_build`` is what ``bin/test`` calls. Of two who build at once one
waits for the other. What is built is known by what its sources hold, so nothing is done twice.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from ennio.board.printing import note
from ennio.http.dashboard_files import BUILT, INDEX
from ennio.http.pages import BUILD, WITHOUT
from ennio.machine import files
from ennio.machine.installation import checkout
from ennio.model.errors import EnnioError, Unreachable

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "dashboard"
_STAMP = BUILT.with_name("stamp")
_LOCK = BUILT.with_name("build.lock")
_MADE = {"node_modules", ".work", "schema.d.ts"}
_PATIENCE = 1200.0
_PAUSE = 0.2

WANTED = "ennio-checkout" in sys._xoptions or checkout() is None  # noqa: SLF001 - documented under this name
"""Whether a person called it, who is to see it or to be told why there is none."""

Say = Callable[[str], None]


def current() -> bool:
    """Whether the page that is served is the one of these sources; there may be none of them."""
    if not (BUILT / INDEX).is_file():
        return False
    try:
        return not SOURCES.is_dir() or _STAMP.read_text("ascii") == _fingerprint()
    except OSError:
        return False


def buildable() -> bool:
    """Whether this is a checkout on a machine with npm."""
    return (SOURCES / "package.json").is_file() and shutil.which("npm") is not None


def build_for_a_person(say: Say) -> None:
    """Build what is not current; where that cannot be, say why, and what there is instead."""
    if current():
        return
    if checkout() is None:
        say(WITHOUT)
        return
    if not buildable():
        say(f"the dashboard is not built; where npm is: {' && '.join(BUILD)}")
        return
    try:
        build(say)
    except EnnioError as error:
        say(f"{error}\nthe page names commands until that is mended")


def build(say: Say) -> None:
    """Build it unless it is current; what goes on is said. Raises EnnioError with npm's words."""
    if current():
        return
    BUILT.parent.mkdir(parents=True, exist_ok=True)
    held = _take(say)
    try:
        if not current():  # another one has built it while we waited
            _build(say)
    finally:
        os.close(held)


def _take(say: Say) -> int:
    deadline = time.monotonic() + _PATIENCE
    waits = False
    while (held := files.acquire(_LOCK)) is None:
        if time.monotonic() > deadline:
            raise Unreachable(f"another command builds the dashboard and does not end ({_LOCK})")
        if not waits:
            say("another command builds the dashboard; waiting for it ...")
        waits = True
        time.sleep(_PAUSE)
    return held


def _build(say: Say) -> None:
    begun, print_ = time.monotonic(), _fingerprint()
    installed = SOURCES / "node_modules" / ".package-lock.json"
    lock = SOURCES / "package-lock.json"
    if not installed.is_file() or installed.stat().st_mtime < lock.stat().st_mtime:
        say("the dashboard: fetching what its build needs (once, a minute or two) ...")
        _npm("ci", "--ignore-scripts", "--no-audit", "--no-fund")
        os.utime(installed)
    say("the dashboard: building ...")
    _npm("run", "--silent", "build")
    _STAMP.write_text(print_, "ascii")
    say(f"the dashboard is built ({time.monotonic() - begun:.0f} s)")


def _npm(*words: str) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise EnnioError("npm is missing (Debian, Ubuntu: sudo apt-get install npm)")
    ended = subprocess.run(
        (npm, *words),
        cwd=SOURCES,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "ENNIO_PYTHON": sys.executable},
        timeout=_PATIENCE,
        check=False,
    )
    if ended.returncode != 0:
        last = "\n".join(ended.stdout.decode(errors="replace").splitlines()[-15:])
        raise EnnioError(f"npm {' '.join(words)} failed in {SOURCES}:\n{last}")


def _fingerprint() -> str:
    """Of everything that the page is made of."""
    digest = hashlib.sha256()
    for folder, below, names in os.walk(SOURCES):
        below[:] = sorted(set(below) - _MADE)
        for name in sorted(set(names) - _MADE):
            path = Path(folder, name)
            digest.update(f"{path.relative_to(SOURCES)}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


if __name__ == "__main__":
    try:
        build(lambda words: note(f"ennio: {words}"))
    except EnnioError as error:
        note(f"ennio: {error}")
        sys.exit(1)
