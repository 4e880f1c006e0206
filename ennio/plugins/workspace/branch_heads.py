"""Which commits the branches of working copies are at, by a few small files: no process is started,
so that it can be asked again and again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ennio.machine import single
from ennio.machine.interface import FileKind, FilePart, FileSpan, FileState, Machine
from ennio.plugins.workspace import private
from ennio.plugins.workspace.glance import common_folder

_SMALL = 8192  # bytes of a ref
_LARGE = 256 << 20  # bytes of all packed refs
_HEX = frozenset("0123456789abcdef")


@dataclass(frozen=True, slots=True)
class NamedBranch:
    """A branch of the repository that a working copy hangs on; ``refs`` are the names it may have
    there, the first that there is counts.
    """

    workspace: Path
    refs: tuple[str, ...]


class BranchHeads:
    """Looks them up on one machine; remembers where the repositories lie."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._known: dict[Path, tuple[FileState, Path]] = {}

    def at(self, wanted: Sequence[NamedBranch]) -> tuple[str | None, ...]:
        """The commit of each; None where there is none, or files do not tell it (``reftable``)."""
        commons = self.commons([one.workspace for one in wanted])
        loose = [
            FileSpan(common / one.refs[0], most=_SMALL)
            for one, common in zip(wanted, commons, strict=True)
            if common is not None
        ]
        read = iter(self._machine.read(loose))
        return tuple(
            None if common is None else _tip(next(read)) or self._otherwise(common, one.refs)
            for one, common in zip(wanted, commons, strict=True)
        )

    def commons(self, workspaces: Sequence[Path]) -> tuple[Path | None, ...]:
        """The repository of each working copy, as git shares it among worktrees."""
        links = self._machine.stat([one / ".git" for one in workspaces])
        return tuple(map(self._common, workspaces, links))

    def _common(self, workspace: Path, link: FileState | OSError) -> Path | None:
        if isinstance(link, OSError):
            return None
        known = self._known.get(workspace)
        if known is not None and _is_same(known[0], link):
            return known[1]
        try:
            common = self._looked_up(workspace, link)
        except (OSError, ValueError):
            return None
        if common is not None:
            self._known[workspace] = link, common
        return common

    def _looked_up(self, workspace: Path, link: FileState) -> Path | None:
        plain = link.kind is FileKind.FOLDER
        own = workspace / ".git" if plain else private.folder(self._machine, workspace)
        return None if own is None else common_folder(self._machine, own)

    def _otherwise(self, common: Path, refs: Sequence[str]) -> str | None:
        """The tip under a later name, or where it is packed."""
        loose = self._machine.read([FileSpan(common / ref, most=_SMALL) for ref in refs])
        packed = self._packed(common / "packed-refs")
        for ref, part in zip(refs, loose, strict=True):
            found = _tip(part) or packed.get(ref)
            if found is not None:
                return found
        return None

    def _packed(self, path: Path) -> Mapping[str, str]:
        try:
            told = single.state(self._machine, path)
            if told is None or told.kind is not FileKind.FILE:
                return {}
            return _packed_refs(self._machine, path, told.modified, told.size)
        except (OSError, ValueError):
            return {}


def _is_same(before: FileState, now: FileState) -> bool:
    """Whether a link leads where it led; of a folder only that it is the same."""
    if before.kind is FileKind.FOLDER:
        return (before.kind, before.identity) == (now.kind, now.identity)
    return before == now


@lru_cache(maxsize=16)
def _packed_refs(machine: Machine, path: Path, _changed: int, _size: int) -> Mapping[str, str]:
    text = single.content(machine, path, _LARGE).decode("utf-8", "surrogateescape")
    lines = (line.partition(" ") for line in text.splitlines() if line[:1] not in "#^")
    return {name: commit for commit, _, name in lines}


def _tip(part: FilePart | OSError) -> str | None:
    """The commit in a loose ref; None for what is none."""
    if isinstance(part, OSError):
        return None
    text = part.data.decode("ascii", "replace").strip()
    return text if len(text) in (40, 64) and _HEX.issuperset(text) else None
