"""What an agent asks just now: several things at once, where it has helpers or uses several tools.

An ask is of one asker (a helper's id; the agent itself is the empty one) and of one thing it
wants to do, its ``key``. Its items are put one after the other. Which of them stands on the
screen, the screen tells.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_LONGEST = (
    60  # characters of an item that have to stand on the screen; what is longer may be folded there
)


@dataclass(frozen=True, slots=True)
class Item:
    """One question: ``what`` is asked about, in words that the screen shows too, the whole
    ``text``, and the ``choices`` as told. ``options`` are those of which one is chosen, where it is
    a question and not whether something may be done.
    """

    what: str
    text: str
    choices: str = ""
    options: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Ask:
    """One dialog."""

    asker: str
    key: str
    at: float
    items: tuple[Item, ...]


def asks(kept: Iterable[Sequence[object]]) -> tuple[Ask, ...]:
    """What ``as_lists`` made; Raises TypeError or ValueError when it is something else."""
    return tuple(
        Ask(str(asker), str(key), float(str(at)), tuple(Item(*item) for item in items))  # type: ignore[attr-defined]
        for asker, key, at, items in kept
    )


def as_lists(given: Iterable[Ask]) -> list[list[object]]:
    """The asks as JSON can hold them."""
    return [[ask.asker, ask.key, ask.at, [_as_list(item) for item in ask.items]] for ask in given]


def _as_list(item: Item) -> list[object]:
    told: list[object] = [item.what, item.text, item.choices]
    return [*told, [*item.options]] if item.options else told


def options(given: Sequence[Ask]) -> tuple[str, ...]:
    """The options of what is asked, where it is one question, asked by itself: then no screen is
    needed to know which.
    """
    items = [item for ask in given for item in ask.items]
    return tuple(map(str, items[0].options)) if len(items) == 1 else ()


def words(given: Sequence[Ask], screen: str | None, choices: str) -> str | None:
    """What is asked now, as the agent tells it and the screen shows which; None
    when no ask says anything.

    ``screen`` is the question it shows and ``choices`` are those it shows; None and
    empty when it shows none.
    """
    told = [
        (number, len(ask.items), item) for ask in given for number, item in enumerate(ask.items, 1)
    ]
    if not told:
        return None
    seen = _bare(screen or "")
    found = [one for one in told if seen and _bare(one[2].what)[:_LONGEST] in seen]
    if screen and any(many > 1 for _, many, _ in told) and len(found) != 1:
        return screen  # the answers of a form, before they are handed in
    if not found and not screen and told[-1][1] > 1:
        return " ".join(_text(*one, "") for one in told if one[1] > 1)
    return _text(*(found or told)[-1], choices)


def _text(number: int, many: int, item: Item, choices: str) -> str:
    place = f"({number} of {many}) " if many > 1 else ""
    return f"{place}{item.text} {choices or item.choices}".rstrip()


def _bare(text: str) -> str:
    return "".join(text.replace("│", "").split())
