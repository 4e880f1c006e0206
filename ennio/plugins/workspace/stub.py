"""A workspace without git: a plain folder, for trying things and for tests of what stands above.

Files that are in it are what would be lost with it; ``remove`` moves them to
``.preserved`` beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path

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

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()

    def create(self, spec: WorkspaceSpec) -> Created:
        """Make the folder, or find it with whatever is in it."""
        check_branch(spec.branch)
        check_branch(spec.base)
        if spec.path.exists() and not spec.path.is_dir():
            message = f"{spec.path} is in the way: it is no folder; move it away"
            raise Refused(message)
        spec.path.mkdir(parents=True, exist_ok=True)
        return Created(spec.path, spec.branch, BASE_HEAD)

    def prepare(self, spec: WorkspaceSpec, made: Created) -> None:
        """Links and ``post_create``, as everywhere."""
        prepare(spec, made)

    def inspect(self, spec: WorkspaceSpec) -> WorkspaceSeen:
        """Every file counts as uncommitted, links do not."""
        if not spec.path.is_dir():
            return WorkspaceSeen(self._clock.now(), exists=False)
        return WorkspaceSeen(
            self._clock.now(),
            exists=True,
            branch=spec.branch,
            head=BASE_HEAD,
            uncommitted=_files(spec.path),
        )

    def remove(self, spec: WorkspaceSpec, *, dry_run: bool = False) -> Removed:
        """Move the folder to ``.preserved`` if there are files in it, else remove it."""
        files = _files(spec.path) if spec.path.is_dir() else 0
        kept = _free(spec.path.parent / ".preserved", spec.session_id) if files else None
        freed = Removed(
            spec.path, folder.size(spec.path), None if kept is None else str(kept), 0, files
        )
        if dry_run:
            return freed
        if kept is not None:
            kept.parent.mkdir(exist_ok=True)
            spec.path.rename(kept)
        folder.discard(spec.path)
        return freed

    def remote(self, spec: WorkspaceSpec) -> str:
        """See ``Workspace.remote``."""
        return "origin"

    def glance(self, path: Path, branch: str, source: Path) -> Glance | None:
        """See ``Glanceable.glance``."""
        return Glance(Place.STANDING if path.is_dir() else Place.GONE)

    def environment(self, path: Path) -> Mapping[str, str]:
        """See ``Workspace.environment``: nothing is needed."""
        return {}

    def existing(self, root: Path, source: Path) -> Sequence[Existing]:
        """Every folder below ``root``."""
        paths = folder.children(root)
        sizes = folder.sizes(paths)
        return [Existing(path.name, path, None, sizes[path]) for path in paths]


def _files(path: Path) -> int:
    return sum(1 for one in path.rglob("*") if one.is_file() and not one.is_symlink())


def _free(directory: Path, session: str) -> Path:
    names = (directory / (session if number == 1 else f"{session}-{number}") for number in count(1))
    return next(path for path in names if not path.exists())
