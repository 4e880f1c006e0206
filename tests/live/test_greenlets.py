"""A process of greenlets is patched as gevent does it, and looks once who wants to be told."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
WATCHED = """
import sys
read = []
sys.addaudithook(lambda event, given: event == "open" and str(given[0]).endswith("entry_points.txt") and read.append(str(given[0])))
from importlib import metadata
looked_up = metadata.entry_points
from ennio import greenlets
greenlets.patch()
"""


def told(code: str, *folders: Path) -> list[str]:
    """What a process printed that was patched so."""
    done = subprocess.run(
        [sys.executable, "-c", WATCHED + code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (ROOT, *folders)))},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def test_everything_is_patched_and_what_finds_plugins_is_as_it_was() -> None:
    code = """
from gevent import monkey
patched = ("os", "time", "_thread", "socket", "select", "selectors", "ssl", "subprocess", "signal", "queue")
print(*(name for name in patched if not monkey.is_module_patched(name)))
print(metadata.entry_points is looked_up)
"""
    assert told(code) == ["", "True"]


def test_nobody_is_asked_twice_what_it_wants_to_be_told() -> None:
    asked, twice = told("print(len(read) > 0, len(read) - len(set(read)), sep='\\n')")
    assert (asked, twice) == ("True", "0")


def test_who_wants_to_be_told_is(tmp_path: Path) -> None:
    info = tmp_path / "listener-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: listener\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[gevent.plugins.monkey.will_patch_module]\nsome = listener:heard\n"
    )
    (tmp_path / "listener.py").write_text(
        "modules = []\ndef heard(event):\n    modules.append(event.module_name)\n"
    )
    heard = told("import listener; print('socket' in listener.modules)", tmp_path)
    assert heard == ["True"]
