"""What is compared when a session's changes are shown: where its branch left the base, and the
working copy or, once that is gone, what its branch or a removal kept of it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

from ennio.machine import single
from ennio.machine.interface import Machine
from ennio.model.errors import NotFound
from ennio.model.workspace_changes import Until
from ennio.plugins.git import Git
from ennio.plugins.workspace.index import Index, as_named
from ennio.plugins.workspace.preserve import PRESERVED

MOST_UNTRACKED = 5000
"""Files git does not know yet that are looked at."""
_LONGEST_LIST = 4 * 1024 * 1024
_NOTHING_YET = "nothing has been committed here yet"
_GONE = "its working copy is gone: shown is what {} holds"


@dataclass(frozen=True, slots=True)
class SessionBranch:
    """What is known of a session's branch before anything is looked at."""

    session_id: str
    path: Path
    source: Path
    branch: str
    base: str
    remote: str
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Compared:
    """Two ends to be compared, and where. ``nested`` are untracked repositories in it,
    ``untracked`` all else that git does not know yet.
    """

    git: Git
    base: str
    head: str | None
    branch: str | None
    until: Until
    note: str = ""
    untracked: frozenset[str] = frozenset()
    nested: tuple[str, ...] = ()

    @property
    def ends(self) -> tuple[str, ...]:
        """As arguments of ``git diff``."""
        return (self.base,) if self.until is Until.WORKTREE else (self.base, self.head or self.base)


@contextlib.contextmanager
def compared(machine: Machine, of: SessionBranch, until: Until) -> Iterator[Compared]:
    """Find both ends; what git does not know yet counts as added, in an index of our own.

    Raises NotFound when there is neither a working copy nor a branch any more.
    """
    git = Git(machine, of.path)
    place = git.place if single.is_folder(machine, of.path) else None
    if place is None or place.top is None or place.top != single.real(machine, of.path):
        yield _kept(machine, of)
        return
    head = git.commit("HEAD")
    base, note = _base(git, of, head)
    found = Compared(git, base, head, place.branch, until, note)
    if until is Until.HEAD:
        yield found
        return
    with Index.read(git).opened(git) as opened:
        yield _with_untracked(replace(found, git=opened))


def _kept(machine: Machine, of: SessionBranch) -> Compared:
    """What is left of a session whose working copy is gone."""
    git = Git(machine, of.source)
    names = (
        f"{PRESERVED}/{of.session_id}",
        f"refs/heads/{of.branch}",
        *((f"refs/remotes/{of.remote}/{of.branch}",) if of.remote else ()),
    )
    known = ((name, git.commit(name)) for name in names) if _has(machine, of.source) else ()
    name, head = next(((name, tip) for name, tip in known if tip is not None), ("", None))
    if head is None:
        raise NotFound(
            f"session {of.session_id} has no working copy any more ({of.path}), and no branch "
            f"{of.branch} is left: what it changed is in its pull request, if it had one"
        )
    base, note = _base(git, of, head)
    words = "; ".join(filter(None, (_GONE.format(name), note)))
    return Compared(git, base, head, None, Until.HEAD, words)


def _has(machine: Machine, folder: Path) -> bool:
    return single.is_folder(machine, folder)


def _base(git: Git, of: SessionBranch, head: str | None) -> tuple[str, str]:
    """Where the branch left its base, and what is to be said of that.

    The base is known by several names, each as old as its last fetch; the latest commit of any of
    them that is part of the head is where the branch stands on it.
    """
    if head is None:
        return _empty(git), _NOTHING_YET
    names = (
        f"refs/ennio/base/{quote(of.base, safe='')}",
        *((f"refs/remotes/{of.remote}/{of.base}",) if of.remote else ()),
        f"refs/heads/{of.base}",
    )
    tips = [tip for tip in map(git.commit, names) if tip is not None]
    left = git.run("merge-base", head, *tips, check=False).lines[:1] if tips else ()
    begun = git.commit(f"refs/ennio/made/{of.session_id}")
    if begun is not None and begun != head and git.contains(begun, head):
        if not left:
            return begun, f"the base branch {of.base} is gone: compared with where the work began"
        if left[0] == head and of.ended:
            return begun, ""  # all of it is on the base by now
    if left:
        return left[0], ""
    what = f"shares no commit with {of.base}" if tips else f"has no base: {of.base} is gone"
    return _empty(git), f"the branch {what}, so all its files are shown"


def _empty(git: Git) -> str:
    """The tree without files, by the hash that the repository uses."""
    return git.run("hash-object", "-t", "tree", "--stdin", input="").text


def _with_untracked(found: Compared) -> Compared:
    """Let git's own index say of each untracked file that it is there; which of them are looked at
    is the file system's to say, so one that goes meanwhile stops nobody.
    """
    git = found.git
    listing, cut = git.beginning(
        *as_named(git), "ls-files", "--others", "--exclude-standard", "-z", longest=_LONGEST_LIST
    )
    told = [name for name in listing.split("\0")[: -1 if cut else None] if name]
    nested = tuple(name.rstrip("/") for name in told if name.endswith("/"))
    files = [name for name in told if not name.endswith("/")]
    if files[:MOST_UNTRACKED]:
        blob = git.run("hash-object", "-t", "blob", "--stdin", input="").text
        entries = "".join(f"100644 {blob} 0\t{name}\0" for name in files[:MOST_UNTRACKED])
        git.run("update-index", "--replace", "-z", "--index-info", input=entries)
    more = cut or len(files) > MOST_UNTRACKED
    words = f"more than {MOST_UNTRACKED} files are not known to git; the rest is not shown"
    note = "; ".join(filter(None, (found.note, words if more else "")))
    return replace(found, note=note, untracked=frozenset(files[:MOST_UNTRACKED]), nested=nested)
