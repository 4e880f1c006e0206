"""What a person wants to see of all rows: words, and words with a key before them."""

from __future__ import annotations

from dataclasses import dataclass

from ennio.board.row import TURNS, Row

KEYS = {"p": "project", "s": "word or status", "t": "turn", "r": "review"}
_TURN_NAMES = {"your": "you", "yours": "you", "me": "you"}


@dataclass(frozen=True, slots=True)
class Filter:
    """All of its words must fit. ``p:`` is the project, ``s:`` the word or status, ``t:`` whose
    turn, ``r:`` the review; other words are looked for in title, id, branch and reason.
    """

    text: str = ""
    terms: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, text: str) -> Filter:
        """The filter that somebody typed."""
        return cls(text.strip(), tuple(_term(word) for word in text.lower().split()))

    def __bool__(self) -> bool:
        return bool(self.terms)

    def fits(self, row: Row) -> bool:
        """Whether the row is wanted."""
        return all(_fits(key, value, row) for key, value in self.terms)

    @property
    def fault(self) -> str:
        """What is wrong with it, in words; empty where nothing is."""
        for key, value in self.terms:
            if key == "t" and value and not any(turn.startswith(value) for turn in TURNS):
                return f"t:{value} is nobody's turn; there are {', '.join(TURNS)}"
        return ""


def _term(word: str) -> tuple[str, str]:
    key, colon, value = word.partition(":")
    if not colon or key not in KEYS:
        return "", word
    return key, _TURN_NAMES.get(value, value) if key == "t" else value


def _fits(key: str, value: str, row: Row) -> bool:
    if key == "p":
        return value in row.project.lower()
    if key == "s":
        return row.word.lower().startswith(value) or row.status.lower().startswith(value)
    if key == "t":
        return row.turn.startswith(value)
    if key == "r":
        return row.review.startswith(value)
    return any(
        value in text.lower() for text in (row.title, row.id, row.branch, row.why, row.project)
    )
