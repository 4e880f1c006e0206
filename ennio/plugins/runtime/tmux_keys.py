"""What a keyboard sends, in the words of ``send-keys``.

Bytes go to the program as they are (``-H``). The keys of the cursor go by their names: the terminal
that a person looks at is in the mode that tmux has it in, and the program may be in another.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ennio.plugins.runtime.interface import Key

_ARROWS = {Key.UP: "Up", Key.DOWN: "Down", Key.LEFT: "Left", Key.RIGHT: "Right"}
KEYS = {
    Key.ENTER: "Enter",
    Key.ESCAPE: "Escape",
    Key.INTERRUPT: "C-c",
    Key.ERASE: "BSpace",
    Key.CLEAR: "C-u",
    Key.KILL: "C-k",
    **_ARROWS,
}
"""The keys that Ennio itself presses."""
GONE = "gone"
"""What tmux says of a pane that is not what it was taken for; nothing was done then."""
_LIVES = "#{&&:#{==:#{session_name},%s},#{!=:#{pane_dead},1}}"
_NAMES = {
    b"A": "Up",
    b"B": "Down",
    b"C": "Right",
    b"D": "Left",
    b"H": "Home",
    b"F": "End",
}
_CURSOR = re.compile(rb"\x1b[O\[]([ABCDHF])")
_MOST = 1024  # bytes in one command


def keys(data: bytes) -> Iterator[str]:
    """The arguments of one ``send-keys`` after the other."""
    end = 0
    for code in _CURSOR.finditer(data):
        yield from _hexadecimal(data[end : code.start()])
        yield _NAMES[code[1]]
        end = code.end()
    yield from _hexadecimal(data[end:])


def _hexadecimal(data: bytes) -> Iterator[str]:
    for start in range(0, len(data), _MOST):
        yield "-H " + data[start : start + _MOST].hex(" ")


def where_it_lives(session: str, pane: str, act: str) -> tuple[str, ...]:
    """The words that do something with a pane (``%s``) if it is of this session and its program has
    not ended, or say that it is ``GONE``.
    """
    otherwise = f"display-message -p {GONE}"
    return "if-shell", "-F", "-t", pane, _LIVES % session, act.replace("%s", pane), otherwise
