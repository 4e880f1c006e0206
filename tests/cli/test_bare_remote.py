"""What ``ennio init`` changes in a person's own clone."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ennio.cli.bare_remote import exclude


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "--quiet", str(tmp_path / "clone")], check=True, timeout=60)
    return tmp_path / "clone"


def test_a_persons_patterns_stay_as_they_are_whatever_bytes_they_have(clone: Path) -> None:
    file = clone / ".git" / "info" / "exclude"
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(b"# caf\xe9\n*.log")
    file.chmod(0o640)
    for _ in range(2):
        exclude(clone, "ennio.db*")
    assert file.read_bytes() == b"# caf\xe9\n*.log\nennio.db*\n"
    assert file.stat().st_mode & 0o777 == 0o640


def test_patterns_that_are_kept_as_a_link_stay_a_link(clone: Path, tmp_path: Path) -> None:
    file = clone / ".git" / "info" / "exclude"
    file.parent.mkdir(exist_ok=True)
    file.unlink(missing_ok=True)
    (tmp_path / "mine").write_text("*.log\n")
    file.symlink_to(tmp_path / "mine")
    exclude(clone, "ennio.db*")
    assert file.is_symlink()
    assert (tmp_path / "mine").read_text() == "*.log\nennio.db*\n"
