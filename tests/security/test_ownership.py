"""Whose a configuration file may be: with files of real accounts and
groups, read by real accounts.
"""

from __future__ import annotations

import os
import pwd
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ennio.config import ownership
from ennio.model.errors import Untrusted
from tests.conftest import lacking

TEXT = b"projects: [{name: a, repo: ./a, path: .}]\n"
NOBODY, DAEMON = pwd.getpwnam("nobody"), pwd.getpwnam("daemon")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that every account can enter."""
    place = Path(tempfile.mkdtemp(prefix="ennio-own-"))
    place.chmod(0o755)
    (place / "ennio.yaml").write_bytes(TEXT)
    (place / "ennio.yaml").chmod(0o644)
    yield place
    shutil.rmtree(place)


@pytest.fixture
def root() -> None:
    if os.geteuid() != 0:
        lacking("not root: files of other accounts could NOT be made")


def refusal(path: Path) -> str:
    """Why it is not read; empty when it is."""
    try:
        assert ownership.read(path, 99) == TEXT
    except Untrusted as error:
        return str(error)
    return ""


def refusal_of(account: pwd.struct_passwd, path: Path) -> str:
    """The same, where this account asks."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(account.pw_gid)
            os.setuid(account.pw_uid)
            os.write(writer, refusal(path).encode() or b"none")
        finally:
            os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    with os.fdopen(reader) as words:
        told = words.read()
    assert told, "the child could not look"
    return "" if told == "none" else told


def give(path: Path, mode: int, uid: int = 0, gid: int = 0) -> None:
    os.chown(path, uid, gid, follow_symlinks=False)
    if not path.is_symlink():
        path.chmod(mode)


def test_a_file_of_ones_own_is_read(folder: Path) -> None:
    assert refusal(folder / "ennio.yaml") == ""


@pytest.mark.usefixtures("root")
def test_a_file_of_another_account_is_refused_and_one_of_root_is_not(folder: Path) -> None:
    file = folder / "ennio.yaml"
    assert refusal_of(DAEMON, file) == ""
    give(file, 0o644, NOBODY.pw_uid, NOBODY.pw_gid)
    told = refusal(file)
    assert "belongs to nobody, not to you (root)" in told
    assert f"chown root {file}" in told
    assert "belongs to nobody, not to you (daemon)" in refusal_of(DAEMON, file)
    give(file, 0o644, 54321, 54321)
    assert "belongs to the account 54321" in refusal(file)


def test_a_file_that_everybody_can_write_is_refused_until_it_is_mended_as_it_says(
    folder: Path,
) -> None:
    file = folder / "ennio.yaml"
    file.chmod(0o646)
    told = refusal(file)
    assert "can be written by everybody" in told
    assert (
        subprocess.run(["sh", "-c", told.rpartition("then ")[2]], check=True, timeout=20).returncode
        == 0
    )
    assert refusal(file) == ""


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize(
    ("gid", "words"),
    [(NOBODY.pw_gid, "nobody"), (54321, "the group 54321, which is not known"), (0, "")],
    ids=["with-others", "unknown", "of-root"],
)
def test_a_group_counts_by_its_members(gid: int, words: str, folder: Path) -> None:
    give(folder / "ennio.yaml", 0o664, 0, gid)
    told = refusal(folder / "ennio.yaml")
    assert words in told
    assert bool(told) == bool(words)


@pytest.mark.usefixtures("root")
def test_a_private_group_is_fine_for_its_owner(folder: Path) -> None:
    """The umask 002 that goes with groups of one's own."""
    give(folder, 0o775, DAEMON.pw_uid, DAEMON.pw_gid)
    give(folder / "ennio.yaml", 0o664, DAEMON.pw_uid, DAEMON.pw_gid)
    assert refusal_of(DAEMON, folder / "ennio.yaml") == ""
    give(folder / "ennio.yaml", 0o664, 0, DAEMON.pw_gid)
    assert "the group daemon (daemon)" in refusal(folder / "ennio.yaml")


