"""The line that is typed: blessed's editor, fed with the keys of the board."""

from __future__ import annotations

from blessed import LineEditor

from ennio.board.stroke import Stroke

_LONGEST = 8000
_NOT_HERE = ("KEY_UP", "KEY_DOWN", "KEY_CTRL_N", "KEY_CTRL_P")
"""There is no history of lines."""


class TypedLine:
    """One line with a cursor. A pasted line end never sends it: it becomes a space."""

    def __init__(self) -> None:
        self._editor = LineEditor(limit=_LONGEST)

    def begin(self, text: str) -> None:
        """With this text, the cursor behind it."""
        self._editor = LineEditor(limit=_LONGEST)
        self._editor.insert_text(text)

    def feed(self, stroke: Stroke) -> str:
        """What became of it: ``more``, ``done`` or ``left``."""
        if stroke.name == "BRACKETED_PASTE":
            self._editor.insert_text(" ".join(stroke.text.split("\n")).replace("\r", ""))
            return "more"
        if stroke.name in _NOT_HERE:
            return "more"
        line = self._editor.line
        act = self._editor.keymap.get(stroke.name)
        if act is None and stroke.name.startswith("KEY_"):
            return "more"
        result = act(self._editor) if act else self._editor.feed_key(stroke.name)
        if result.line is not None:
            self.begin(line)
            return "done"
        return "left" if result.eof or result.interrupt else "more"

    @property
    def text(self) -> str:
        """What stands there."""
        return str(self._editor.line)

    @property
    def column(self) -> int:
        """Where the cursor stands, in cells."""
        return int(self._editor.display.cursor)
