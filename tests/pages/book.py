"""Which pages are made from the code, whole or in part.

A part stands between ``<!-- made: NAME -->`` and ``<!-- end: NAME -->``; around it people write.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from tests.pages import configuration, lifecycle
from tests.pages.commands import commands
from tests.pages.events import events
from tests.pages.metrics import metrics
from tests.pages.reactions import notices, rules, words
from tests.pages.rest import paths, refusals, shapes
from tests.pages.tables import tables

DOCS = Path(__file__).resolve().parents[2] / "docs"
WHOLE: Mapping[str, Callable[[], str]] = {
    "configuration.md": configuration.page,
    "lifecycle.md": lifecycle.page,
}
PARTS: Mapping[str, tuple[str, Callable[[], Iterator[str]]]] = {
    "rules": ("reactions.md", rules),
    "words": ("reactions.md", words),
    "notices": ("notices.md", notices),
    "commands": ("cli.md", commands),
    "paths": ("rest.md", paths),
    "shapes": ("rest.md", shapes),
    "refusals": ("rest.md", refusals),
    "events": ("events.md", events),
    "metrics": ("metrics.md", metrics),
    "tables": ("database.md", tables),
}
"""What makes each part, and the page where it stands."""


def made_pages() -> tuple[str, ...]:
    """Every page of which something is made."""
    return tuple(dict.fromkeys([*WHOLE, *(page for page, _ in PARTS.values())]))


def as_made(name: str) -> str:
    """The page as the code has it now. Raises LookupError where the place of a part is missing."""
    if name in WHOLE:
        return WHOLE[name]()
    text = (DOCS / name).read_text(encoding="utf-8")
    for part, (page, make) in PARTS.items():
        if page == name:
            text = _with(text, part, "\n".join(make()).strip())
    return text


def _with(text: str, part: str, made: str) -> str:
    place = re.compile(f"(<!-- made: {part} -->\n).*?(<!-- end: {part} -->)", re.DOTALL)
    if len(place.findall(text)) != 1:
        raise LookupError(f"one place is needed: <!-- made: {part} --> ... <!-- end: {part} -->")
    return place.sub(lambda found: f"{found[1]}\n{made}\n\n{found[2]}", text)
