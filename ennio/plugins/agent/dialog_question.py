"""What a dialog on a screen asks: the words above its choices, with those behind them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ennio.plugins.agent import dialog_choices

_EDGE = re.compile(r"^(?:[●•◦■✻✶✢✳]|\s*(?:─{10,}|[⎿❯›]))")
_NOISE = re.compile(r"^\s*(?:[╌─│╭╰┄▔ ]*|Tip:.*|Environment: local|[← ]*[☐☒☑].*)$")
_ABOVE = 14


def question_of(screen: str) -> tuple[str | None, None, str]:
    """The words above the choices of a dialog, in one line, with the choices behind
    them; and the choices alone.
    """
    found = dialog_choices.choices(screen)
    told = f"[{' / '.join(str(choice) for choice in found if choice.number)}]" if found else ""
    words = _above(screen.splitlines()[: found[0].at]) if found else ""
    return (f"{words} {told}" if words else None), None, told


def _above(lines: Sequence[str]) -> str:
    words: list[str] = []
    for line in reversed([line.rstrip() for line in lines if line.strip()][-_ABOVE:]):
        if _EDGE.match(line):
            break
        if not _NOISE.match(line):
            words.insert(0, line.strip())
    return " ".join(words)
