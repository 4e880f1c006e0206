"""A session's changed files as text: one a line, and all of them together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ennio.board.style import Style
from ennio.board.table import Column, table
from ennio.model.plural import number_of

FILES = (
    Column("FILE"),
    Column("CHANGE"),
    Column("ADDED", right=True),
    Column("REMOVED", right=True),
    Column("NOTE"),
)


def stat_lines(found: Mapping[str, Any], style: Style) -> list[str]:
    """The table, and the sum below it."""
    if not found["files"]:
        return ["nothing is changed"]
    rows = [_row(one) for one in found["files"]]
    more = found["count"] - len(rows)
    rest = [f"... and {more} more"] if found["truncated"] and more > 0 else []
    many = number_of(found["count"], "file")
    added, removed = f"+{found['added']}", f"-{found['removed']}"
    total = (
        f"{many}  {style.paint('green', added)}  "
        f"{style.paint('red', removed)}  since {found['base'][:10]} of {found['base_name']}"
    )
    return [*table(FILES, rows), *rest, "", total]


def _row(one: Mapping[str, Any]) -> tuple[str, str, str, str, str]:
    before = f" (was {one['before']})" if one.get("before") else ""
    lines = [str(one[key]) if one.get(key) is not None else "" for key in ("added", "removed")]
    return f"{one['path']}{before}", one["status"], lines[0], lines[1], ", ".join(_marks(one))


def _marks(one: Mapping[str, Any]) -> list[str]:
    modes = (one.get("mode_before"), one.get("mode"))
    changed = all(modes) and modes[0] != modes[1]
    marks = (
        (one.get("binary"), f"binary, {one.get('size') or 0} bytes"),
        (one.get("submodule"), "submodule"),
        (changed, f"mode {modes[0]} to {modes[1]}"),
        (one.get("untracked"), "not known to git yet"),
        (one.get("too_large"), "large"),
        (one.get("folded"), str(one.get("folded"))),
    )
    return [words for holds, words in marks if holds]
