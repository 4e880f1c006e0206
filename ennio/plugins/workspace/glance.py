"""A look at a working copy that starts no process: whether it stands, and what is checked out in
it. A few small files are read.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from ennio.machine.untrusted import content
from ennio.model.facts import Place
from ennio.plugins.workspace import private
from ennio.plugins.workspace.interface import Glance

_SMALL = 8192  # bytes of a HEAD or a pointer
_REF = "ref: refs/heads/"


def glance(path: Path, branch: str, source: Path) -> Glance | None:
    """What stands at a working copy's place; None where that cannot be told,
    as on a disk that is away.
    """
    if _still_stands(str(path), branch):
        return Glance(Place.STANDING)
    try:
        return _looked_at(path, branch, source)
    except OSError:
        return None


def _looked_at(path: Path, branch: str, source: Path) -> Glance | None:
    if not path.parent.is_dir():
        return None
    if not path.is_dir():
        return _absent(branch, source)
    own = path / ".git" if (path / ".git").is_dir() else private.folder(path)
    if own is None or not (own / "HEAD").is_file():
        return Glance(Place.CUT_OFF)
    seen = _head(own, branch)
    if seen is not None and seen.place is Place.STANDING:
        _note_standing(path, own, branch)
    return seen


_STANDING: dict[tuple[str, str], tuple[tuple[str, int, int, int], ...]] = {}
"""What a working copy that stood was seen by: its link, its HEAD and its branch, as they were.
Looking again costs three calls.
"""
_MOST = 4096


def _still_stands(path: str, branch: str) -> bool:
    """Whether nothing has changed of what it was seen by."""
    known = _STANDING.get((path, branch))
    return known is not None and all(_print(seen[0]) == seen for seen in known)


def _note_standing(path: Path, own: Path, branch: str) -> None:
    common = (own / _text(own / "commondir")).resolve() if (own / "commondir").is_file() else own
    loose = common / "refs" / "heads" / branch
    link = path if own == path / ".git" else path / ".git"
    seen = [
        _print(str(file))
        for file in (link, own / "HEAD", loose if loose.is_file() else common / "packed-refs")
    ]
    if len(_STANDING) >= _MOST:
        _STANDING.clear()
    _STANDING[str(path), branch] = tuple(each for each in seen if each is not None)


def _print(file: str) -> tuple[str, int, int, int] | None:
    """What tells a file from itself before; of a folder only that it is the same, for its times
    change with what is in it.
    """
    try:
        found = os.stat(file)
    except OSError:
        return None
    if stat.S_ISDIR(found.st_mode):
        return file, found.st_dev, found.st_ino, 0
    return file, found.st_ino, found.st_size, found.st_mtime_ns


def _absent(branch: str, source: Path) -> Glance:
    common = next(
        (place for place in (source / ".git", source) if (place / "HEAD").is_file()), None
    )
    if common is None:
        return Glance(Place.GONE)
    elsewhere = next(
        (where for where, head in _worktrees(common) if head == branch and where.is_dir()), None
    )
    if elsewhere is not None:
        return Glance(Place.MOVED, str(elsewhere))
    return Glance(Place.GONE, "" if _branch_exists(common, branch) else branch)


def _head(own: Path, branch: str) -> Glance | None:
    common = (own / _text(own / "commondir")).resolve() if (own / "commondir").is_file() else own
    if (common / "reftable").exists():
        return None  # its refs are no files
    head = _text(own / "HEAD")
    if head == _REF + branch or _rebased(own) == branch:
        return (
            Glance(Place.STANDING)
            if _branch_exists(common, branch)
            else Glance(Place.BRANCHLESS, _last(own))
        )
    elsewhere = next(
        (str(where) for where, on in (*_main(common), *_worktrees(common)) if on == branch), ""
    )
    if head.startswith(_REF):
        return Glance(Place.ASTRAY, head.removeprefix(_REF), elsewhere)
    return Glance(Place.DETACHED, head[:10], elsewhere)


def _rebased(own: Path) -> str | None:
    """The branch that a rebase in progress is about: HEAD is detached meanwhile."""
    for name in ("rebase-merge/head-name", "rebase-apply/head-name"):
        if (own / name).is_file():
            return _text(own / name).removeprefix("refs/heads/")
    return None


def _main(common: Path) -> Iterator[tuple[Path, str]]:
    """The same of the person's own check-out."""
    if common.name == ".git":
        yield common.parent, _text(common / "HEAD").removeprefix(_REF)


def _worktrees(common: Path) -> tuple[tuple[Path, str], ...]:
    """Where each worktree lies, and the branch it is on; many that are missing ask for
    the same within one look.
    """
    return _listed(common, int(time.monotonic()))


@lru_cache(maxsize=64)
def _listed(common: Path, _second: int) -> tuple[tuple[Path, str], ...]:
    return tuple(
        ((own / _text(own / "gitdir")).parent, _text(own / "HEAD").removeprefix(_REF))
        for own in sorted((common / "worktrees").glob("*"))
        if (own / "gitdir").is_file() and (own / "HEAD").is_file()
    )


def _branch_exists(common: Path, branch: str) -> bool:
    if (common / "refs" / "heads" / branch).is_file():
        return True
    packed = common / "packed-refs"
    if not packed.is_file():
        return False
    told = packed.stat()
    return _is_packed(packed, branch, told.st_mtime_ns, told.st_size)


@lru_cache(maxsize=1024)
def _is_packed(path: Path, branch: str, _changed: int, _size: int) -> bool:
    return f" refs/heads/{branch}\n".encode("utf-8", "surrogateescape") in path.read_bytes()


def _last(own: Path) -> str:
    """The commit HEAD was last on, as its log tells."""
    log = own / "logs" / "HEAD"
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.is_file() else []
    before, after = [*(lines[-1] if lines else "").split(" "), "", ""][:2]
    return (
        after if after.strip("0") else before if before.strip("0") else ""
    )  # its deletion is in the log, too


def _text(path: Path) -> str:
    return content(path, _SMALL).decode("utf-8", "surrogateescape").strip()
