"""A file is there whole or not at all; a lock is held as long as its holder lives."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ennio.machine import files
from tests.conftest import eventually

HOLDER = """
import sys, time
from pathlib import Path
from ennio.machine import files
lock = files.acquire(Path(sys.argv[1]))
assert lock is not None
files.note_holder(lock, "process of the test")
print("held", flush=True)
time.sleep(60)
"""
FILLER = """
import resource, signal, sys
from pathlib import Path
from ennio.machine import files
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    files.write_atomically(Path(sys.argv[1]), "new" * 100_000, durable=sys.argv[2] == "durable")
except OSError as error:
    print(error.strerror)
"""


def test_a_file_is_written_with_its_mode_whatever_the_umask_says(tmp_path: Path) -> None:
    place = tmp_path / "secret"
    before = os.umask(0)
    try:
        files.write_atomically(place, "für mich")
        files.write_atomically(tmp_path / "hook", b"#!/bin/sh\n", mode=0o755)
    finally:
        os.umask(before)
    assert place.read_text(encoding="utf-8") == "für mich"
    assert place.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "hook").stat().st_mode & 0o777 == 0o755


def test_the_mode_of_a_persons_file_stays_and_a_loose_one_of_ours_does_not(tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.write_text("old")
    place.chmod(0o640)
    files.write_atomically(place, "new", keep_mode=True, durable=True)
    assert (place.read_text(), place.stat().st_mode & 0o777) == ("new", 0o640)
    files.write_atomically(place, "newer")
    assert (place.read_text(), place.stat().st_mode & 0o777) == ("newer", 0o600)
    files.write_atomically(tmp_path / "first", "", mode=0o644, keep_mode=True)
    assert (tmp_path / "first").stat().st_mode & 0o777 == 0o644


@pytest.mark.real
@pytest.mark.parametrize("durable", ["durable", "at once"])
def test_a_disk_that_is_full_leaves_the_old_file_and_nothing_beside_it(
    tmp_path: Path, durable: str
) -> None:
    place = tmp_path / "file"
    place.write_text("old")
    ended = subprocess.run(
        [sys.executable, "-c", FILLER, str(place), durable],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert ended.stdout.strip() == os.strerror(27)  # EFBIG: the nearest to a full disk
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert place.read_text() == "old"


def test_readers_see_all_of_the_old_or_all_of_the_new_while_many_write(tmp_path: Path) -> None:
    place = tmp_path / "file"
    words = [str(number) * 20_000 for number in range(8)]
    files.write_atomically(place, words[0])
    over = threading.Event()

    def write(text: str) -> None:
        while not over.is_set():
            files.write_atomically(place, text)

    writers = [threading.Thread(target=write, args=(text,)) for text in words]
    for writer in writers:
        writer.start()
    try:
        assert all(place.read_text() in words for _ in range(200))
    finally:
        over.set()
        for writer in writers:
            writer.join()
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_folder_that_is_gone_is_told_and_a_link_is_replaced(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        files.write_atomically(tmp_path / "gone" / "file", "words")
    (tmp_path / "target").write_text("theirs")
    (tmp_path / "link").symlink_to("target")
    files.write_atomically(tmp_path / "link", "ours")
    assert (tmp_path / "target").read_text() == "theirs"
    assert not (tmp_path / "link").is_symlink()


@pytest.mark.real
def test_a_lock_is_held_as_long_as_its_holder_lives_and_says_by_whom(tmp_path: Path) -> None:
    place = tmp_path / "lock"
    assert not files.is_held(place)
    assert files.holder(place) == ""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(place)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        assert files.is_held(place)
        assert files.holder(place) == "process of the test"
        assert files.acquire(place) is None
        assert files.acquire(place, patience=0.2) is None
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=30)
        eventually(lambda: not files.is_held(place))
        lock = files.acquire(place)
        assert lock is not None
        files.note_holder(lock, "me")
        assert files.holder(place) == "me"
        os.close(lock)
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def test_a_lock_that_is_let_go_while_one_waits_is_had(tmp_path: Path) -> None:
    first = files.acquire(tmp_path / "lock")
    assert first is not None
    threading.Timer(0.2, os.close, (first,)).start()
    second = files.acquire(tmp_path / "lock", patience=30.0)
    assert second is not None
    os.close(second)


def test_those_who_only_look_do_not_see_each_other(tmp_path: Path) -> None:
    (tmp_path / "lock").touch()
    found: list[bool] = []

    def look() -> None:
        found.extend(files.is_held(tmp_path / "lock") for _ in range(300))

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not any(found)


@pytest.mark.real
def test_a_program_that_is_started_does_not_keep_a_lock(tmp_path: Path) -> None:
    lock = files.acquire(tmp_path / "lock")
    assert lock is not None
    process = subprocess.Popen(["sleep", "60"], close_fds=False)
    try:
        os.close(lock)
        assert not files.is_held(tmp_path / "lock")
    finally:
        process.kill()
        process.wait()
