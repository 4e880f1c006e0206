"""A review pack as text: one page to review from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ennio.board.quantities import money
from ennio.board.table import clean, pairs
from ennio.cli.conflict_view import warning_lines
from ennio.model.plural import number_of

Document = Mapping[str, Any]
_FEW = 20


def pack_lines(pack: Document) -> list[str]:
    """All of it, what asks for a look first."""
    pull, said = pack["pull"], pack["said"]
    head = pairs(
        [
            ("session", f"{pack['session_id']} {pack['title']}"),
            ("pull request", _pull(pull) if pull else "none yet"),
            ("checks", _counts(pack["counts"]) if pull else ""),
            ("changes", _stat(pack["changes"])),
            ("cost", _cost(pack["cost"])),
            ("expected", "\n".join(warning_lines(pack["conflicts"]))),
        ]
    )
    return [
        *head,
        *(line for run in pack["checks"] for line in _check(run)),
        *_part("what its agent says", said.splitlines() if said else ["it has said nothing yet"]),
        *_part("files it names", [_named(one) for one in pack["files"]]),
        *_part("files it changes", _changed(pack["changes"])),
        *_part("not known", pack["problems"]),
    ]


def _part(title: str, lines: Sequence[str]) -> list[str]:
    return ["", f"{title}:", *(f"  {clean(line)}" for line in lines)] if lines else []


def _pull(pull: Document) -> str:
    state = "draft" if pull["draft"] and pull["state"] == "open" else pull["state"]
    return f"#{pull['number']} {pull['title']} ({state}, review: {pull['review']})\n{pull['url']}"


def _counts(counts: Document | None) -> str:
    if counts is None:
        return "no checks"
    parts = [f"{counts[name]} {name}" for name in ("failing", "pending", "passing") if counts[name]]
    return ", ".join(parts)


def _stat(changes: Document | None) -> str:
    if changes is None:
        return "?"
    many = number_of(changes["count"], "file")
    return f"+{changes['added']} -{changes['removed']} in {many}"


def _cost(cost: Document | None) -> str:
    if cost is None:
        return "?"
    plan = " (a plan, not billed)" if cost["billing"] == "plan" else ""
    return (money(cost["amount"], 0) or "?") + plan


def _check(run: Document) -> list[str]:
    if run["state"] == "passing":
        return []
    lines = run["log_tail"].splitlines()
    return [
        "",
        f"check {clean(run['name'])}: {run['state']}",
        *(f"  | {clean(line)}" for line in lines),
    ]


def _named(one: Document) -> str:
    media = one["media"].partition(";")[0]
    return str(one["refused"] or f"{one['path']}  {media}, {one['size']} B")


def _changed(changes: Document | None) -> list[str]:
    if changes is None:
        return []
    lines = [f"{one['status']:<9} {one['path']}{_lines(one)}" for one in changes["files"][:_FEW]]
    more = changes["count"] - len(lines)
    return [*lines, f"... and {more} more: ennio diff"] if more > 0 else lines


def _lines(one: Document) -> str:
    return "" if one["added"] is None else f"  +{one['added']} -{one['removed']}"
