"""One thing that a reaction saw, as it is remembered once something was done about it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from ennio.model.pulls import Comment


@dataclass(frozen=True, slots=True)
class SeenItem:
    """What it is about; ``edition`` is a digest of its words, where these may be changed later.

    An older version told of comments without it: such an item stands for all editions.
    """

    about: str
    edition: str = ""

    def __str__(self) -> str:
        """As people and fingerprints have it."""
        return f"{self.about}~{self.edition}" if self.edition else self.about


def item(comment: Comment) -> SeenItem:
    """What a comment is known by when it is told: other words make another item."""
    words = " ".join(comment.body.split())
    return SeenItem(comment.id, hashlib.sha256(words.encode()).hexdigest()[:12])
