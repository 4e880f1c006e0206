"""Pull requests as text: the table, and one in full with its checks and open comments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ennio.board.style import Style
from ennio.board.table import Column, Tint, clean, pairs, table
from ennio.cli.conflict_view import warning_lines

Document = Mapping[str, Any]

COLUMNS = (
    Column("PROJECT"),
    Column("PR", right=True),
    Column("STATE"),
    Column("CHECKS"),
    Column("REVIEW"),
    Column("MERGES"),
    Column("BRANCH", elastic=True),
    Column("TITLE", elastic=True),
)
_COLOURS = {
    "open": "blue",
    "merged": "green",
    "passing": "green",
    "failing": "red",
    "pending": "yellow",
    "approved": "green",
    "approved, stale": "yellow",
    "changes_requested": "yellow",
    "conflicting": "red",
}


def tint(style: Style) -> Tint | None:
    """The colours of the table, or None when colours are off."""

    def painted(column: Column, cell: str, padded: str) -> str:
        return style.paint(
            _COLOURS.get(cell) if column.title in ("STATE", "CHECKS", "REVIEW", "MERGES") else None,
            padded,
        )

    return painted if style.on else None


def pull_table(pulls: Sequence[Document], width: int | None, style: Style) -> list[str]:
    """The pull requests below one another."""
    rows = [
        (
            pull["project_id"],
            f"#{pull['number']}",
            state(pull),
            checks(pull),
            _verdict(pull),
            pull["mergeability"],
            pull["branch"],
            pull["title"],
        )
        for pull in pulls
    ]
    return table(COLUMNS, rows, width, tint(style))


def state(pull: Document) -> str:
    """Its state, with ``draft`` for an open draft, and how it was merged where
    that was past the forge.
    """
    if pull.get("merged_by_push"):
        return f"{pull['state']} (by push)"
    return "draft" if pull.get("draft") and pull["state"] == "open" else str(pull["state"])


def checks(pull: Document) -> str:
    """What its checks say; that there are none is no "passing" for a person."""
    none = pull.get("check_runs") == [] and pull["checks"] in ("passing", "none")
    return "no checks" if none else str(pull["checks"])


def pull_lines(pull: Document) -> list[str]:
    """One pull request in full."""
    lines = pairs(
        [
            ("pull request", f"#{pull['number']} {pull['title']}"),
            ("state", state(pull)),
            ("branch", f"{pull['branch']} -> {pull['base']}"),
            ("head", pull["head"]),
            ("checks", checks(pull)),
            ("review", _review(pull)),
            ("merges", pull["mergeability"]),
            ("conflicts", "\n".join(pull.get("conflicts") or ())),
            ("expected", "\n".join(warning_lines(pull.get("conflicts_expected") or ()))),
            ("merged as", pull.get("merge_commit") or ""),
            ("url", pull["url"]),
        ]
    )
    lines += [line for run in pull.get("check_runs") or () for line in _check(run)]
    return lines + [line for comment in pull.get("comments") or () for line in _comment(comment)]


def _verdict(pull: Document) -> str:
    """The decision, marked where it rests on approvals of other heads alone."""
    heads = [one["head"] for one in pull.get("opinions") or () if one["decision"] == "approved"]
    return (
        f"{pull['review']}, stale"
        if pull["review"] == "approved" and heads and pull["head"] not in heads
        else str(pull["review"])
    )


def _review(pull: Document) -> str:
    """The decision, and what each reviewer stands for with the head it is of."""
    lines = [_verdict(pull), *(f"asked of {one}" for one in pull.get("asked") or ())]
    for one in pull.get("opinions") or ():
        stale = "" if one["head"] == pull["head"] else f", stale: the head is {pull['head'][:7]}"
        at = one["head"][:7] or "another head"
        lines.append(f"{one['decision']} by {clean(one['author'])} at {at}{stale}")
    return "\n".join(lines)


def _check(run: Document) -> list[str]:
    head = [
        "",
        f"check {clean(run['name'])}: {run['state']}"
        + (f"  {run['url']}" if run.get("url") else ""),
    ]
    return head + [f"  | {clean(line)}" for line in (run.get("log_tail") or "").splitlines()]


def _comment(comment: Document) -> list[str]:
    place = (
        f" on {comment['path']}" + (f":{comment['line']}" if comment.get("line") else "")
        if comment.get("path")
        else ""
    )
    decision = f" ({comment['decision']})" if comment.get("decision") else ""
    name = f"  [{clean(comment['id'])}]" if comment.get("id") else ""
    own = " (own words, not told to the agent)" if comment.get("own") else ""
    own = " (the agent has it in a message)" if comment.get("told") else own
    return [
        "",
        f"{clean(comment['author'])}{own}{decision}{place}:{name}",
        *(f"  {clean(line)}" for line in comment["body"].splitlines()),
    ]


def file_lines(found: Document) -> list[str]:
    """The files that are changed, one a line, with the lines that came and went."""
    rows = [_file(one) for one in found["files"]]
    if not rows:
        return ["no files are changed"]
    more = ["... and more"] if found.get("truncated") else []
    return table(FILES, rows) + more


FILES = (
    Column("FILE"),
    Column("CHANGE"),
    Column("ADDED", right=True),
    Column("REMOVED", right=True),
)


def _file(one: Document) -> tuple[str, str, str, str]:
    before = f" (was {one['before']})" if one.get("before") else ""
    count = [str(one[key]) if one.get(key) is not None else "?" for key in ("added", "removed")]
    return f"{one['path']}{before}", one["status"], count[0], count[1]


def diff_lines(found: Document, style: Style) -> list[str]:
    """The difference, its lines in the colours that git gives them."""
    return [style.paint(_hue(line), line) for line in found["text"].split("\n")[:-1]] or [
        "nothing is changed"
    ]


def _hue(line: str) -> str | None:
    if line.startswith(("diff --git", "--- ", "+++ ")):
        return "dim"
    return {"+": "green", "-": "red", "@": "cyan"}.get(line[:1])
