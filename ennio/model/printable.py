r"""Words from elsewhere as they may stand in a terminal or a log: they steer
nothing, and hide nothing.

What an agent, a file, a forge or a stranger wrote is data. Control characters (ESC and with it
every sequence, C0, DEL, C1), line separators and what reorders or hides text (bidirectional
controls, tags) are shown by their number, ``\x1b``, so that a person sees that somebody tried.
Letters of any script stay.
"""

from __future__ import annotations

import re

MASK = "***"
"""What stands where a secret stood."""
SHORTEST_SECRET = 6
"""Shorter secrets are not looked for in texts: they would be found in half of all words."""
_STEERS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f\ufff9-\ufffb\U000e0000-\U000e007f\ud800-\udfff]"
)
# between its texts JSON is ASCII, and there its line ends must stay
_JSON = re.compile(_STEERS.pattern.replace("\x00-\x08\x0b-\x1f", ""))
_ESCAPES = re.compile(
    r"\x1b(?:\[[0-?]*[ "
    r"-/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-_])|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
)
_BREAKS = str.maketrans("\t\n\r", "   ")


def printable(text: str) -> str:
    """The text with all that steers a terminal made visible; tabs and newlines stay.
    Twice is the same as once.
    """
    if text.isascii() and text.isprintable():
        return text
    return _STEERS.sub(_numbered, text.replace("\r\n", "\n"))


def one_line(text: str) -> str:
    """The same on one line: tabs and line ends become spaces."""
    return printable(text.replace("\r\n", "\n").translate(_BREAKS))


def settled(text: str) -> str:
    """What a program printed as it would be read in the end: without escape codes, a line that was
    overwritten as it was last.
    """
    return "\n".join(
        _ESCAPES.sub("", line.rstrip("\r").rpartition("\r")[2]) for line in text.split("\n")
    )


def json_text(text: str) -> str:
    """A JSON text with the same characters escaped as JSON escapes them; it
    says exactly what it said.
    """
    return text if text.isascii() and "\x7f" not in text else _JSON.sub(_escaped, text)


def _numbered(found: re.Match[str]) -> str:
    number = ord(found[0])
    return (
        f"\\x{number:02x}"
        if number < 0x100
        else f"\\u{number:04x}"
        if number < 0x10000
        else f"\\U{number:08x}"
    )


def _escaped(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
