"""The plugin in examples/ as anybody would use it: really installed, found, configured, told."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

from tests.conftest import lacking

ROOT = Path(__file__).resolve().parents[2]

CONFIG = """\
defaults: {notifiers: [diary]}
notifiers:
  - {plugin: logbook, name: diary, config: {path: kept/logbook.jsonl}}
projects:
  - {name: app, repo: "git@github.com:user/app.git", path: /tmp/app}
"""
TELL = """\
import os, sys
from pathlib import Path
from ennio.model.clock import ManualClock
from ennio.config.load import load
from ennio.machine.home import Home
from ennio.model.session import Priority
from ennio.plugins.notifier.interface import Notification
from ennio.plugins.registry import Registry
from ennio.plugins.shipped import known

config = load(Path(sys.argv[1]), os.environ, known())
channel = config.notifiers[0]
for name in sys.argv[2:]:  # every one as after a new start: it is doubted whether it was told before
    registry = Registry(Home(config.directory / "home"), ManualClock(), directory=config.directory)
    plugin = registry.notifier(channel.plugin, channel.name, channel.config)
    plugin.notify(Notification(name, "merge_ready", Priority.ACTION, "s-1", "app", "gr\\u00fcn \\u2713", ManualClock().now()))
"""


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which the plugin was installed by pip, and nothing else."""
    try:
        able = int(version("setuptools").split(".")[0]) >= 71
    except PackageNotFoundError:
        able = False
    if not able:
        lacking("setuptools 71 or newer is not installed: the example plugin was NOT built")
    place = tmp_path_factory.mktemp("plugin")
    source = shutil.copytree(
        ROOT / "examples" / "plugin", place / "source"
    )  # a build leaves its traces beside the source
    target = place / "site"
    quiet = (
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
    )
    told = subprocess.run(
        (sys.executable, "-m", "pip", "install", *quiet, "--target", str(target), str(source)),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    return target


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "ennio.yaml"
    file.write_text(CONFIG)
    return file


def _python(installed: Path, *words: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join((str(installed), str(ROOT)))
    environment = {**os.environ, "PYTHONPATH": path}
    return subprocess.run(
        (sys.executable, *words),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=environment,
    )


def test_its_name_may_be_used_once_it_is_installed_and_not_before(
    installed: Path, tmp_path: Path, config: Path
) -> None:
    check = ("-m", "ennio.cli", "config", "check", "--config", str(config))
    without = _python(tmp_path, *check)
    assert without.returncode != 0
    assert "logbook" in without.stdout + without.stderr
    with_it = _python(installed, *check)
    assert with_it.returncode == 0, with_it.stderr


def test_it_writes_what_it_is_told_and_nothing_twice(installed: Path, config: Path) -> None:
    told = _python(installed, "-c", TELL, str(config), "n-1", "n-2", "n-1")
    assert told.returncode == 0, told.stderr
    lines = (config.parent / "kept" / "logbook.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["id"] for line in lines] == ["n-1", "n-2"]
    assert json.loads(lines[0]) == {
        "id": "n-1",
        "at": "2026-01-01T00:00:00.000000+00:00",
        "priority": "action",
        "project": "app",
        "session": "s-1",
        "event": "merge_ready",
        "message": "grün ✓",
    }


def test_it_can_be_tried_again_when_the_file_cannot_be_written(
    installed: Path, config: Path
) -> None:
    (config.parent / "kept").write_text("a file where the folder should be")
    told = _python(installed, "-c", TELL, str(config), "n-1")
    assert "ennio.model.errors.Unreachable: the logbook" in told.stderr


def test_it_says_which_setting_is_missing(installed: Path, config: Path) -> None:
    config.write_text(CONFIG.replace("path: kept/logbook.jsonl", ""))
    told = _python(installed, "-c", TELL, str(config), "n-1")
    assert "config.path: is missing: write the file" in told.stderr
