"""How much is asked for: the words of the prompt, and those of the issue. Pure."""

from __future__ import annotations


def words_asked(*texts: str | None) -> int:
    """How many words somebody wrote for this one task.

    These are the prompt of the session, and title and body of its issue. What a project says to
    every session, and what others comment, does not count.
    """
    return sum(len(text.split()) for text in texts if text)
