"""The paths of files that an agent names in its words: pictures and links as Markdown writes them,
what stands between backticks, and words that look like a path.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from ennio.model.review_pack import MOST_NAMED

_LINK = re.compile(r"!?\[[^\]\n]{0,500}\]\(\s*<?([^)>\n]{1,1000}?)>?(?:\s+\"[^\"\n]*\")?\s*\)")
_QUOTED = re.compile(r"`([^`\n]{1,1000})`")
_BARE = re.compile(r"(?<![\w./:@-])((?:[\w@+~-]|\.{1,2}/|/)[\w./@+~-]*\.[A-Za-z][A-Za-z0-9]{0,7})")
_ELSEWHERE = re.compile(r"\A[A-Za-z][A-Za-z0-9+.-]*:")
_LINE = re.compile(r"(?::\d+){1,2}\Z|#L\d+(?:-L?\d+)?\Z")
_ENDING = re.compile(r"\.[A-Za-z0-9]{1,8}\Z")


@dataclass(frozen=True, slots=True)
class NamedPath:
    """One of them. ``linked``: it was meant as a file, and is one that is missed where there is
    none.
    """

    path: str
    linked: bool


def named_paths(text: str, most: int = MOST_NAMED) -> tuple[NamedPath, ...]:
    """Each once, in the order in which they are named; pictures and links first."""
    found: dict[str, NamedPath] = {}
    for path, linked in _candidates(text):
        if path and path not in found:
            found[path] = NamedPath(path, linked)
    return tuple(found.values())[:most]


def _candidates(text: str) -> Iterator[tuple[str, bool]]:
    for match in _LINK.finditer(text):
        yield _path(unquote(match[1])), True
    rest = _LINK.sub(" ", text)
    for match in _QUOTED.finditer(rest):
        yield _quoted(match[1]), False
    for match in _BARE.finditer(_QUOTED.sub(" ", rest)):
        yield _path(match[1]), False


def _quoted(words: str) -> str:
    """What stands between backticks, where it may be a path: commands and names are none."""
    path = _path(words)
    return path if " " not in path and _ENDING.search(path) else ""


def _path(words: str) -> str:
    """The path in a reference, without the line it points to; empty for an address elsewhere."""
    path = _LINE.sub("", words.strip())
    if path.startswith("file://"):
        path = path.removeprefix("file://")
    if _ELSEWHERE.match(path) or path.startswith(("//", "#", "?")) or "\0" in path:
        return ""
    return path.removeprefix("./")
