"""A workspace without git: a plain folder, for trying things and for tests of what stands above.

Files that are in it are what would be lost with it; ``remove`` moves them to
``.preserved`` beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path

from ennio.machine import single
from ennio.machine.interface import FileKind, Machine
from ennio.machine.questions import Questions
from ennio.model.branch import check_branch
from ennio.model.clock import Clock, SystemClock
from ennio.model.errors import Refused
from ennio.model.facts import Place, WorkspaceSeen
from ennio.plugins.workspace import folder
from ennio.plugins.workspace.interface import Created, Existing, Glance, Removed, WorkspaceSpec
from ennio.plugins.workspace.prepare import prepare

BASE_HEAD = "0" * 40


class StubWorkspace:
    """Working copies that are empty folders."""

    name = "stub"

    def __init__(self, machine: Machine, clock: Clock | None = None) -> None:
        self._machine = machine
        self._clock = clock or SystemClock()

    def create(self, spec: WorkspaceSpec) -> Created:
        """Make the folder, or find it with whatever is in it."""
        check_branch(spec.branch)
        check_branch(spec.base)
        found = single.state(self._machine, spec.path)
        if found is not None and found.kind is not FileKind.FOLDER:
            message = f"{spec.path} is in the way: it is no folder; move it away"
            raise Refused(message)
        self._machine.make_folder(spec.path)
        return Created(spec.path, spec.branch, BASE_HEAD)

    def prepare(self, spec: WorkspaceSpec) -> None:
        """Links and ``post_create``, as everywhere."""
        prepare(self._machine, spec)

    def inspect(self, spec: WorkspaceSpec) -> WorkspaceSeen:
        """Every file counts as uncommitted, links do not."""
        if not single.is_folder(self._machine, spec.path):
            return WorkspaceSeen(self._clock.now(), exists=False)
        return WorkspaceSeen(
            self._clock.now(),
            exists=True,
            branch=spec.branch,
            head=BASE_HEAD,
            uncommitted=_files(self._machine, spec.path),
        )

    def remove(self, spec: WorkspaceSpec, *, dry_run: bool = False) -> Removed:
        """Move the folder to ``.preserved`` if there are files in it, else remove it."""
        machine, name = self._machine, spec.session_id
        files = _files(machine, spec.path) if single.is_folder(machine, spec.path) else 0
        kept = _free(machine, spec.path.parent / ".preserved", name) if files else None
        size = folder.size(machine, spec.path)
        freed = Removed(spec.path, size, None if kept is None else str(kept), 0, files)
        if dry_run:
            return freed
        if kept is not None:
            machine.make_folder(kept.parent)
            machine.rename(spec.path, kept)
        folder.discard(machine, spec.path)
        return freed

    def remote(self, spec: WorkspaceSpec) -> str:
        """See ``Workspace.remote``."""
        return "origin"

    def glance(self, path: Path, branch: str, source: Path) -> Glance | None:
        """See ``Glanceable.glance``."""
        stands = single.is_folder(self._machine, path)
        return Glance(Place.STANDING if stands else Place.GONE)

    def stands_on(self, path: Path, branch: str) -> tuple[Path, ...]:
        """See ``Glanceable.stands_on``."""
        return (path,)

    def foreseen(self, path: Path, branch: str, source: Path) -> Questions:
        """See ``Glanceable.foreseen``."""
        return Questions(states=(path,))

    def environment(self, path: Path) -> Mapping[str, str]:
        """See ``Workspace.environment``: nothing is needed."""
        return {}

    def existing(self, root: Path, source: Path) -> Sequence[Existing]:
        """Every folder below ``root``."""
        paths = folder.children(self._machine, root)
        sizes = folder.sizes(self._machine, paths)
        return [Existing(path.name, path, None, sizes[path]) for path in paths]


def _files(machine: Machine, path: Path) -> int:
    """How many regular files lie in a folder and those below it."""
    paths = [path / name for name in machine.list(path)]
    kinds = [getattr(found, "kind", None) for found in machine.stat(paths, follow=False)]
    inner = [one for one, kind in zip(paths, kinds, strict=True) if kind is FileKind.FOLDER]
    return kinds.count(FileKind.FILE) + sum(_files(machine, one) for one in inner)


def _free(machine: Machine, directory: Path, session: str) -> Path:
    names = (directory / (session if number == 1 else f"{session}-{number}") for number in count(1))
    return next(path for path in names if not single.exists(machine, path))
