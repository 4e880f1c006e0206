"""A look at a working copy that starts no process: whether it stands, and what is checked out in
it. A few small files are read.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from ennio.machine import single
from ennio.machine.interface import FileKind, FileSpan, Machine
from ennio.machine.questions import Questions
from ennio.model.facts import Place
from ennio.plugins.workspace import private
from ennio.plugins.workspace.interface import Glance

_SMALL = 8192  # bytes of a HEAD or a pointer
_LARGE = 256 << 20  # bytes of all packed refs, or of a log
_REF = "ref: refs/heads/"
_REBASING = ("rebase-merge/head-name", "rebase-apply/head-name")
_COMMON = "../.."
"""What git writes into ``commondir`` of a worktree."""


def glance(machine: Machine, path: Path, branch: str, source: Path) -> Glance | None:
    """What stands at a working copy's place; None where that cannot be told,
    as on a disk that is away.
    """
    if _still_stands(machine, path, branch):
        return Glance(Place.STANDING)
    try:
        return _looked_at(machine, path, branch, source)
    except OSError:
        return None


def stands_on(machine: Machine, path: Path, branch: str) -> tuple[Path, ...]:
    """By what it was last seen standing."""
    known = _STANDING.get((machine.name, path, branch))
    return known[0] if known is not None else ()


def questions(machine: Machine, path: Path, branch: str, source: Path) -> Questions:
    """What the next glance asks of the machine, as far as the last one tells: many that do not
    stand are looked at by one request.
    """
    key = machine.name, path, branch
    known, found = _STANDING.get(key), _ELSEWISE.get(key)
    standing = known[0] if known is not None else ()
    if found is None:
        return Questions(states=standing)
    own, common = found
    small = [path / ".git"]
    states = [*standing, path.parent, path, path / ".git", source / ".git" / "HEAD"]
    if own is not None:
        marks = [own / name for name in ("commondir", "HEAD", *_REBASING)]
        states += [*marks, own / "logs" / "HEAD"]
        small += marks
    listed = [
        common / "worktrees" / name / file
        for name in _ENTRIES.get((machine.name, common), ())
        for file in ("gitdir", "HEAD")
    ]
    states += [common / "reftable", common / "packed-refs", common / "refs" / "heads" / branch]
    return Questions(
        states=[*states, *listed],
        real=[own / _COMMON] if own is not None else [],
        files=[FileSpan(file, most=_SMALL + 1) for file in (*small, common / "HEAD", *listed)],
        folders=[common / "worktrees"],
    )


def _looked_at(machine: Machine, path: Path, branch: str, source: Path) -> Glance | None:
    if not single.is_folder(machine, path.parent):
        return None
    if not single.is_folder(machine, path):
        return _absent(machine, path, branch, source)
    plain = single.is_folder(machine, path / ".git")
    own = path / ".git" if plain else private.folder(machine, path)
    if own is None or not single.is_file(machine, own / "HEAD"):
        return Glance(Place.CUT_OFF)
    common = common_folder(machine, own)
    seen = _head(machine, own, common, branch)
    if seen is not None and seen.place is Place.STANDING:
        _ELSEWISE.pop((machine.name, path, branch), None)
        _note_standing(machine, path, own, branch)
    else:
        _note_elsewise(machine, path, branch, own, common)
    return seen


_Seen = tuple[tuple[FileKind, tuple[int, int], int, int], ...]
_STANDING: dict[tuple[str, Path, str], tuple[tuple[Path, ...], _Seen]] = {}
"""What a working copy that stood was seen by: its link, its HEAD and its branch, as they were.
Looking again costs three calls.
"""
_MOST = 4096
_ELSEWISE: dict[tuple[str, Path, str], tuple[Path | None, Path]] = {}
"""Of a working copy that does not stand as it should: its private folder, where it has one, and
that of its repository.
"""
_ENTRIES: dict[tuple[str, Path], tuple[str, ...]] = {}
"""The names of a repository's worktrees, as they were listed last."""


def _note_elsewise(
    machine: Machine, path: Path, branch: str, own: Path | None, common: Path
) -> None:
    if len(_ELSEWISE) >= _MOST:
        _ELSEWISE.clear()
    _ELSEWISE[machine.name, path, branch] = own, common


def _still_stands(machine: Machine, path: Path, branch: str) -> bool:
    """Whether nothing has changed of what it was seen by."""
    known = _STANDING.get((machine.name, path, branch))
    return known is not None and _seen(machine, known[0]) == known[1]


def _note_standing(machine: Machine, path: Path, own: Path, branch: str) -> None:
    common = common_folder(machine, own)
    loose = common / "refs" / "heads" / branch
    link = path if own == path / ".git" else path / ".git"
    ref = loose if single.is_file(machine, loose) else common / "packed-refs"
    files = (link, own / "HEAD", ref)
    seen = _seen(machine, files)
    if seen is None:
        return
    if len(_STANDING) >= _MOST:
        _STANDING.clear()
    _STANDING[machine.name, path, branch] = files, seen


