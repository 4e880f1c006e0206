"""Which turn of a story the words an agent was given call for. Pure; the standard library only."""

from __future__ import annotations

import re

TYPE_CHECKING = False  # typing itself is not imported: the player is to stay small
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

# what messages of the conductor are about, read from their words; None: any words at that point
KINDS: Mapping[str, str | None] = {
    "prompt": None,
    "message": None,
    "any": None,
    "ci_failed": r"\bCI\b|\bchecks?\b.{0,40}\bfail|\bfail\w*\b.{0,40}\bchecks?\b",
    "changes_requested": r"changes? requested|requested changes|\breview",
    "comments": r"\bcomment",
    "merge_conflicts": r"\bconflict",
    "stuck": r"\bstuck\b|\bstill working\b|no activity",
}


def pick(
    turns: Sequence[Mapping[str, Any]], text: str, played: Mapping[int, int], *, first: bool
) -> int | None:
    """The number of the turn to play, or None.

    What says more about the words goes before what says less; among equals the first that was not
    played yet, else the last one again, unless its ``times`` are used up.
    """
    able = [
        number
        for number, turn in enumerate(turns)
        if _matches(turn, text, first=first)
        and played.get(number, 0) < (turn.get("times") or float("inf"))
    ]
    if not able:
        return None
    best = min(_rank(turns[number]) for number in able)
    equals = [number for number in able if _rank(turns[number]) == best]
    return next((number for number in equals if not played.get(number)), equals[-1])


def awaited(turns: Sequence[Mapping[str, Any]], played: Mapping[int, int]) -> tuple[str, ...]:
    """What the story has turns for once its first words are past: each ``on`` once, with its
    ``when``.
    """
    return tuple(
        dict.fromkeys(
            f"{turn['on']} (/{turn['when']}/)" if turn.get("when") else turn["on"]
            for number, turn in enumerate(turns)
            if turn["on"] != "prompt"
            and played.get(number, 0) < (turn.get("times") or float("inf"))
        )
    )


def fill(text: str, names: Mapping[str, str]) -> str:
    """The text with ``{session}``, ``{branch}``, ``{base}``, ``{prompt}`` replaced,
    once; other braces stay.
    """
    return re.sub(r"\{(\w+)\}", lambda found: names.get(found[1], found[0]), text)


def _matches(turn: Mapping[str, Any], text: str, *, first: bool) -> bool:
    kind, when = turn["on"], turn.get("when")
    if kind != "any" and first != (kind == "prompt"):
        return False
    pattern = KINDS.get(kind)
    return all(
        re.search(p, text, flags)
        for p, flags in ((pattern, re.IGNORECASE | re.DOTALL), (when, re.MULTILINE))
        if p
    )


def _rank(turn: Mapping[str, Any]) -> int:
    if turn.get("when") or KINDS.get(turn["on"]):
        return 0
    return 2 if turn["on"] == "any" else 1
