"""Tables and cells in Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """The lines of a table and an empty one; none where there is no row."""
    made = [f"| {' | '.join(map(cell, row))} |" for row in rows]
    if made:
        yield f"| {' | '.join(heads)} |"
        yield f"|{' --- |' * len(heads)}"
        yield from made
        yield ""


def cell(text: str) -> str:
    """A text on one line, that ends no cell."""
    return re.sub(r"\s+", " ", text.replace("``", "`")).strip().replace("|", "\\|")


def anchor(heading: str) -> str:
    """What leads to a heading, as GitHub makes it."""
    kept = re.sub(r"[^\w -]", "", heading.replace("`", "").lower())
    return kept.replace(" ", "-")
