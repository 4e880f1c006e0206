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
from ennio.machine.interface import Machine
from ennio.machine.questions import NOTHING_ASKED, Questions
from ennio.machine.sandbox.confined import walled_shell
from ennio.model.errors import EnnioError, Refused
from ennio.plugins.git import (
    COMMON,
    HEAVY,
    NETWORK,
    Git,
    GitCommand,
    as_asked,
    commit_of,
)
from ennio.plugins.workspace.dirty import DirtyState, counted
from ennio.plugins.workspace.interface import Removed
from ennio.plugins.workspace.snapshot import snapshot_of

PRESERVED = "refs/ennio/preserved"
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
        with work.git.machine.gathered():
            saved = [
                self._keep(one, tip) for one in work.each() for tip in _wanted(one, self.session)
            ]
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
        return _filed(self.store, self.session, commit, commit)

    def _keep(self, one: DirtyState, tip: str) -> str:
        with one.git.machine.foreseen(self._of_keeping(one, tip)):
            return self._kept(one, tip)

    def _of_keeping(self, one: DirtyState, tip: str) -> Questions:
        """What is asked of the machine before a tip is kept."""
        if not one.git.machine.name or self.store is None:
            return NOTHING_ASKED
        both, name = (one.git, self.store), next(_names(self.session))
        asked = [GitCommand(git, COMMON) for git in both]
        asked += [GitCommand(one.git, commit_of(tip)), GitCommand(self.store, value_of(name))]
        real = [place for git in both for place in (git.directory, git.directory / ".git")]
        return Questions(real=real, commands=[as_asked(one) for one in asked])

    def _kept(self, one: DirtyState, tip: str) -> str:
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
            ref = _file(self.store, self.session, tip, one)
            self.store.run("update-ref", "-d", _passing(self.session))
            return ref
        return _file(self.store, self.session, tip, one)

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
    snapshot = snapshot_of(one, session) if one.changed or one.untracked else None
    if snapshot is not None:
        yield snapshot
    yield from (tip for tip in one.tips if snapshot is None or tip != one.head)


def _refuse_lost(work: DirtyState) -> None:
    lost = work.lost
    if lost:
        more = f" and {len(lost) - 5} more" if len(lost) > 5 else ""
        raise Refused(
            f"not removed, since it would be lost: {', '.join(lost[:5])}{more}; make it readable, "
            "move it or delete it"
        )


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


def _file(store: Git, session: str, tip: str, one: DirtyState) -> str:
    """Put a tip of a working copy under a name of the store."""
    tag = one.git.commit(tip) != tip
    return _filed(store, session, tip, one.head, tag=tag)


def value_of(ref: str) -> tuple[str, ...]:
    """What tells the object that a ref leads to."""
    return "rev-parse", "--verify", "--quiet", ref


def _filed(store: Git, session: str, tip: str, head: str | None, *, tag: bool = False) -> str:
    """Put a commit under the first name that is free, holds it, or only goes on to it."""
    for ref in _names(session):
        there = store.run(*value_of(ref), check=False).text or None
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