def test_a_folder_that_others_can_write_is_refused_unless_it_is_sticky(folder: Path) -> None:
    """Who can write it can put another file in the place of ours, and a database beside it."""
    folder.chmod(0o777)
    told = refusal(folder / "ennio.yaml")
    assert f"the folder {folder} can be written by everybody" in told
    assert f"chmod go-w {folder}" in told
    folder.chmod(0o1777)
    assert refusal(folder / "ennio.yaml") == ""


@pytest.mark.usefixtures("root")
def test_a_folder_of_another_account_is_refused(folder: Path) -> None:
    give(folder, 0o755, NOBODY.pw_uid)
    assert f"the folder {folder} belongs to nobody" in refusal(folder / "ennio.yaml")


@pytest.mark.usefixtures("root")
def test_a_link_is_followed_and_judged_itself(folder: Path) -> None:
    """Somebody else's link would choose which of our files is read, and from
    where its paths are meant.
    """
    (folder / "links").mkdir()
    link = folder / "links" / "ennio.yaml"
    link.symlink_to(folder / "ennio.yaml")
    assert refusal(link) == ""
    give(link, 0, NOBODY.pw_uid)
    assert f"the link {link} belongs to nobody" in refusal(link)
    give(link, 0, 0)
    (folder / "links").chmod(0o777)
    assert "can be written by everybody" in refusal(link)
    (folder / "links").chmod(0o755)
    (folder / "ennio.yaml").chmod(0o666)
    assert f"{folder / 'ennio.yaml'} can be written by everybody" in refusal(link)


@pytest.mark.usefixtures("root")
def test_further_rights_of_another_account_count(folder: Path) -> None:
    file, nobody = folder / "ennio.yaml", NOBODY.pw_uid
    none = 0xFFFFFFFF
    entries = [
        (0x01, 6, none),
        (0x02, 6, nobody),
        (0x04, 4, none),
        (0x10, 6, none),
        (0x20, 4, none),
    ]
    access = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)
    try:
        os.setxattr(file, "system.posix_acl_access", access)
    except OSError as error:
        pytest.skip(f"this file system keeps no further rights: {error}")
    assert "can be written by nobody" in refusal(file)
    os.setxattr(
        file,
        "system.posix_acl_access",
        access.replace(struct.pack("<HHI", 0x02, 6, nobody), struct.pack("<HHI", 0x02, 4, nobody)),
    )
    assert refusal(file) == ""


def test_a_pipe_of_a_shell_is_read(folder: Path) -> None:
    """As by --config <(generate)."""
    reader, writer = os.pipe()
    os.write(writer, TEXT)
    os.close(writer)
    assert refusal(Path(f"/dev/fd/{reader}")) == ""
    os.close(reader)


@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_a_configuration_that_is_a_pipe_or_a_device_is_neither_waited_for_nor_told_to_be_changed(
    folder: Path, kind: str
) -> None:
    file = Path("/dev/zero") if kind == "device" else folder / "pipe"
    if kind == "pipe":
        os.mkfifo(file)
    with pytest.raises(OSError, match="no regular file"):
        ownership.read(file, 99)


def test_a_file_that_is_not_there_yet_is_judged_by_its_folder(folder: Path) -> None:
    assert ownership.trouble(folder / "ennio.db") == ""
    assert ownership.trouble(folder / "none" / "ennio.db") == ""
    folder.chmod(0o777)
    assert f"the folder {folder} can be written by everybody" in ownership.trouble(
        folder / "ennio.db"
    )


def test_it_is_the_opened_file_that_is_judged(folder: Path) -> None:
    """Between the look and the reading nobody can put another in its place:
    both are of one descriptor.
    """
    with pytest.raises(FileNotFoundError):
        ownership.read(folder / "gone", 99)
    (folder / "large").write_bytes(b"x" * 200)
    assert len(ownership.read(folder / "large", 99)) == 100
