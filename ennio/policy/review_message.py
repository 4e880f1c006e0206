"""The one message in which an agent reads everything that a reader said about its changes."""

from __future__ import annotations

from ennio.model.inline_comment import InlineComment, ReviewOrder
from ennio.model.plural import number_of

_QUOTED = 40
"""Lines of code that are quoted of one comment."""
_ASKS = "Answer each by a change, commit and push; say so where you decide against one."


def words(order: ReviewOrder) -> str:
    """All comments, each with its place, the code it is about, and what was said."""
    many = number_of(len(order.comments) or 1, "comment")
    head = f" at {order.head[:12]}" if order.head else ""
    parts = [f"A person read your changes{head} and has {many}. {_ASKS}"]
    if order.body.strip():
        parts.append(order.body.strip())
    parts += [_told(place, comment) for place, comment in enumerate(order.comments, start=1)]
    return "\n\n".join(parts)


def _told(place: int, comment: InlineComment) -> str:
    quoted = comment.quote.strip("\n").split("\n") if comment.quote.strip() else []
    more = ["> ..."] if len(quoted) > _QUOTED else []
    lines = [f"> {line}".rstrip() for line in quoted[:_QUOTED]]
    return "\n".join([f"{place}. {comment.place}", *lines, *more, comment.body.strip()])
