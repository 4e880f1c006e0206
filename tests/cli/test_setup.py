"""``bin/ennio``: the way to Python, and what it says when there is none. The set-up itself installs
packages and is not run here.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT

TOOLS = ("cksum", "cat", "mkdir", "mv", "rm", "sleep", "tail", "touch", "readlink")
REPORT = (
    '#!/bin/sh\nif [ "$1" = -c ]; then exit 0; fi\npwd\nfor word in "$@"; do echo "<$word>"; done\n'
)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of what the commands need, at a path with a space in it."""
    root = tmp_path / "the tree"
    shutil.copytree(ROOT / "bin", root / "bin")
    for name in ("setup.cfg", "pyproject.toml"):
        shutil.copy(ROOT / name, root / name)
    return root


def _finished(root: Path) -> None:
    """As a set-up leaves it, but with a Python that reports its arguments."""
    python = root / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(REPORT)
    python.chmod(0o755)
    script = (
        f'root="{root}"; venv="$root/.venv"; . "$root/bin/.setup.sh"; {{ echo "$root" && '
        f'fingerprint; }} >"$venv/stamp"'
    )
    subprocess.run(["sh", "-c", script], check=True)


def _bare_path(tmp_path: Path) -> str:
    """A PATH with the tools the scripts use and no Python."""
    folder = tmp_path / "bare"
    folder.mkdir(exist_ok=True)
    for tool in TOOLS:
        (folder / tool).symlink_to(shutil.which(tool) or "")
    return str(folder)


def _run(
    command: list[str], cwd: Path, path: str = os.environ["PATH"]
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=cwd,
        env={"PATH": path},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.parametrize(
    ("script", "options", "module"),
    [
        ("ennio", ["<-I>", "<-X>", "<ennio-checkout>"], "ennio.cli"),
        ("ennio-supervisor", ["<-I>"], "ennio.supervise"),
    ],
)
def test_a_finished_set_up_leads_straight_to_python_where_it_was_called(
    tree: Path, tmp_path: Path, script: str, options: list[str], module: str
) -> None:
    _finished(tree)
    done = _run([str(tree / "bin" / script), "send", "a b", "$(x)", ""], tmp_path)
    assert done.stdout.splitlines() == [
        str(tmp_path),
        *options,
        "<-m>",
        f"<{module}>",
        "<send>",
        "<a b>",
        "<$(x)>",
        "<>",
    ]
    assert done.stderr == ""


def test_it_works_through_links_and_from_its_own_folder(tree: Path, tmp_path: Path) -> None:
    _finished(tree)
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "one").symlink_to("../the tree/bin/ennio")
    (tmp_path / "two").symlink_to(tmp_path / "links" / "one")
    assert "<ennio.cli>" in _run([str(tmp_path / "two")], tmp_path).stdout
    assert "<ennio.cli>" in _run(["sh", "ennio"], tree / "bin").stdout


def test_a_new_date_alone_needs_no_set_up(tree: Path, tmp_path: Path) -> None:
    _finished(tree)
    os.utime(tree / "setup.cfg", (2**31, 2**31))
    done = _run([str(tree / "bin" / "ennio")], tmp_path, _bare_path(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("change", ["nothing made", "setup.cfg", "moved", "interrupted"])
def test_without_a_python_the_ways_to_get_one_are_told(
    tree: Path, tmp_path: Path, change: str
) -> None:
    if change != "nothing made":
        _finished(tree)
    if change == "setup.cfg":
        # what is made stays in use as far as it goes, so that only the installing is left; the
        # interpreter here cannot do it
        (tree / "setup.cfg").write_text("changed")
        os.utime(tree / "setup.cfg", (2**31, 2**31))
        (tree / ".venv" / "bin" / "python").write_text("#!/bin/sh\nexit 1\n")
    if change == "moved":
        tree = tree.rename(tmp_path / "elsewhere")
        (tree / ".venv" / "bin" / "python").write_text("#!/bin/sh\nexit 1\n")
    if change == "interrupted":
        (tree / ".venv" / "stamp").unlink()
    done = _run([str(tree / "bin" / "ennio"), "status"], tmp_path, _bare_path(tmp_path))
    assert (done.returncode, done.stdout) == (1, "")
    assert "Python 3.11 or newer is needed" in done.stderr
    assert "apt-get install python3" in done.stderr
    assert not (tree / ".venv.lock").exists()


def test_the_lock_of_a_dead_set_up_is_taken_over(tree: Path, tmp_path: Path) -> None:
    _finished(tree)
    (tree / ".venv" / "stamp").write_text("older\n")
    with subprocess.Popen(["true"]) as dead:
        dead.wait()
    (tree / ".venv.lock").mkdir()
    (tree / ".venv.lock" / "pid").write_text(f"{dead.pid}\n")
    done = _run([str(tree / "bin" / "ennio")], tmp_path, _bare_path(tmp_path))
    assert "waiting" not in done.stderr
    assert not (tree / ".venv.lock").exists()
