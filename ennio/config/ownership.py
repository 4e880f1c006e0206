"""Whose a configuration file is: one that another account could have written says
what that account wants.

A file is ours when it, its folder, and a link that leads to it belong to this account or to root,
and nobody else may write them. A group counts by its members: a person's private group (umask 002)
holds nobody else. A group whose members cannot be told counts as others. A sticky folder (``/tmp``)
lets nobody replace a file of ours.
"""

from __future__ import annotations

import grp
import os
import pwd
import shlex
import stat
import struct
from collections.abc import Iterator
from pathlib import Path

from ennio.machine.untrusted import given
from ennio.model.errors import Untrusted

ROOT = 0
_ACL = "system.posix_acl_access"
_ACL_USER, _ACL_GROUP, _ACL_WRITE = 0x02, 0x08, 0x2


def read(path: Path, most: int) -> bytes:
    """The content of a file that is ours, up to one byte more than ``most``. Raises OSError, and
    Untrusted with the way out.
    """
    with given(path) as file:
        found = os.fstat(file.fileno())
        trouble = _of_link(path) or _of_file(path, found) or _of_folder(path, found)
        if trouble:
            raise Untrusted(trouble)
        return file.read(most + 1)


def trouble(path: Path) -> str:
    """Why a file is not ours, or would not be once it is made; empty when it is."""
    try:
        return _of_link(path) or _of_file(path, path.stat()) or _of_folder(path, path.stat())
    except FileNotFoundError:
        pass
    except OSError as error:
        return f"{path} cannot be looked at: {error.strerror}"
    return _of_folder(path, path.parent.stat()) if path.parent.is_dir() else ""


def private(path: Path) -> bool:
    """Whether a file is ours alone to write; False also when it is not there."""
    try:
        found = path.lstat()
    except OSError:
        return False
    return (
        stat.S_ISREG(found.st_mode)
        and found.st_uid == os.geteuid()
        and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    )


def _of_link(path: Path) -> str:
    """A link of somebody else's chooses for us which of our files is read, and what
    its relative paths mean.
    """
    found = path.lstat()
    return _of_owner(path, found, "the link ") if stat.S_ISLNK(found.st_mode) else ""


def _of_file(path: Path, found: os.stat_result) -> str:
    real = Path(os.path.realpath(path))
    return _of_owner(real, found, "") or _of_writers(real, found, "")


def _of_folder(path: Path, found: os.stat_result) -> str:
    """Who may write the folder may put another file in the place of ours,
    and its database beside it.
    """
    if stat.S_ISFIFO(found.st_mode):
        return ""  # that of a shell's <(...) lies in no folder
    for folder in dict.fromkeys(
        (Path(os.path.realpath(path)).parent, Path(os.path.realpath(path.parent)))
    ):
        around = folder.stat()
        sticky = around.st_mode & stat.S_ISVTX
        trouble = _of_owner(folder, around, "the folder ") or (
            "" if sticky else _of_writers(folder, around, "the folder ")
        )
        if trouble:
            return f"{path} is not used: {trouble}"
    return ""


def _of_owner(path: Path, found: os.stat_result, what: str) -> str:
    if found.st_uid in (ROOT, os.geteuid()):
        return ""
    mine = _name(os.geteuid())
    mend = (
        f"sudo chown {'-h ' if what == 'the link ' else ''}{shlex.quote(mine)} "
        f"{shlex.quote(str(path))}"
    )
    return (
        f"{what}{path} belongs to {_name(found.st_uid)}, not to you ({mine}), and whoever owns it "
        "decides what it does: "
        f"name a file of your own by --config, or take this one over once you have read it: {mend}"
    )


def _of_writers(path: Path, found: os.stat_result, what: str) -> str:
    others = _others(path, found)
    if not others:
        return ""
    mend = f"chmod go-w {shlex.quote(str(path))}"
    return (
        f"{what}{path} can be written by {others}, so that they decide what it does: read it, "
        f"then {mend}"
    )


def _others(path: Path, found: os.stat_result) -> str:
    """Who besides us and root may write, in words; empty for nobody."""
    if found.st_mode & stat.S_IWOTH:
        return "everybody"
    if not found.st_mode & stat.S_IWGRP:
        return ""  # with a list of further rights this bit is what they may do at most
    for tag, number in [(_ACL_GROUP, found.st_gid), *_further(path)]:
        words = _of_group(number) if tag == _ACL_GROUP else _of_account(number)
        if words:
            return words
    return ""


def _of_account(uid: int) -> str:
    return "" if uid in (ROOT, os.geteuid()) else _name(uid)


def _of_group(gid: int) -> str:
    """The group, when it has members besides us and root, or when nobody can tell."""
    try:
        group = grp.getgrgid(gid)
    except KeyError:
        return f"the group {gid}, which is not known here"
    own = {_name(ROOT), _name(os.geteuid())}
    others = sorted({*group.gr_mem, *_first_group(gid)} - own)
    shown = ", ".join(others[:3]) + (" ..." if len(others) > 3 else "")
    return f"the group {group.gr_name} ({shown})" if others else ""


def _first_group(gid: int) -> Iterator[str]:
    """The accounts whose first group this is; those of root's are the machine's
    own, which cannot log in.
    """
    return (account.pw_name for account in pwd.getpwall() if account.pw_gid == gid and gid != ROOT)


def _further(path: Path) -> Iterator[tuple[int, int]]:
    """The accounts and groups that a list of further rights (``setfacl``) lets write."""
    try:
        raw = os.getxattr(path, _ACL)
    except (AttributeError, OSError):
        return  # there is none, or this system keeps none
    for tag, rights, number in struct.iter_unpack("<HHI", raw[4 : 4 + (len(raw) - 4) // 8 * 8]):
        if tag in (_ACL_USER, _ACL_GROUP) and rights & _ACL_WRITE:
            yield tag, number


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"the account {uid}" if uid != os.geteuid() else str(uid)
