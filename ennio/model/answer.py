"""The answer to a question that may stay open."""

from __future__ import annotations

from enum import StrEnum


class Answer(StrEnum):
    """Yes, no, or ``unknown`` where nobody can tell; unknown is never taken for a no."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"
