"""How this Ennio was installed: in a checkout beside ``bin/``, or by pip, pipx or uv; and so how a
shell calls it, and how it is given what it does without.
"""

from __future__ import annotations

import importlib.util
import os
import shlex
import sys
from pathlib import Path

_MODULES = {
    "ennio": "ennio.cli",
    "ennio-supervisor": "ennio.supervise",
    "ennio-node": "ennio.node",
}


def checkout() -> Path | None:
    """The folder of the sources that run, where they are a checkout; None where they are
    installed.
    """
    root = Path(__file__).resolve().parents[2]
    return root if os.access(root / "bin" / "ennio", os.X_OK) else None


def command(name: str = "ennio") -> list[str]:
    """What starts one of our programs from any folder of this machine, whatever ``PATH`` says."""
    root = checkout()
    # not resolved: the interpreter of an environment is a link to another, and what is beside that
    # is not ours
    places = [root / "bin"] if root is not None else []
    for place in (*places, Path(sys.executable).parent):
        if os.access(place / name, os.X_OK):
            return [str(place / name)]
    return [sys.executable, "-m", _MODULES[name]]


def program() -> str:
    """How a shell calls Ennio from any folder of this machine."""
    return shlex.join(command())


def adding(extra: str) -> str:
    """The command that brings the packages of an extra into the environment Ennio runs in."""
    # an environment that uv made has no pip of its own
    way = (
        ["-m", "pip", "install"]
        if importlib.util.find_spec("pip") is not None
        else ["pip", "install", "--python", sys.executable]
    )
    first = sys.executable if way[0] == "-m" else "uv"
    return shlex.join([first, *way, f"ennio[{extra}]"])
