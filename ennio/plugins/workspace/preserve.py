"""Saves what is only in a working copy before the copy is removed.

Files that are not committed, untracked ones included, become a commit on top of HEAD, built with an
index of its own: neither the files, the index nor HEAD of the copy are touched. What was staged
differently is a commit of its own below it. Each saved tip is a ref
``refs/ennio/preserved/<session>`` (``-2``, ``-3`` ... where that holds something else already:
nothing saved is ever overwritten).

Not saved, but named with its size: what git ignores. A file above 100 MB that is neither
committed nor ignored is not saved either (no forge would take it), so the copy is not removed
while it is there; nor is it while there is a path in it that cannot be read, or changes while it
is being saved. Where the repository the refs belong to cannot take them, a git bundle is written
beside the working copy instead.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

from ennio.machine import single
from ennio.machine.interface import FileState, Machine
from ennio.machine.sandbox.confined import walled_shell
from ennio.model.errors import EnnioError, Refused
from ennio.plugins.git import HEAVY, NETWORK, Git, readable
from ennio.plugins.workspace.dirty import DirtyState, counted
from ennio.plugins.workspace.index import as_named
from ennio.plugins.workspace.interface import Removed

PRESERVED = "refs/ennio/preserved"
LARGE = 100 * 1024 * 1024
_IDENTITY = {
    "GIT_AUTHOR_NAME": "Ennio",
    "GIT_AUTHOR_EMAIL": "ennio@localhost",
    "GIT_COMMITTER_NAME": "Ennio",
    "GIT_COMMITTER_EMAIL": "ennio@localhost",
}
_TRIES = 3
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Preserver:
    """Where saved work goes: refs of ``store``, or, when that cannot take
    it, bundles in ``beside``.

    ``before_retry`` is tried once between: it may bring the store what it lacks to take the work.
    """

    session: str
    store: Git | None
    beside: Path
    before_retry: Callable[[], object] | None = None

    def foreseen(self, work: DirtyState) -> str:
        """The name the work would get now."""
        if self.store is None:
            return str(next(self._bundles(work.git.machine)))
        return next(ref for ref in _names(self.session) if _is_free(self.store, ref, work.head))

    def save(self, work: DirtyState) -> str | None:
        """Save everything; the name of the first saved tip, or None when there was nothing.

        Saving the same again finds it saved. Raises Refused when something cannot be saved.
        """
        saved = [self._keep(one, tip) for one in work.each() for tip in _wanted(one, self.session)]
        return saved[0] if saved else None

    def save_for_removal(self, work: DirtyState, freed: Removed, *, dry_run: bool) -> Removed:
        """Save the work (or only say how) and enter it in the report of a removal. Raises Refused
        when something would be lost.
        """
        work = counted(work)
        _refuse_lost(work)
        freed = replace(freed, unsaved=work.unkept)
        name = None if work.is_clean else self.foreseen(work) if dry_run else self.save(work)
        return (
            freed
            if name is None
            else replace(
                freed, preserved=name, preserved_commits=work.commits, preserved_files=work.files
            )
        )

    def tags(self) -> frozenset[str]:
        """The tags and saved tips the store has already, by the object they stand for."""
        if self.store is None:
            return frozenset()
        return frozenset(
            self.store.run("for-each-ref", "--format=%(objectname)", "refs/tags", PRESERVED).lines
        )

    def keep_commit(self, commit: str) -> str | None:
        """Keep one commit of the store that no ref leads to any more; None when one does."""
        if (
            self.store is None
            or self.store.run("for-each-ref", "--count=1", "--contains", commit).text
        ):
            return None
        return _file(self.store, self.session, commit, commit)

    def _keep(self, one: DirtyState, tip: str) -> str:
        if self.store is None:
            return self._bundle(one, tip)
        if one.git.common != self.store.common:
            try:
                self._carry(one.git, tip, self.store)
            except EnnioError as error:
                _log.warning(
                    "saved work was bundled", extra={"session": self.session, "reason": str(error)}
                )
                return self._bundle(one, tip)
            ref = _file(self.store, self.session, tip, one.head)
            self.store.run("update-ref", "-d", _passing(self.session))
            return ref
        return _file(self.store, self.session, tip, one.head)

    def _carry(self, git: Git, tip: str, store: Git) -> None:
        try:
            _fetch(git, tip, store, self.session)
        except Refused:
            # a shallow clone's history begins at a commit the store may not have yet
            if self.before_retry is None:
                raise
            self.before_retry()
            _fetch(git, tip, store, self.session)

    def _bundle(self, one: DirtyState, tip: str) -> str:
        ref = f"{PRESERVED}/{self.session}"
        machine = one.git.machine
        path = next(self._bundles(machine))
        # where git cannot write beside the working copy it writes to a folder for it alone
        walled = _is_walled(one.git)
        folder = machine.temporary_folder() if walled else path.parent
        making = folder / f".{path.name}.making"
        one.git.run("update-ref", ref, tip)
        one.git.run(
            "bundle", "create", "--quiet", str(making), ref, "--not", *one.elsewhere, timeout=HEAVY
        )
        if walled:
            machine.copy(making, path)  # which takes a plain file alone
            machine.remove_tree(folder)
        else:
            machine.rename(making, path)
        return str(path)

    def _bundles(self, machine: Machine) -> Iterator[Path]:
        names = (self.beside / f"{self.session}{suffix}.bundle" for suffix in _suffixes())
        return (path for path in names if not single.exists(machine, path))


def _is_walled(git: Git) -> bool:
    return walled_shell(git.machine, git.directory, ()) is not None


def _wanted(one: DirtyState, session: str) -> Iterator[str]:
    """The commits that, with their history, hold all of it."""
    snapshot = _snapshot(one, session) if one.changed or one.untracked else None
    if snapshot is not None:
        yield snapshot
    yield from (tip for tip in one.tips if snapshot is None or tip != one.head)


def _snapshot(one: DirtyState, session: str) -> str | None:
    """A commit of the files as they are, on top of HEAD; None when that would say nothing new."""
    _refuse_large(one)
    with one.index.opened(one.git.under(_IDENTITY)) as git:
        staged = git.run("write-tree", check=False).text  # nothing while a merge is unresolved
        outside = _outside(one)
        _add_all(one, git, outside)
        tree = git.run("write-tree").text
        _prove(one, git, tree, outside)
        below = git.run(
            "rev-parse", "--verify", "--quiet", f"{one.head}^{{tree}}", check=False
        ).text
        parent = one.head
        if staged not in ("", tree, below):
            parent = _commit(git, staged, parent, f"Staged in session {session}, not committed")
        if tree == below and parent == one.head:
            return None
        return _commit(git, tree, parent, _message(one, session))


def _outside(one: DirtyState) -> set[str]:
    """Paths git must not try to add: what is looked at by itself, or has no content. Those it
    ignores it would complain of.
    """
    inner = {_below(one, inner) for inner in one.nested} - set(one.index.modules)
    ignored = tuple(path for path in one.ignored if path.endswith("/"))
    paths = inner | {path for path, _ in one.inventory.special}
    return {
        path for path in paths if path not in one.ignored and not f"{path}/".startswith(ignored)
    }


def _add_all(one: DirtyState, git: Git, outside: set[str]) -> None:
    """Enter every file as it is now. Raises Refused for one that cannot be
    read, or never holds still.
    """
    pathspecs = [":(top)", *(f":(top,exclude,literal){path}" for path in sorted(outside))]
    options = ("--all", "--sparse", "--pathspec-from-file=-", "--pathspec-file-nul")
    for left in range(_TRIES, 0, -1):
        added = git.run(
            *as_named(git),
            "add",
            *options,
            input="\0".join(pathspecs),
            timeout=HEAVY,
            check=left == 1,
        )
        moving = _moving(git, outside) if added.ok else ()
        if added.ok and not moving:
            return
    names = ", ".join(moving[:5])
    told = f"{readable(names)} in {one.git.directory} changed again and again"
    raise Refused(f"not removed: {told} while it was being saved; end what writes to it")


def _moving(git: Git, outside: set[str]) -> tuple[str, ...]:
    """Paths that are not any more as they were entered."""
    changed = git.run(
        *as_named(git),
        "diff-files",
        "--name-only",
        "--ignore-submodules=dirty",
        "-z",
        timeout=HEAVY,
    ).fields
    new = git.run(
        *as_named(git), "ls-files", "--others", "--exclude-standard", "-z", timeout=HEAVY
    ).fields
    within = tuple(f"{path}/" for path in outside)
    return tuple(
        path
        for path in (*changed, *new)
        if not path.endswith("/") and not f"{path}/".startswith(within)
    )


def _prove(one: DirtyState, git: Git, tree: str, outside: set[str]) -> None:
    """Every path that is here and was to be saved is in the tree."""
    saved = frozenset(git.run("ls-tree", "-r", "-z", "--name-only", tree).fields)
    within = tuple(f"{path}/" for path in outside)
    paths = (*one.changed, *one.untracked)
    places = [git.directory / path for path in paths]
    wanted = (
        path
        for path, found in zip(paths, git.machine.stat(places, follow=False), strict=True)
        if not isinstance(found, OSError)
    )
    missing = [path for path in wanted if path not in saved and not f"{path}/".startswith(within)]
    if missing:
        raise Refused(
            f"not removed: git did not take {readable(', '.join(missing[:5]))} in "
            f"{one.git.directory}, so it cannot be saved"
        )


def _refuse_lost(work: DirtyState) -> None:
    lost = work.lost
    if lost:
        more = f" and {len(lost) - 5} more" if len(lost) > 5 else ""
        raise Refused(
            f"not removed, since it would be lost: {', '.join(lost[:5])}{more}; make it readable, "
            "move it or delete it"
        )


def _refuse_large(one: DirtyState) -> None:
    """What is too large to be saved must not be lost either: a person decides."""
    found = one.git.machine.stat([one.git.directory / path for path in one.untracked], follow=False)
    large = [path for path, state in zip(one.untracked, found, strict=True) if _size(state) > LARGE]
    if large:
        names = ", ".join(large[:5])
        raise Refused(
            f"not removed: {readable(names)} in {one.git.directory} is neither committed nor "
            f"ignored, and above {LARGE // 1024 // 1024} MB "
            "too large to be saved; commit, move, ignore or delete it"
        )


def _message(one: DirtyState, session: str) -> str:
    return (
        f"Not committed in session {session}\n\nSaved before the working copy "
        f"{one.git.directory} was removed.\n"
    )


def _commit(git: Git, tree: str, parent: str | None, message: str) -> str:
    return git.run(
        "commit-tree", tree, *(("-p", parent) if parent else ()), "-F", "-", input=message
    ).text


def _below(one: DirtyState, inner: DirtyState) -> str:
    within, root = one.git.machine.real([inner.git.directory, one.git.directory])
    return within.relative_to(root).as_posix()


def _size(found: FileState | OSError) -> int:
    if isinstance(found, FileNotFoundError):
        return 0  # it went meanwhile
    if isinstance(found, OSError):
        raise found
    return found.size


def _fetch(git: Git, tip: str, store: Git, session: str) -> None:
    """Bring a commit of another repository into the store, without a ref that stays."""
    passing = _passing(session)
    git.run("update-ref", passing, tip)
    options: tuple[str, ...] = (
        "--progress",
        "--no-tags",
        "--no-write-fetch-head",
        "--no-recurse-submodules",
        "--refmap=",
    )
    walled = walled_shell(git.machine, git.directory, ("git-upload-pack",))
    if walled is not None:  # its settings are not to be obeyed out here
        options = (*options, f"--upload-pack={walled}")
    store.run("fetch", *options, str(git.directory), f"+{passing}:{passing}", timeout=NETWORK)
    if store.run("rev-parse", "--verify", "--quiet", passing, check=False).text != tip:
        # git only warns and succeeds when it will not take a history that
        # begins at a commit it lacks
        message = f"{store.directory} lacks the commits that the work in {git.directory} stands on"
        raise Refused(message)


def _file(store: Git, session: str, tip: str, head: str | None) -> str:
    """Put a commit under the first name that is free, holds it, or only goes on to it."""
    tag = store.commit(tip) != tip
    for ref in _names(session):
        there = store.run("rev-parse", "--verify", "--quiet", ref, check=False).text or None
        if there == tip:
            break
        if there is not None and (tag or store.commit(ref) != there):
            continue  # a tag has words of its own, for which no commit stands
        if there is not None and _holds(store, there, tip, head):
            break
        if there is None or store.contains(there, tip):
            store.run("update-ref", "-m", "ennio: saved", ref, tip, there or "")
            break
    return ref


def _passing(session: str) -> str:
    return f"refs/ennio/passing/{session}"


def _is_free(store: Git, ref: str, head: str | None) -> bool:
    there = store.commit(ref)
    return there is None or (head is not None and store.contains(there, head))


def _holds(store: Git, there: str, tip: str, head: str | None) -> bool:
    """Whether a saved commit has all that another would: a repeat differs in its time alone."""
    if store.contains(tip, there):
        return True
    trees = store.run("rev-parse", f"{there}^{{tree}}", f"{tip}^{{tree}}").lines
    return trees[0] == trees[1] and head is not None and head != tip and store.contains(head, there)


def _names(session: str) -> Iterator[str]:
    return (f"{PRESERVED}/{session}{suffix}" for suffix in _suffixes())


def _suffixes() -> Iterator[str]:
    yield ""
    yield from (f"-{number}" for number in count(2))
