"""Files of a working copy by paths that an agent wrote: only what really lies in it is read, only
plain files, and none that is too large.

What a file is is told by what is in it. A path is held against the real one, before it is read and
after, so that no link leads out, also one that is put there meanwhile.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path

from ennio.machine.interface import FileKind, FilePart, FileSpan, FileState, Machine
from ennio.model.errors import NotFound, Refused
from ennio.model.review_pack import LARGEST_FILE, NamedContent, NamedFile, NamedKind
from ennio.plugins.git import readable

_BEGINNING = 8192  # bytes by which it is told what a file is
_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)
_TEXT = "text/plain; charset=utf-8"
_OTHER = "application/octet-stream"
_ABSENT = (FileNotFoundError, NotADirectoryError)


def named_files(machine: Machine, root: Path, paths: Sequence[str]) -> tuple[NamedFile, ...]:
    """What each of these is, or why it is not shown."""
    return tuple(_looked_at(machine, root, path) for path in paths)


def named_content(machine: Machine, root: Path, path: str) -> NamedContent:
    """One of them whole. Raises Refused saying why not, NotFound."""
    part, inside = _read(machine, root, path, LARGEST_FILE)
    media = _media(part.data)
    return NamedContent(_file(inside, media, part), base64.b64encode(part.data).decode())


def _looked_at(machine: Machine, root: Path, path: str) -> NamedFile:
    try:
        part, inside = _read(machine, root, path, _BEGINNING)
    except NotFound as error:
        return NamedFile(path, refused=str(error), absent=True)
    except Refused as error:
        return NamedFile(path, refused=str(error))
    return _file(inside, _media(part.data), part)


def _file(path: str, media: str, part: FilePart) -> NamedFile:
    kind = NamedKind.IMAGE if media.startswith("image/") else NamedKind.OTHER
    kind = NamedKind.TEXT if media == _TEXT else kind
    return NamedFile(readable(path), kind, media, part.state.size)


def _read(machine: Machine, root: Path, path: str, most: int) -> tuple[FilePart, str]:
    place, inside = _inside(machine, root, path)
    state = _plain(machine, place, inside)
    (part,) = machine.read([FileSpan(place, most=most, follow=False)])
    if isinstance(part, OSError):
        raise Refused(f"{inside}: it cannot be read: {part.strerror}")
    again, _ = _inside(machine, root, path)
    if again != place or part.state.identity != state.identity:
        raise Refused(f"{inside}: it was put in another's place while it was read")
    return part, inside


def _inside(machine: Machine, root: Path, path: str) -> tuple[Path, str]:
    """The real path of a file in a working copy, and the path in it. Raises Refused."""
    if "\0" in path or not path:
        raise Refused(f"{path!r}: it is no path")
    home, place = machine.real([root, root / path])
    if not place.is_relative_to(home):
        how = "is" if path.startswith("/") or ".." in path.split("/") else "leads"
        raise Refused(f"{path}: it {how} out of the session's working copy, and is not shown")
    inside = place.relative_to(home)
    if ".git" in inside.parts:
        raise Refused(f"{path}: it belongs to git, and is not shown")
    return place, str(inside)


def _plain(machine: Machine, place: Path, inside: str) -> FileState:
    (state,) = machine.stat([place], follow=False)
    if isinstance(state, _ABSENT):
        raise NotFound(f"{inside}: there is no such file in the session's working copy")
    if isinstance(state, OSError):
        raise Refused(f"{inside}: it cannot be looked at: {state.strerror}")
    if state.kind is FileKind.FOLDER:
        raise Refused(f"{inside}: it is a folder")
    if state.kind is not FileKind.FILE:
        raise Refused(f"{inside}: it is no plain file (a pipe, a socket or a device)")
    if state.size > LARGEST_FILE:
        raise Refused(
            f"{inside}: it has {state.size / 2**20:.0f} MiB, more than the "
            f"{LARGEST_FILE // 2**20} that are shown"
        )
    return state


def _media(data: bytes) -> str:
    """What it is by how it begins."""
    for magic, media in _MAGIC:
        if data.startswith(magic):
            return media
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return _TEXT if _is_text(data[:_BEGINNING]) else _OTHER


def _is_text(beginning: bytes) -> bool:
    if b"\0" in beginning:
        return False
    try:
        beginning.decode()
    except UnicodeDecodeError as error:
        return error.start >= len(beginning) - 3 and len(beginning) == _BEGINNING
    return True
