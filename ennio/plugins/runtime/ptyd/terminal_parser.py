"""What a daemon must understand of a terminal's output: its title, its
paste mode, its questions.
"""

from __future__ import annotations

import re
from typing import Final

_CODES: Final = re.compile(
    rb"\x1b\](?P<osc>0|2|10|11);(?P<text>[^\x07\x1b]*)(?:\x07|\x1b\\)"
    rb"|\x1b\[\?(?P<modes>[0-9;]+)(?P<set>[hl])"
    rb"|\x1b\[(?P<query>0?c|5n|6n|>0?c)"
)
_CARRY: Final = 1024
# Programs wait for these before they show anything; with nobody attached there is
# no terminal to answer.
_ANSWERS: Final = {
    b"c": b"\x1b[?62;22c",
    b"0c": b"\x1b[?62;22c",
    b">c": b"\x1b[>0;0;0c",
    b">0c": b"\x1b[>0;0;0c",
    b"5n": b"\x1b[0n",
    b"6n": b"\x1b[1;1R",
    b"10": b"\x1b]10;rgb:d0d0/d0d0/d0d0\x1b\\",
    b"11": b"\x1b]11;rgb:0000/0000/0000\x1b\\",
}


class TerminalParser:
    """Listens to one terminal's output, whatever the chunks it comes in."""

    def __init__(self) -> None:
        self.title = ""
        self.bracketed = False
        self._rest = b""

    def feed(self, chunk: bytes) -> bytes:
        """Take in output; returns what a terminal would answer to the questions in it."""
        data = self._rest + chunk
        answers = b""
        end = 0
        for code in _CODES.finditer(data):
            answers += self._interpret(code)
            end = code.end()
        opening = data.find(b"\x1b", max(end, len(data) - _CARRY))
        self._rest = data[opening:] if opening >= 0 else b""
        return answers

    def _interpret(self, code: re.Match[bytes]) -> bytes:
        if code["query"]:
            return _ANSWERS[code["query"]]
        if code["modes"]:
            if b"2004" in code["modes"].split(b";"):
                self.bracketed = code["set"] == b"h"
            return b""
        if code["osc"] in {b"10", b"11"}:
            return _ANSWERS[code["osc"]] if code["text"] == b"?" else b""
        self.title = "".join(
            letter for letter in code["text"].decode(errors="replace") if letter.isprintable()
        )
        return b""
