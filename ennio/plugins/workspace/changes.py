"""What a session has changed, read by git where the session is: the list of files, and the patch
of one. Nothing of the working copy is moved; bytes and time are bounded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ennio.machine.interface import FileState, Machine
from ennio.model.changes import bounded
from ennio.model.errors import NotFound
from ennio.model.workspace_changes import (
    LONGEST_PATCH,
    MANY_LINES,
    MOST_CHANGED,
    ChangedFile,
    FilePatch,
    Until,
    WorkspaceDiff,
    folded,
)
from ennio.plugins.git import Git, readable
from ennio.plugins.workspace.compared import Compared, SessionBranch, compared

_LONGEST_LIST = 16 * 1024 * 1024
_TIME = 60.0  # seconds for what reads all changed files
_STATUS = {
    "A": "added",
    "M": "modified",
    "D": "removed",
    "R": "renamed",
    "C": "copied",
    "T": "retyped",
    "U": "conflicted",
}
_LARGE_FILE = 32 * 1024 * 1024
"""Larger files are not taken apart line by line."""
_AS_IS = (
    "-c", f"core.bigFileThreshold={_LARGE_FILE}",
    "-c", "diff.algorithm=histogram",
    "-c", "diff.orderFile=/dev/null",
    "-c", "diff.suppressBlankEmpty=false",
)  # fmt: skip
_COMPARE = (
    *_AS_IS,
    *("--literal-pathspecs", "diff", "--no-ext-diff", "--no-textconv", "--no-color", "-M"),
    *("--no-relative", "--submodule=short", "--src-prefix=a/", "--dst-prefix=b/", "--full-index"),
    *("--ignore-submodules=untracked", "--inter-hunk-context=0"),
)
_SUBMODULE = "160000"


def diff(machine: Machine, of: SessionBranch, until: Until, longest: int = 0) -> WorkspaceDiff:
    """The files that are changed, and so many bytes of their patches. Raises NotFound when nothing
    is left to compare.
    """
    with compared(machine, of, until) as ends:
        found, cut = _files(ends)
        files = tuple(_shown(ends, found[:MOST_CHANGED]))
        text, short = _patches(ends, (), 3, longest) if longest else (None, False)
    return WorkspaceDiff(
        ends.base,
        of.base,
        ends.head,
        ends.branch,
        ends.until,
        files,
        len(found),
        sum(one.added or 0 for one in found),
        sum(one.removed or 0 for one in found),
        cut or len(found) > MOST_CHANGED,
        ends.note,
        text,
        short,
    )


def patch(
    machine: Machine, of: SessionBranch, until: Until, path: str, context: int, longest: int
) -> FilePatch:
    """One file of it, ``path`` as the list names it. Raises NotFound for one that is not in it."""
    with compared(machine, of, until) as ends:
        found, _ = _files(ends)
        asked = [one for one in found if readable(one.path) == path]
        if not asked:
            raise NotFound(
                f"{path} is not changed in session {of.session_id}, or not any more; the list: "
                f"ennio diff {of.session_id} --stat"
            )
        file = next(iter(_shown(ends, asked)))
        if file.submodule and file.untracked:
            return FilePatch(ends.base, ends.head, ends.until, file, "")
        text, cut = _patch(ends, asked[0], context, longest)
    whole = longest > LONGEST_PATCH
    file = replace(file, too_large=cut or (file.too_large and not whole))
    return FilePatch(ends.base, ends.head, ends.until, file, text, cut)


def changed_files(ends: Compared) -> Sequence[ChangedFile]:
    """The files between two ends, by the names that git has for them."""
    return _files(ends)[0]


def _patch(ends: Compared, file: ChangedFile, context: int, longest: int) -> tuple[str, bool]:
    return _patches(ends, (*((file.before,) if file.before else ()), file.path), context, longest)


def _patches(
    ends: Compared, paths: tuple[str, ...], context: int, longest: int
) -> tuple[str, bool]:
    told, cut = ends.git.beginning(
        *_COMPARE, "-p", f"--unified={context}", *ends.ends, "--", *paths,
        longest=longest + 1, timeout=_TIME,
    )  # fmt: skip
    text, short = bounded([readable(told)], longest)
    return text, cut or short


def _files(ends: Compared) -> tuple[list[ChangedFile], bool]:
    """All of them, by the names that git has for them."""
    listing, cut = ends.git.beginning(
        *_COMPARE, "--raw", "--numstat", "-z", *ends.ends, "--",
        longest=_LONGEST_LIST, timeout=_TIME,
    )  # fmt: skip
    found = [replace(one, untracked=one.path in ends.untracked) for one in _read(listing)]
    nested = [
        ChangedFile(name, "added", mode=_SUBMODULE, submodule=True, untracked=True)
        for name in ends.nested
    ]
    return [*found, *nested], cut


@dataclass(frozen=True, slots=True)
class _Raw:
    """One record of ``--raw``."""

    status: str
    before: str
    mode_before: str
    mode: str


def _read(listing: str) -> Iterator[ChangedFile]:
    """Read ``--raw --numstat -z``: per file first how it changed, then all once more with the
    lines.
    """
    fields = iter(listing.split("\0"))
    known: dict[str, _Raw] = {}
    for field in fields:
        if field.startswith(":"):
            mode_before, mode, _, _, letter = field[1:].split(" ")
            name, before = next(fields, ""), ""
            if letter[0] in "RC":
                name, before = next(fields, ""), name
            if letter[0] == "U" and name in known:
                continue
            known[name] = _Raw(_STATUS.get(letter[0], "modified"), before, mode_before, mode)
        elif field.count("\t") >= 2:
            added, removed, name = field.split("\t", 2)
            path = name or (next(fields, ""), next(fields, ""))[1]
            if path in known:
                yield _file(path, known.pop(path), added, removed)
    yield from (_file(path, raw, "-", "-") for path, raw in known.items())


def _file(path: str, raw: _Raw, added: str, removed: str) -> ChangedFile:
    lines = [int(count) if count.isdecimal() else None for count in (added, removed)]
    submodule = _SUBMODULE in (raw.mode, raw.mode_before)
    return ChangedFile(
        path,
        raw.status,
        lines[0],
        lines[1],
        raw.before or None,
        raw.mode.strip("0") and raw.mode,
        raw.mode_before.strip("0") and raw.mode_before,
        binary=lines[0] is None and not submodule and raw.status != "conflicted",
        submodule=submodule,
        too_large=(lines[0] or 0) + (lines[1] or 0) > MANY_LINES,
    )


def _shown(ends: Compared, files: Sequence[ChangedFile]) -> Iterator[ChangedFile]:
    """The files as they are shown: with their sizes, why they are folded, and readable names."""
    sizes, told = _sizes(ends, files), _told_generated(ends.git, files)
    for file in files:
        size = sizes.get(file.path)
        large = file.binary and (size or 0) > _LARGE_FILE
        yield replace(
            file,
            path=readable(file.path),
            before=file.before and readable(file.before),
            size=size,
            binary=file.binary and not large,
            too_large=file.too_large or large or (file.status == "added" and _is_long(file, size)),
            folded=folded(file.path, generated=told.get(file.path)),
        )


def _is_long(file: ChangedFile, size: int | None) -> bool:
    return not file.binary and (size or 0) > LONGEST_PATCH


def _sizes(ends: Compared, files: Sequence[ChangedFile]) -> Mapping[str, int]:
    there = [one.path for one in files if one.mode and not one.submodule]
    if ends.until is Until.WORKTREE:
        states = ends.git.machine.stat([ends.git.directory / name for name in there], follow=False)
        return {
            name: state.size
            for name, state in zip(there, states, strict=True)
            if isinstance(state, FileState)
        }
    asked = [name for name in there if "\n" not in name]
    told = ends.git.run(
        "cat-file",
        "--batch-check=%(objectsize)",
        input="".join(f"{ends.head}:{name}\n" for name in asked),
        check=False,
    ).lines
    return {name: int(size) for name, size in zip(asked, told, strict=False) if size.isdecimal()}


def _told_generated(git: Git, files: Sequence[ChangedFile]) -> Mapping[str, bool]:
    """What ``.gitattributes`` says of who wrote them."""
    if not files:
        return {}
    told = git.run(
        "check-attr",
        "-z",
        "--stdin",
        "linguist-generated",
        input="".join(f"{one.path}\0" for one in files),
        check=False,
    ).stdout.split("\0")
    said = {"set": True, "true": True, "unset": False, "false": False}
    return {
        path: said[value]
        for path, value in zip(told[::3], told[2::3], strict=False)
        if value in said
    }
