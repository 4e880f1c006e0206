"""A look at a working copy that starts no process: whether it stands, and what is checked out in it. A few small files are read."""

from __future__ import annotations

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
    """What stands at a working copy's place; None where that cannot be told, as on a disk that is away."""
    try:
        if not path.parent.is_dir():
            return None
        if not path.is_dir():
            return _absent(branch, source)
        own = path / ".git" if (path / ".git").is_dir() else private.folder(path)
        if own is None or not (own / "HEAD").is_file():
            return Glance(Place.CUT_OFF)
        return _head(own, branch)
    except OSError:
        return None


def _absent(branch: str, source: Path) -> Glance:
    common = next((place for place in (source / ".git", source) if (place / "HEAD").is_file()), None)
    if common is None:
        return Glance(Place.GONE)
    elsewhere = next((where for where, head in _worktrees(common) if head == branch and where.is_dir()), None)
    if elsewhere is not None:
        return Glance(Place.MOVED, str(elsewhere))
    return Glance(Place.GONE, "" if _branch_exists(common, branch) else branch)


def _head(own: Path, branch: str) -> Glance | None:
    common = (own / _text(own / "commondir")).resolve() if (own / "commondir").is_file() else own
    if (common / "reftable").exists():
        return None  # its refs are no files
    head = _text(own / "HEAD")
    if head == _REF + branch or _rebased(own) == branch:
        return Glance(Place.STANDING) if _branch_exists(common, branch) else Glance(Place.BRANCHLESS, _last(own))
    elsewhere = next((str(where) for where, on in (*_main(common), *_worktrees(common)) if on == branch), "")
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


def _worktrees(common: Path) -> Iterator[tuple[Path, str]]:
    """Where each worktree lies, and the branch it is on."""
    for own in sorted((common / "worktrees").glob("*")):
        if (own / "gitdir").is_file() and (own / "HEAD").is_file():
            yield (own / _text(own / "gitdir")).parent, _text(own / "HEAD").removeprefix(_REF)


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
    return after if after.strip("0") else before if before.strip("0") else ""  # its deletion is in the log, too


def _text(path: Path) -> str:
    return content(path, _SMALL).decode("utf-8", "surrogateescape").strip()
