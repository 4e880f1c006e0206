"""What the files of a repository tell of its refs, so that no git has to be started for that.

They tell it only where nothing is special: a repository of the usual format, in which git would
work for us, and refs that are commits by themselves. Whoever wants to know more asks git.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from ennio.machine import single
from ennio.machine.interface import FileKind, FilePart, FileSpan, FileState, Machine

_SMALL = 8192  # bytes of a ref
_LARGE = 1 << 20  # bytes of a configuration, and of all packed refs
_COMMIT = re.compile(rb"[0-9a-f]{40}\n?")
_FORMAT = re.compile(rb"repositoryformatversion[ \t]*=[ \t]*([^\s]*)", re.IGNORECASE)


def tips(
    machine: Machine, directory: Path, common: Path, refs: Sequence[str]
) -> Mapping[str, str] | None:
    """The commits of these refs, without those that there are not; None where only git can tell.

    ``common`` is what git has for the ``directory``. A ref that is packed meanwhile stands there
    before its own file goes, so that one of the two is always read.
    """
    if not _is_plain(machine, directory, common):
        return None
    found = dict[str, str]()
    loose = machine.read([FileSpan(common / ref, most=_SMALL, follow=False) for ref in refs])
    for ref, part in zip(refs, loose, strict=True):
        if isinstance(part, FileNotFoundError):
            continue
        if isinstance(part, OSError) or not _COMMIT.fullmatch(part.data):
            return None
        found[ref] = part.data.decode().strip()
    if len(found) == len(refs):
        return found
    packed = _packed(machine, common, [ref for ref in refs if ref not in found])
    return None if packed is None else {**packed, **found}


def has_place(machine: Machine, directory: Path, common: Path, ref: str) -> bool:
    """Whether files tell for sure that no other ref keeps this one from being made, as one of the
    two would be a folder of the other; see ``tips``.
    """
    above = folders(ref)
    packed = _whole(machine, common / "packed-refs")
    if packed is None or not _is_plain(machine, directory, common):
        return False
    lines = [*(f" {one}\n" for one in above), f" {ref}/"]
    if any(line.encode("utf-8", "surrogateescape") in packed for line in lines):
        return False
    own, *parents = machine.stat([common / one for one in (ref, *above)], follow=False)
    # its own folder may be empty, which only git looks at
    return _is_absent_or(FileKind.FILE, own) and all(
        _is_absent_or(FileKind.FOLDER, parent) for parent in parents
    )


def folders(ref: str) -> list[str]:
    """The refs below ``refs/heads`` of which each would have to be a folder for this one."""
    parts = ref.split("/")
    return ["/".join(parts[:count]) for count in range(3, len(parts))]


def _is_absent_or(kind: FileKind, state: FileState | OSError) -> bool:
    if isinstance(state, FileState):
        return state.kind is kind
    return isinstance(state, FileNotFoundError)


def _is_plain(machine: Machine, directory: Path, common: Path) -> bool:
    """Whether the repository is of the usual format, without extensions, and ours, so that git
    works in it.
    """
    real = single.real(machine, directory)
    places = [real, common] if common == real / ".git" else [common]
    if real not in places:
        return False  # a worktree, or something else that leads to it
    if not all(
        isinstance(state, FileState) and state.owner == machine.user
        for state in machine.stat(places)
    ):
        return False
    told = _whole(machine, common / "config")
    return (
        told is not None
        and b"extensions" not in told.lower()
        and all(version == b"0" for version in _FORMAT.findall(told))
    )


def _packed(machine: Machine, common: Path, refs: Sequence[str]) -> Mapping[str, str] | None:
    told = _whole(machine, common / "packed-refs")
    if told is None:
        return None
    found = dict[str, str]()
    for ref in refs:
        end = told.find(f" {ref}\n".encode("utf-8", "surrogateescape"))
        if end < 0:
            continue
        commit = told[told.rfind(b"\n", 0, end) + 1 : end]
        if not _COMMIT.fullmatch(commit):
            return None
        found[ref] = commit.decode()
    return found


def _whole(machine: Machine, path: Path) -> bytes | None:
    """All of a file, which is nothing where there is none; None where it cannot be read, or is
    large.
    """
    (part,) = machine.read([FileSpan(path, most=_LARGE + 1)])
    if isinstance(part, FileNotFoundError):
        return b""
    return part.data if isinstance(part, FilePart) and len(part.data) <= _LARGE else None
