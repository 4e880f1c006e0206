"""The folder that a node does its work below, and no path that leads out of it."""

from __future__ import annotations

import os
from pathlib import Path

from ennio.machine.home import Home
from ennio.model.errors import Invalid
from ennio.model.session import ID_PATTERN
from ennio.node.status import Forbidden

KINDS = ("worktree", "clone")


class WorkspaceRoot:
    """Holds paths from elsewhere against the root: ``..`` and links are followed first."""

    def __init__(self, root: Path) -> None:
        self._root = Path(os.path.realpath(root))

    def folder(self, name: str, text: str) -> Path:
        """A folder below the root, by its real path. Raises Invalid, Forbidden."""
        path = self._below(name, text)
        if not path.is_dir():
            raise Invalid(f"{name}: there is no folder {text}")
        return path

    def workspace(self, name: str, text: str) -> tuple[str, str, str]:
        """The kind, project and session of a workspace's path. Raises Invalid, Forbidden.

        A link below the root names no workspace, wherever it leads.
        """
        path = self._below(name, text)
        if path not in self._plain(Path(os.path.normpath(text))):
            raise Forbidden(f"{name}: a link is on the way to {text}")
        named = identity(self._root, path)
        if named is None:
            raise Invalid(f"{name}: {text} is no workspace; one is <kind>s/<project>/<session>")
        return named

    def check_place(self, name: str, path: Path) -> None:
        """See that what is made at a path is made below the root. Raises Forbidden."""
        real = Path(os.path.realpath(path))
        if real != self._root / path.relative_to(self._root):
            raise Forbidden(f"{name}: a link leads from {path} to {real}")

    def home(self) -> Home:
        """All of Ennio's folders below it."""
        return Home(self._root)

    def _below(self, name: str, text: str) -> Path:
        if not text or "\0" in text or not text.startswith("/"):
            raise Invalid(f"{name}: {text!r} is no absolute path")
        path = Path(os.path.realpath(text))
        if self._root not in path.parents:
            raise Forbidden(f"{name}: {text} does not lie below {self._root}")
        return path

    def _plain(self, path: Path) -> tuple[Path, ...]:
        """Where a path leads if nothing below the root is a link; links may lead to the root."""
        tops = [above for above in path.parents if os.path.realpath(above) == str(self._root)]
        return tuple(self._root / path.relative_to(top) for top in tops)


def identity(root: Path, path: Path) -> tuple[str, str, str] | None:
    """The kind, project and session of a workspace, or None for any other folder."""
    match path.relative_to(root).parts:
        case (kinds, project, session) if (
            kinds.endswith("s")
            and kinds[:-1] in KINDS
            and ID_PATTERN.match(project)
            and ID_PATTERN.match(session)
        ):
            return kinds[:-1], project, session
    return None
