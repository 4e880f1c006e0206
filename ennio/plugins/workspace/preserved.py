"""What removals saved, to be found, looked at and brought back: refs of the projects' repositories,
and bundles beside workspaces.

An id is the session's, with ``-2``, ``-3`` ... where more than one thing was saved of it.
Nothing here removes anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ennio.machine import single
from ennio.machine.interface import Machine
from ennio.model.branch import check_branch
from ennio.model.errors import Refused
from ennio.plugins.git import HEAVY, Git, readable
from ennio.plugins.workspace.preserve import PRESERVED

_FORMAT = "%(refname)%09%(objectname)%09%(creatordate:unix)%09%(contents:subject)"
_MOST = 200  # commits and files that are shown
_ELSEWHERE = ("--not", "--branches", "--remotes", "--glob=refs/ennio/base")


@dataclass(frozen=True, slots=True)
class Preserved:
    """One thing that was saved. ``place`` is its ref in ``source``, or the bundle it is in, on the
    disk of ``host``, which is empty for this machine.
    """

    id: str
    project_id: str
    source: str
    place: str
    commit: str
    at: datetime
    subject: str
    host: str = ""


@dataclass(frozen=True, slots=True)
class Contents:
    """What is in it: the commits no branch has, the last one first, and the files its last commit
    changes. ``more``: not all are named.
    """

    item: Preserved
    commits: tuple[str, ...]
    files: tuple[str, ...]
    more: bool = False


@dataclass(frozen=True, slots=True)
class Restored:
    """The branch it was brought back on."""

    item: Preserved
    branch: str


def listed(
    machine: Machine, project_id: str, source: Path, roots: tuple[Path, ...]
) -> tuple[Preserved, ...]:
    """Everything that was saved of a project, the latest first. ``roots`` are where its workspaces,
    and so its bundles, lie.
    """
    found = [
        *(_refs(Git(machine, source), project_id) if single.is_folder(machine, source) else ()),
        *_bundles(machine, project_id, source, roots),
    ]
    return tuple(sorted(found, key=lambda one: one.at, reverse=True))


def contents(machine: Machine, item: Preserved) -> Contents:
    """Look into one. Raises Refused when it cannot be read."""
    _check(item)
    git = Git(machine, Path(item.source))
    if item.place.startswith("/"):
        return Contents(item, (f"{item.commit} {item.subject}".strip(),), (), more=True)
    told = git.run(
        "log", f"--max-count={_MOST + 1}", "--format=%H %s", f"{item.place}^{{commit}}", *_ELSEWHERE
    ).lines
    options = ("-r", "-z", "--root", "--no-commit-id", "--name-status", "--no-renames")
    fields = git.run("diff-tree", *options, f"{item.place}^{{commit}}").fields
    files = [f"{kind} {path}" for kind, path in zip(fields[::2], fields[1::2], strict=False)]
    more = len(told) > _MOST or len(files) > _MOST
    return Contents(
        item, tuple(map(readable, told[:_MOST])), tuple(map(readable, files[:_MOST])), more
    )


def restored(machine: Machine, item: Preserved, branch: str | None) -> Restored:
    """Bring one back as a new branch of the project's repository; what is saved stays. Raises
    Refused for a branch that is there.
    """
    _check(item)
    name = branch or f"restored/{item.id}"
    check_branch(name)
    git = Git(machine, Path(item.source))
    if git.commit(f"refs/heads/{name}") is not None:
        raise Refused(f"{item.source} has a branch {name} already; choose another with --branch")
    if item.place.startswith("/"):
        options = ("--progress", "--refmap=", "--no-tags", "--no-write-fetch-head")
        git.run("fetch", *options, item.place, f"{item.commit}:refs/heads/{name}", timeout=HEAVY)
    else:
        git.run(
            "update-ref",
            "-m",
            "ennio: restored",
            f"refs/heads/{name}",
            git.commit(item.place) or item.commit,
            "",
        )
    return Restored(item, name)


def _check(item: Preserved) -> None:
    if not item.commit:
        raise Refused(f"{item.place} cannot be read as a bundle of git")


def _refs(git: Git, project_id: str) -> Iterator[Preserved]:
    lines = git.run("for-each-ref", f"--format={_FORMAT}", PRESERVED, check=False).lines
    for ref, commit, at, subject in (line.split("\t", 3) for line in lines):
        name = ref.removeprefix(f"{PRESERVED}/")
        yield Preserved(
            name,
            project_id,
            str(git.directory),
            ref,
            commit,
            datetime.fromtimestamp(int(at or 0), UTC),
            readable(subject),
        )


def _bundles(
    machine: Machine, project_id: str, source: Path, roots: tuple[Path, ...]
) -> Iterator[Preserved]:
    paths = sorted(path for root in roots for path in _in(machine, root))
    for path, found in zip(paths, machine.stat(paths), strict=True):
        if isinstance(found, OSError):
            continue  # it went meanwhile
        place = source if single.is_folder(machine, source) else path.parent
        told = Git(machine, place).run("bundle", "list-heads", str(path), check=False)
        commit = told.text.split(" ")[0] if told.ok else ""
        at = datetime.fromtimestamp(found.modified // 1_000_000_000, UTC)
        yield Preserved(
            path.stem,
            project_id,
            str(source),
            str(path),
            commit,
            at,
            "in a bundle" if told.ok else "cannot be read",
        )


def _in(machine: Machine, root: Path) -> list[Path]:
    """The bundles beside workspaces; what begins with a dot is being made."""
    try:
        names = machine.list(root)
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [root / name for name in names if name.endswith(".bundle") and not name.startswith(".")]