def _seen(machine: Machine, files: tuple[Path, ...]) -> _Seen | None:
    """What tells these files from themselves before; of a folder only that it is the same, for its
    times change with what is in it. None where one of them cannot be looked at.
    """
    seen = []
    for found in machine.stat(files):
        if isinstance(found, OSError):
            return None
        changes = found.kind is not FileKind.FOLDER
        told = (found.size, found.modified) if changes else (0, 0)
        seen.append((found.kind, found.identity, *told))
    return tuple(seen)


def common_folder(machine: Machine, own: Path) -> Path:
    """Where the refs of a working copy's repository are."""
    if not single.is_file(machine, own / "commondir"):
        return own
    return single.real(machine, own / _text(machine, own / "commondir"))


def _absent(machine: Machine, path: Path, branch: str, source: Path) -> Glance:
    common = next(
        (place for place in (source / ".git", source) if single.is_file(machine, place / "HEAD")),
        None,
    )
    if common is None:
        return Glance(Place.GONE)
    _note_elsewise(machine, path, branch, None, common)
    elsewhere = next(
        (
            where
            for where, head in _worktrees(machine, common)
            if head == branch and single.is_folder(machine, where)
        ),
        None,
    )
    if elsewhere is not None:
        return Glance(Place.MOVED, str(elsewhere))
    return Glance(Place.GONE, "" if _branch_exists(machine, common, branch) else branch)


def _head(machine: Machine, own: Path, common: Path, branch: str) -> Glance | None:
    if single.exists(machine, common / "reftable"):
        return None  # its refs are no files
    head = _text(machine, own / "HEAD")
    if head == _REF + branch or _rebased(machine, own) == branch:
        return (
            Glance(Place.STANDING)
            if _branch_exists(machine, common, branch)
            else Glance(Place.BRANCHLESS, _last(machine, own))
        )
    elsewhere = next(
        (
            str(where)
            for where, on in (*_main(machine, common), *_worktrees(machine, common))
            if on == branch
        ),
        "",
    )
    if head.startswith(_REF):
        return Glance(Place.ASTRAY, head.removeprefix(_REF), elsewhere)
    return Glance(Place.DETACHED, head[:10], elsewhere)


def _rebased(machine: Machine, own: Path) -> str | None:
    """The branch that a rebase in progress is about: HEAD is detached meanwhile."""
    for name in _REBASING:
        if single.is_file(machine, own / name):
            return _text(machine, own / name).removeprefix("refs/heads/")
    return None


def _main(machine: Machine, common: Path) -> Iterator[tuple[Path, str]]:
    """The same of the person's own check-out."""
    if common.name == ".git":
        yield common.parent, _text(machine, common / "HEAD").removeprefix(_REF)


def _worktrees(machine: Machine, common: Path) -> tuple[tuple[Path, str], ...]:
    """Where each worktree lies, and the branch it is on; many that are missing ask for
    the same within one look.
    """
    return _listed(machine, common, int(time.monotonic()))


@lru_cache(maxsize=64)
def _listed(machine: Machine, common: Path, _second: int) -> tuple[tuple[Path, str], ...]:
    return tuple(
        (
            (own / _text(machine, own / "gitdir")).parent,
            _text(machine, own / "HEAD").removeprefix(_REF),
        )
        for own in _entries(machine, common / "worktrees")
        if single.is_file(machine, own / "gitdir") and single.is_file(machine, own / "HEAD")
    )


def _entries(machine: Machine, folder: Path) -> list[Path]:
    try:
        names = tuple(sorted(machine.list(folder)))
    except (FileNotFoundError, NotADirectoryError):
        names = ()
    _ENTRIES[machine.name, folder.parent] = names
    return [folder / name for name in names]


def _branch_exists(machine: Machine, common: Path, branch: str) -> bool:
    if single.is_file(machine, common / "refs" / "heads" / branch):
        return True
    packed = common / "packed-refs"
    told = single.state(machine, packed)
    if told is None or told.kind is not FileKind.FILE:
        return False
    return _is_packed(machine, packed, branch, told.modified, told.size)


@lru_cache(maxsize=1024)
def _is_packed(machine: Machine, path: Path, branch: str, _changed: int, _size: int) -> bool:
    return f" refs/heads/{branch}\n".encode("utf-8", "surrogateescape") in single.content(
        machine, path, _LARGE
    )


def _last(machine: Machine, own: Path) -> str:
    """The commit HEAD was last on, as its log tells."""
    log = own / "logs" / "HEAD"
    told = single.state(machine, log)
    there = told is not None and told.kind is FileKind.FILE
    line = _last_line(machine, log, told.modified, told.size) if told is not None and there else ""
    before, after = [*line.split(" "), "", ""][:2]
    return (
        after if after.strip("0") else before if before.strip("0") else ""
    )  # its deletion is in the log, too


@lru_cache(maxsize=1024)
def _last_line(machine: Machine, path: Path, _changed: int, _size: int) -> str:
    raw = single.content(machine, path, _LARGE)
    return next(reversed(raw.decode("utf-8", "replace").splitlines()), "")


def _text(machine: Machine, path: Path) -> str:
    return single.content(machine, path, _SMALL).decode("utf-8", "surrogateescape").strip()
