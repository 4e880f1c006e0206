"""Conflicts that are expected between branches, as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from ennio.board.quantities import age
from ennio.board.table import Column, clean, table
from ennio.model.conflicts import in_words
from ennio.model.plural import number_of

Document = Mapping[str, Any]
COLUMNS = (
    Column("PROJECT"),
    Column("SESSION"),
    Column("WITH"),
    Column("AGE", right=True),
    Column("PATHS", elastic=True),
)
NOTHING = "no conflicts are expected between branches"


def conflict_lines(report: Document, now: datetime, width: int | None) -> list[str]:
    """The table, and what is not known."""
    rows = [_row(one, now) for one in report["conflicts"]]
    return [*(table(COLUMNS, rows, width) if rows else [NOTHING]), *_unknown(report)]


def _row(one: Document, now: datetime) -> tuple[str, ...]:
    paths = in_words(one["paths"])
    return one["project_id"], one["one"], one["other"], age(one["since"], now), paths


def _unknown(report: Document) -> list[str]:
    lines = [clean(f"{name}: {why}") for name, why in report["problems"].items()]
    if report["waiting"] is None:
        lines.append("how far they are known cannot be told just now")
    for key, words in (("waiting", "still to be tried"), ("left_out", "left out: too many")):
        many = report[key]
        if many:
            lines.append(f"{number_of(many, 'pair')} of branches {words}")
    return lines


def expected_lines(expected: Sequence[Document]) -> list[str]:
    """With whom, and in which paths: one line each."""
    return [clean(f"with {_named(one)}: {in_words(one['paths'])}") for one in expected]


def _named(one: Document) -> str:
    """A session and its branch, which by default is called as the session is."""
    session, branch = one["with"], one["branch"]
    return f"{session}" if branch == session else f"{session} ({branch})"


def warning_lines(expected: Sequence[Document]) -> list[str]:
    """The same for whoever approves or merges."""
    return [f"a conflict is expected {line}" for line in expected_lines(expected)]
