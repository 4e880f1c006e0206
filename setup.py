"""What setup.cfg cannot say: the dashboard is built into what is built of these sources.

It is built where it is not there already and npm is. Where it cannot be, the package comes without
it, and its page says so. An editable installation never builds it: ``bin/ennio`` does that when
somebody wants to see it. ``bin/wheel`` insists on it, and on its being that of these sources.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

ROOT = Path(__file__).resolve().parent
PAGE = ROOT / "ennio" / "http" / "dashboard" / "dist" / "index.html"
SOURCES = ROOT / "dashboard" / "package.json"


def build_page() -> None:
    """Build it with npm, unless it is there."""
    npm = shutil.which("npm")
    if PAGE.is_file() or not SOURCES.is_file():
        return
    if npm is None:
        print("WARNING: npm is missing: what is built here has no dashboard", file=sys.stderr)
        return
    # no Python has Ennio while it is built: the page is built without the types of its API
    env = {**os.environ, "ENNIO_PYTHON": ""}
    for words in (("ci", "--ignore-scripts", "--no-audit", "--no-fund"), ("run", "build")):
        done = subprocess.run((npm, *words), cwd=SOURCES.parent, env=env, check=False)
        if done.returncode != 0:
            print("WARNING: npm failed: what is built here has no dashboard", file=sys.stderr)
            return


class WithPage(build_py):
    """Builds the page before its files are looked for."""

    def run(self) -> None:
        """See ``build_py``."""
        if not self.editable_mode:
            build_page()
        super().run()


class Sources(sdist):
    """The sources hold the built page, too: who installs them needs no npm."""

    def run(self) -> None:
        """See ``sdist``."""
        build_page()
        super().run()


setup(cmdclass={"build_py": WithPage, "sdist": Sources})
