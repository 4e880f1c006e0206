"""Homes of every kind: linked, missing, not writable, nobody's. A sentence says what to set;
nothing is changed for the worse.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ennio.cli.doctor import machine
from ennio.cli.doctor.finding import Level
from ennio.machine.home import Home, private
from ennio.machine.places import person
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


# may read what root may (Python may lie in root's own home), but writes where anybody may
_BECOME = (
    *("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"),
    *("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"),
)


def as_stranger(place: Place, *words: str, **env: str) -> Ended:
    """The command as that user, with this environment and no more."""
    done = subprocess.run(
        [*_BECOME, *place.command(*words)], cwd=place.folder, env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)} | env,
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
    assert (
        f"state belongs in {place.home}/file/below, and {place.home}/file is no folder" in told.err
    )
    assert f"export ENNIO_HOME={place.home}/.ennio" in told.err
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
        mount = f"mount -t tmpfs -o ro,size=1m none {disk}"
        inside = f"{mount} && exec {shlex.join(place.command(*words))}"
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
    assert f"state belongs in {disk}/home, and {disk} lies on a read-only disk" in started.err
    assert f"export ENNIO_HOME={place.home}/.ennio" in started.err
    assert f"sudo mount -o remount,rw {disk}" in started.err
    (place.folder / "ennio.yaml").write_text(
        "port: 0\ndatabase_url: sqlite:disk/ennio.db\nprojects: []\n"
    )
    looked = on_read_only_disk("doctor")
    assert f"state belongs in {disk}/home, and {disk} lies on a read-only disk" in looked.out
    assert f"the database is {disk}/ennio.db, and {disk} lies on a read-only disk" in looked.out
    assert "is full" not in looked.out, "however small it is, freeing some of it helps nobody"


def _fix(ended: Ended, words: str) -> str:
    """The first way out under the finding of these words."""
    found = json.loads(ended.out)["findings"]
    ways = [each["fix"] for each in found if words in each["what"]]
    assert len(ways) == 1, found
    return str(ways[0].partition("   or ")[0])


@rooted
@pytest.mark.parametrize("part", ["", "sessions", "run", "trust", "worktrees"])
def test_a_home_that_is_closed_to_its_owner_is_opened_by_what_doctor_prints(
    stranger: Place, part: str
) -> None:
    shut = stranger.home / "ennio" / part
    shut.mkdir(parents=True)
    for path in (stranger.home / "ennio", shut):
        os.chown(path, NOBODY, NOBODY)
    shut.chmod(0o555)
    env = {"ENNIO_HOME": str(stranger.home / "ennio"), "HOME": str(stranger.home)}
    words = f"and {shut} cannot be written to"
    started = as_stranger(stranger, "start", "--detach", "--trust", **env)
    assert started.code == 5
    assert words in started.err
    fix = _fix(as_stranger(stranger, "doctor", "--json", **env), words)
    assert fix == f"chmod u+rwx {shut}"
    subprocess.run([*_BECOME, "sh", "-c", fix], check=True)
    assert words not in as_stranger(stranger, "doctor", "--json", **env).out


@rooted
def test_where_a_home_cannot_be_opened_another_one_is_offered_that_can_be_written_to(
    stranger: Place, tmp_path: Path
) -> None:
    other = tmp_path / "of root"
    other.mkdir()
    env = {"ENNIO_HOME": str(other), "HOME": str(stranger.home)}
    words = f"state belongs in {other}, and {other} cannot be written to"
    fix = _fix(as_stranger(stranger, "doctor", "--json", **env), words)
    assert fix == f"export ENNIO_HOME={stranger.home}/.ennio"
    env["ENNIO_HOME"] = fix.partition("=")[2]
    assert "state belongs in" not in as_stranger(stranger, "doctor", "--json", **env).out


@rooted
def test_what_another_user_left_in_a_home_is_given_back_by_what_doctor_prints(
    stranger: Place,
) -> None:
    """As a ``sudo ennio start`` leaves it."""
    run = stranger.home / "ennio" / "run"
    run.mkdir(parents=True)
    os.chown(run.parent, NOBODY, NOBODY)
    env = {"ENNIO_HOME": str(stranger.home / "ennio"), "HOME": str(stranger.home)}
    ended = as_stranger(stranger, "doctor", "--json", **env)
    assert f"sudo chown -R {NOBODY} {run}" in ended.out, ended
    os.chown(run, NOBODY, NOBODY)
    assert "state belongs in" not in as_stranger(stranger, "doctor", "--json", **env).out


@rooted
@pytest.mark.parametrize("part", ["", "objects", "refs/heads"])
def test_a_repository_that_is_closed_to_its_owner_is_opened_by_what_doctor_prints(
    stranger: Place, part: str
) -> None:
    stranger.git("init", "-q", "-b", "main")
    for path in stranger.folder.rglob("*"):
        os.lchown(path, NOBODY, NOBODY)
    shut = stranger.folder / ".git" / part
    shut.chmod(0o555)
    env = {"ENNIO_HOME": str(stranger.home / "ennio"), "HOME": str(stranger.home)}
    words = f"nothing can be written in its repository: {shut} cannot be written to"
    fix = _fix(as_stranger(stranger, "doctor", "--json", **env), words)
    subprocess.run([*_BECOME, "sh", "-c", fix], check=True)
    assert words not in as_stranger(stranger, "doctor", "--json", **env).out


@rooted
def test_init_where_nothing_can_be_written_says_what_opens_it_and_leaves_nothing(
    stranger: Place,
) -> None:
    (stranger.folder / "ennio.yaml").unlink()
    os.chown(stranger.folder, 0, 0)
    stranger.git("init", "-q", "-b", "main")
    stranger.git("commit", "-q", "--allow-empty", "-m", "first")
    for path in (stranger.folder, *stranger.folder.rglob("*")):
        os.lchown(path, NOBODY, NOBODY)
    stranger.folder.chmod(0o555)
    env = {"ENNIO_HOME": str(stranger.home / "ennio"), "HOME": str(stranger.home)}
    ended = as_stranger(stranger, "init", **env)
    assert (ended.code, "Traceback" in ended.err) == (1, False), ended
    assert f"it is opened by: chmod u+rwx {stranger.folder}" in ended.err
    shut = stranger.home / "ennio"
    shut.mkdir(exist_ok=True)
    os.chown(shut, NOBODY, NOBODY)
    shut.chmod(0o555)
    ended = as_stranger(stranger, "init", **env)
    assert (ended.code, f"chmod u+rwx {shut}" in ended.err) == (5, True), ended


@rooted
def test_the_demo_without_a_folder_for_temporary_files_says_what_to_set(stranger: Place) -> None:
    code = (
        "import tempfile, sys; tempfile._candidate_tempdir_list = lambda: ['/proc/none']; "
        "from ennio.cli.main import main; sys.exit(main(['demo']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=stranger.env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 5
    assert f"export TMPDIR={stranger.home}" in done.stderr, done.stderr
