"""Homes of every kind: linked, missing, not writable, nobody's. A sentence says what to set;
nothing is changed for the worse.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from ennio.cli.doctor import machine
from ennio.cli.doctor.finding import Level
from ennio.machine.home import Home, person, private
from ennio.model.errors import Refused
from tests.cli.conftest import ROOT, Place
from tests.ended import Ended

NOBODY = 12377
rooted = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("setpriv") is None,
    reason="only root can become a user that the machine does not know",
)


@pytest.fixture
def stranger(place: Place, tmp_path: Path) -> Place:
    """A place that an unknown user owns, with a configuration."""
    (place.folder / "ennio.yaml").write_text(
        "port: 0\nprojects: [{name: a, repo: ../hub.git, path: .}]\n"
    )
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(folder.stat().st_mode | 0o755)
    for path in (place.folder, place.home, place.folder / "ennio.yaml"):
        os.chown(path, NOBODY, NOBODY)
    return place


def as_stranger(place: Place, *words: str, **env: str) -> Ended:
    """The command as that user, with this environment and no more."""
    # may read what root may (Python may lie in root's own home), but writes where anybody may
    become = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    become += ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    done = subprocess.run(
        [*become, *place.command(*words)], cwd=place.folder, env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)} | env,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return Ended(done.returncode, done.stdout, done.stderr)


@rooted
@pytest.mark.parametrize(
    "words",
    [["status"], ["doctor"], ["start", "--detach"], ["spawn", "a", "-p", "x"], ["config", "check"]],
)
def test_a_user_nobody_knows_without_a_home_is_told_what_to_set(
    stranger: Place, words: list[str]
) -> None:
    ended = as_stranger(stranger, *words)
    assert "Traceback" not in ended.err, ended.err
    if words[0] != "config":
        assert ended.code in (1, 5)
        assert "set HOME, or set ENNIO_HOME to a folder of your own" in ended.out + ended.err


@rooted
@pytest.mark.parametrize("home", ["/", "/nonexistent"])
def test_a_home_that_cannot_be_written_to_is_no_reason_to_own_the_machine(
    stranger: Place, home: str
) -> None:
    for words in (["doctor"], ["start", "--detach", "--trust"]):
        ended = as_stranger(stranger, *words, HOME=home)
        assert ended.code in (1, 5)
        assert "chown" not in ended.out + ended.err
        assert "ENNIO_HOME" in ended.out + ended.err
        assert "Traceback" not in ended.err


@rooted
def test_with_ennio_home_given_nothing_else_is_needed(stranger: Place) -> None:
    ended = as_stranger(stranger, "status", ENNIO_HOME=str(stranger.home))
    assert ended.code == 4, ended


def test_the_home_is_known_by_its_real_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    for named in ("link", "link/../real", "real/."):
        monkeypatch.setenv("ENNIO_HOME", str(tmp_path / named))
        assert Home.of_environment() == Home(tmp_path / "real")
    monkeypatch.delenv("ENNIO_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "link"))
    monkeypatch.delenv("ENNIO_TMUX_SOCKET", raising=False)
    assert Home.of_environment() == Home(tmp_path / "real" / ".ennio")
    assert Home.of_environment().tmux_socket == "ennio"


def test_a_relative_home_and_one_of_somebody_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ENNIO_HOME", "here")
    assert Home.of_environment().root == tmp_path.resolve() / "here"
    monkeypatch.setenv("ENNIO_HOME", "~nobody-of-this-name/x")
    with pytest.raises(Refused, match="set HOME, or set ENNIO_HOME"):
        Home.of_environment()


def test_a_loop_of_links_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    monkeypatch.setenv("ENNIO_HOME", str(tmp_path / "a"))
    with pytest.raises(Refused, match=r"cannot be made .*ENNIO_HOME"):
        private(Home.of_environment().root / "run")


def test_a_person_without_a_home_is_taken_for_one_at_the_root(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOME", "")
    assert person() == Path("/")


def test_a_file_in_place_of_the_home_is_told(place: Place) -> None:
    (place.folder / "ennio.yaml").write_text("port: 0\nprojects: []\n")
    (place.home / "file").write_text("")
    told = place.ennio("start", "--detach", ENNIO_HOME=str(place.home / "file" / "below"))
    assert told.code == 5
    assert f"the folder {place.home}/file/below" in told.err
    assert "set ENNIO_HOME to a folder that you can write to" in told.err
    assert (
        "file is no folder"
        in place.ennio("doctor", ENNIO_HOME=str(place.home / "file" / "below")).out
    )


def test_doctor_looks_at_the_folder_of_the_database(tmp_path: Path) -> None:
    assert machine.database("sqlite::memory:") is None
    assert machine.database("postgresql://x/y") is None
    fine = machine.database(f"sqlite:{tmp_path}/ennio.db?mode=x")
    assert fine is not None
    assert fine.level is Level.FINE
    (tmp_path / "file").write_text("")
    wrong = machine.database(f"sqlite:{tmp_path}/file/ennio.db")
    assert wrong is not None
    assert wrong.level is Level.BROKEN
    assert "is no folder" in wrong.what


@pytest.mark.skipif(
    shutil.which("unshare") is None or os.geteuid() != 0, reason="only root can mount a disk"
)
def test_a_read_only_disk_is_named_with_its_folder_and_the_way_out(place: Place) -> None:
    (place.folder / "ennio.yaml").write_text(
        "port: 0\ndatabase_url: sqlite:disk/ennio.db\nprojects: []\n"
    )
    disk = place.folder / "disk"
    disk.mkdir()

    def on_read_only_disk(*words: str) -> Ended:
        inside = f"mount -t tmpfs -o ro none {disk} && exec {shlex.join(place.command(*words))}"
        done = subprocess.run(
            ["unshare", "-m", "sh", "-c", inside], cwd=place.folder, env=place.env | {"ENNIO_HOME": str(disk / "home")},
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        return Ended(done.returncode, done.stdout, done.stderr)

    started = on_read_only_disk("start", "--detach")
    if "mount:" in started.err:
        pytest.skip(f"no disk can be mounted here: {started.err}")
    assert started.code == 5
    assert f"the database is {disk}/ennio.db, and {disk} lies on a read-only disk" in started.err
    assert "database_url: sqlite:" in started.err
    (place.folder / "ennio.yaml").write_text("port: 0\nprojects: []\n")
    started = on_read_only_disk("start", "--detach")
    assert started.code == 5
    assert f"the folder {disk}/home/" in started.err
    assert "read-only file system" in started.err
    assert "set ENNIO_HOME" in started.err
    (place.folder / "ennio.yaml").write_text(
        "port: 0\ndatabase_url: sqlite:disk/ennio.db\nprojects: []\n"
    )
    looked = on_read_only_disk("doctor")
    assert f"state belongs in {disk}/home, and {disk} lies on a read-only disk" in looked.out
    assert f"the database is {disk}/ennio.db, and {disk} lies on a read-only disk" in looked.out
