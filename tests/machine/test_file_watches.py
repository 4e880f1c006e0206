"""What the kernel tells of files: of those that are there, that come, that go, and that take another's place."""

from __future__ import annotations

import errno
import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ennio.machine.file_watches import FileWatches, Subject

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="inotify is of Linux alone")
ME, OTHER = ("me", "files"), ("other", "files")


@pytest.fixture
def watches() -> Iterator[FileWatches]:
    watches = FileWatches(lambda: None)
    yield watches
    watches.close()


def told(watches: FileWatches, within: float = 5.0) -> set[Subject]:
    """Who is told, once somebody is or the time is over."""
    until = time.monotonic() + within
    while time.monotonic() < until:
        number = watches.fileno()
        select.select([number] if number is not None else [], [], [], until - time.monotonic())
        if found := watches.changed():
            return set(found)
    return set()


def append(file: Path, text: str = "line\n") -> None:
    with file.open("a") as lines:
        lines.write(text)


def replaced(file: Path) -> None:
    draft = file.with_name("draft")
    draft.write_text("whole")
    draft.replace(file)


def rotated(file: Path) -> None:
    file.rename(file.with_name("old"))


@pytest.mark.parametrize("change", [append, replaced, rotated, Path.unlink, Path.touch])
def test_a_file_that_changes_is_told(
    watches: FileWatches, tmp_path: Path, change: Callable[[Path], object]
) -> None:
    file = tmp_path / "transcript"
    file.write_text("begun\n")
    assert watches.watch(ME, [file])
    change(file)
    assert told(watches) == {ME}


def test_a_file_that_was_rotated_is_followed_by_its_name(
    watches: FileWatches, tmp_path: Path
) -> None:
    file = tmp_path / "transcript"
    file.write_text("begun\n")
    watches.watch(ME, [file])
    rotated(file)
    told(watches)
    append(file)
    assert told(watches) == {ME}


def test_only_who_rests_on_it_is_told(watches: FileWatches, tmp_path: Path) -> None:
    watches.watch(ME, [tmp_path / "mine"])
    watches.watch(OTHER, [tmp_path / "yours"])
    append(tmp_path / "yours")
    append(tmp_path / "nobodys")
    assert told(watches) == {OTHER}
    assert told(watches, 0.2) == set()


def test_what_appears_in_a_folder_is_told_to_who_rests_on_its_names(
    watches: FileWatches, tmp_path: Path
) -> None:
    (tmp_path / "there").write_text("")
    watches.watch(ME, [tmp_path])
    append(tmp_path / "there")
    assert told(watches, 0.2) == set(), "its names are the same"
    (tmp_path / "new").write_text("")
    assert told(watches) == {ME}


def test_a_file_whose_folders_are_yet_to_come_is_found_step_by_step(
    watches: FileWatches, tmp_path: Path
) -> None:
    file = tmp_path / "year" / "month" / "rollout"
    assert watches.watch(ME, [file])
    for step in (file.parent.parent, file.parent):
        step.mkdir()
        assert told(watches) == {ME}
        assert watches.watch(ME, [file]), "whoever is told looks again"
    append(file)
    assert told(watches) == {ME}


def test_a_folder_that_was_removed_and_made_again_is_watched_again(
    watches: FileWatches, tmp_path: Path
) -> None:
    file = tmp_path / "session" / "hooks"
    file.parent.mkdir()
    watches.watch(ME, [file])
    shutil.rmtree(file.parent)
    assert told(watches) == {ME}
    file.parent.mkdir()
    assert watches.watch(ME, [file])
    told(watches, 0.2)
    append(file)
    assert told(watches) == {ME}


def test_a_folder_that_others_put_in_its_place_is_found_by_who_makes_sure(
    watches: FileWatches, tmp_path: Path
) -> None:
    file = tmp_path / "far" / "near" / "hooks"
    file.parent.mkdir(parents=True)
    watches.watch(ME, [file])
    (tmp_path / "far").rename(tmp_path / "away")  # of which nobody is told
    file.parent.mkdir(parents=True)
    assert watches.watch(ME, [file], anew=True)
    told(watches, 0.2)
    append(file)
    assert told(watches) == {ME}


def test_when_more_happened_than_the_kernel_keeps_everybody_is_told(
    watches: FileWatches, tmp_path: Path
) -> None:
    most = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    watches.watch(ME, [tmp_path / "a", tmp_path / "b"])
    watches.watch(OTHER, [tmp_path / "rests"])
    ends = [os.open(tmp_path / name, os.O_WRONLY | os.O_CREAT) for name in "ab"]
    for number in range(most + 2):
        os.write(ends[number % 2], b".")  # two by turns: the same twice in a row is kept once
    assert told(watches) == {ME, OTHER}
    assert watches.watch(OTHER, [tmp_path / "rests"])
    told(watches, 0.2)
    append(tmp_path / "rests")
    assert told(watches) == {OTHER}
    for end in ends:
        os.close(end)


def test_the_output_of_a_terminal_is_told(watches: FileWatches) -> None:
    ours, theirs = os.openpty()
    assert watches.watch(ME, [Path(os.ttyname(theirs))])
    os.write(theirs, b"hello")
    assert told(watches) == {ME}
    os.close(theirs)
    os.close(ours)


def test_a_link_to_a_file_elsewhere_cannot_be_waited_for(
    watches: FileWatches, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere" / "file")
    assert not watches.watch(ME, [tmp_path / "link"])
    assert watches.trouble == "", "nothing is to be done about it"


def test_watches_grow_with_the_folders_and_not_with_the_looks(
    watches: FileWatches, tmp_path: Path
) -> None:
    for look in range(50):
        for number in range(3):
            (tmp_path / str(number)).mkdir(exist_ok=True)
            subject, folder = (str(number), "files"), tmp_path / str(number)
            watches.watch(subject, [folder / "a", folder / "b"], anew=look % 2 == 0)
    assert watches.count == 3
    for number in range(3):
        watches.forget((str(number), "files"))
    assert watches.count == 0


def test_a_limit_of_the_system_is_said_with_its_way_out_until_there_is_room(
    watches: FileWatches, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_self: FileWatches, _folder: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as limited:  # the real limit is that of everybody on this machine
        limited.setattr(FileWatches, "_added", full)
        assert not watches.watch(ME, [tmp_path / "file"])
        assert "fs.inotify.max_user_watches" in watches.trouble
    assert watches.watch(ME, [tmp_path / "file"])
    assert watches.trouble == ""


FIRST_IN_A_THREAD = """
from gevent import monkey; monkey.patch_all()
import sys, gevent
from pathlib import Path
from ennio.machine.file_watches import FileWatches
watches = FileWatches(lambda: None)
watch = lambda: watches.watch(("me", "files"), [Path(sys.argv[1])])
print(gevent.get_hub().threadpool.spawn(watch).get())
"""


@pytest.mark.real
def test_the_first_watch_of_a_supervisor_may_be_made_in_a_thread(tmp_path: Path) -> None:
    """Agents' files are read beside the event loop, where no process can be started."""
    command = [sys.executable, "-c", FIRST_IN_A_THREAD, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "True\n"), done.stderr
