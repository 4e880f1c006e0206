"""A commit of what a working copy holds that is not committed, on top of its HEAD, built with an
index of its own: neither the files, the index nor HEAD of the copy are touched.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ennio.machine.interface import FileState
from ennio.machine.questions import NOTHING_ASKED, Questions
from ennio.model.errors import Refused
from ennio.plugins.git import HEAVY, Git, GitAnswer, GitCommand, as_asked, readable
from ennio.plugins.workspace import index
from ennio.plugins.workspace.dirty import DirtyState
from ennio.plugins.workspace.index import as_named

LARGE = 100 * 1024 * 1024
_IDENTITY = {
    "GIT_AUTHOR_NAME": "Ennio",
    "GIT_AUTHOR_EMAIL": "ennio@localhost",
    "GIT_COMMITTER_NAME": "Ennio",
    "GIT_COMMITTER_EMAIL": "ennio@localhost",
}
_TRIES = 3
_TREE = ("write-tree",)


def snapshot_of(one: DirtyState, session: str) -> str | None:
    """A commit of the files as they are, on top of HEAD; None when that would say nothing new."""
    git = one.git.under(_IDENTITY)
    with git.machine.foreseen(_of_snapshot(one, git)):
        named, outside = as_named(git), _outside(one)
        _refuse_large(one)
        with one.index.opened(git) as copied:
            staged, tree = _entered(copied, named, outside)
            below = _judged(one, copied, tree, outside)
            parent = one.head
            if staged not in ("", tree, below):
                words = f"Staged in session {session}, not committed"
                parent = _commit(copied, staged, parent, words)
            if tree == below and parent == one.head:
                return None
            return _commit(copied, tree, parent, _message(one, session))


def _of_snapshot(one: DirtyState, git: Git) -> Questions:
    if not git.machine.name:
        return NOTHING_ASKED
    untracked = [one.git.directory / path for path in one.untracked]
    return Questions(links=untracked, commands=[as_asked(GitCommand(git, index.PLACE))])


def _entered(git: Git, named: tuple[str, ...], outside: set[str]) -> tuple[str, str]:
    """The trees of what was staged (nothing while a merge is unresolved), and of every file as it
    is now. Raises Refused for one that cannot be read, or never holds still.
    """
    adding, given = _adding(named, outside)
    moving = _looking(named)
    told = git.in_turn(
        (_TREE, None), (adding, given), *((words, None) for words in moving), (_TREE, None),
        timeout=HEAVY,
    )  # fmt: skip
    first = iter(told)
    staged = git.run(*_TREE, check=False, first=next(first, None)).text
    for left in range(_TRIES, 0, -1):
        added = git.run(
            *adding, input=given, timeout=HEAVY, check=left == 1, first=next(first, None)
        )
        changed = _moving(git, moving, outside, first) if added.ok else ()
        if added.ok and not changed:
            return staged, git.run(*_TREE, first=next(first, None)).text
        first = iter(())
    names = ", ".join(changed[:5])
    told_of = f"{readable(names)} in {git.directory} changed again and again"
    raise Refused(f"not removed: {told_of} while it was being saved; end what writes to it")


def _judged(one: DirtyState, git: Git, tree: str, outside: set[str]) -> str:
    """The tree of the commit below, once it is proven that the new one has everything."""
    below = ("rev-parse", "--verify", "--quiet", f"{one.head}^{{tree}}")
    paths = (*one.changed, *one.untracked)
    places = [git.directory / path for path in paths]
    asked = [as_asked(GitCommand(git, words)) for words in (_listing(tree), below)]
    with git.machine.foreseen(Questions(links=places, commands=asked)):
        _prove(one, git, tree, outside)
        return git.run(*below, check=False).text


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


def _adding(named: tuple[str, ...], outside: set[str]) -> tuple[tuple[str, ...], str]:
    """What enters every file, and its input."""
    pathspecs = [":(top)", *(f":(top,exclude,literal){path}" for path in sorted(outside))]
    options = ("--all", "--sparse", "--pathspec-from-file=-", "--pathspec-file-nul")
    return (*named, "add", *options), "\0".join(pathspecs)


def _looking(named: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What tells of paths that are not as they were entered, and of those that were not."""
    changed = (*named, "diff-files", "--name-only", "--ignore-submodules=dirty", "-z")
    return changed, (*named, "ls-files", "--others", "--exclude-standard", "-z")


def _moving(
    git: Git,
    looking: Sequence[tuple[str, ...]],
    outside: set[str],
    first: Iterator[GitAnswer],
) -> tuple[str, ...]:
    """Paths that are not any more as they were entered."""
    told = [git.run(*words, timeout=HEAVY, first=next(first, None)).fields for words in looking]
    within = tuple(f"{path}/" for path in outside)
    return tuple(
        path
        for fields in told
        for path in fields
        if not path.endswith("/") and not f"{path}/".startswith(within)
    )


def _prove(one: DirtyState, git: Git, tree: str, outside: set[str]) -> None:
    """Every path that is here and was to be saved is in the tree."""
    saved = frozenset(git.run(*_listing(tree)).fields)
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


def _listing(tree: str) -> tuple[str, ...]:
    return "ls-tree", "-r", "-z", "--name-only", tree


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
