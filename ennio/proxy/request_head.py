"""The headers of a request, read with less ado: pywsgi reads them as those of a letter, by the
parser of e-mail, which takes longer than all else that is done about a request.

Only lines that leave no question are read here. Whatever else there is (folded lines, a name that
is none) is left to pywsgi.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BufferedIOBase, BytesIO
from typing import Any

from gevent.pywsgi import headers_factory

LONGEST = 64 << 10
"""Bytes of a line."""
MOST = 100
"""Lines; both limits are those of the standard library."""
_LINE = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n\0]*)\r?\n")


class RequestHeaders:
    """What pywsgi asks of the headers of a request; names are found in any case."""

    status = ""
    """What is wrong with them: nothing."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self._pairs = pairs
        self._first = {name.lower(): value for name, value in reversed(pairs)}

    @property
    def headers(self) -> Iterator[str]:
        """The lines as they came."""
        return (f"{name}: {value}\r\n" for name, value in self._pairs)

    @property
    def typeheader(self) -> str | None:
        """What the body is."""
        return self.get("content-type")

    def get(self, name: str, default: str | None = None) -> str | None:
        """The first of this name."""
        return self._first.get(name.lower(), default)

    getheader = get

    def __delitem__(self, name: str) -> None:
        wanted = name.lower()
        self._first.pop(wanted, None)
        self._pairs = [(each, value) for each, value in self._pairs if each.lower() != wanted]


def request_headers(file: BufferedIOBase) -> Any:
    """The headers that come next, up to the empty line. Raises ValueError where they are too many;
    one that is too long is left to pywsgi, which says so.
    """
    lines = []
    while (line := file.readline(LONGEST + 1)) not in (b"\r\n", b"\n", b""):
        lines.append(line)
        if len(line) > LONGEST:
            break
        if len(lines) > MOST:
            raise ValueError(f"more than {MOST} headers")
    found = [_LINE.fullmatch(line.decode("latin-1")) for line in lines]
    if all(found):
        return RequestHeaders([(one[1], one[2]) for one in found if one is not None])
    return headers_factory(BytesIO(b"".join((*lines, b"\r\n"))))
