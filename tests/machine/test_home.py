"""Where Ennio lies and keeps its files."""

from __future__ import annotations

import shlex
from pathlib import Path

from ennio.machine.home import program


def test_a_shell_calls_the_program_of_this_very_checkout() -> None:
    assert shlex.split(program()) == [str(Path(__file__).resolve().parents[2] / "bin" / "ennio")]
