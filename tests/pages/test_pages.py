"""The documentation is a book: every page stands in its contents, begins with what it is for, and
no link leads to a heading that is not there. That what is made of it is up to date holds
``tests/config/test_reference.py``.
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from ennio.model.events import EventType
from tests.pages.book import DOCS, PARTS
from tests.pages.events import MEANINGS
from tests.pages.markdown import anchor

ROOT = DOCS.parent
CONTENTS = DOCS / "README.md"
CHAPTERS = sorted(path for path in DOCS.glob("*.md") if path != CONTENTS)
PAGES = [*sorted(ROOT.glob("*.md")), CONTENTS, *CHAPTERS]
LINK = re.compile(r"\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
COMMENT = re.compile(r"<!--.*?-->")


def test_what_stands_between_two_marks_is_made_anew() -> None:
    for part, (_, make) in PARTS.items():
        assert len("\n".join(make())) > 100, part


def test_every_event_has_its_meaning() -> None:
    assert set(MEANINGS) == set(EventType), "tests/pages/events.py says what each means"


def test_every_page_stands_in_the_contents_once() -> None:
    named = [link for link in LINK.findall(CONTENTS.read_text("utf-8")) if "/" not in link]
    assert sorted(named) == [path.name for path in CHAPTERS]


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.name)
def test_a_page_begins_with_what_it_is_for(path: Path) -> None:
    title, opening = path.read_text(encoding="utf-8").split("\n\n")[:2]
    assert title.startswith("# ")
    assert "\n" not in title
    words = " ".join(opening.split())
    assert not words.startswith(("#", "|", "-", "```", "!"))
    assert len(re.findall(r"[.](?= |$)", words)) >= 2, f"two sentences: {words}"


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_leads_to_a_heading(page: Path) -> None:
    lost = []
    for link in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
        name, _, place = unquote(link).partition("#")
        target = (page.parent / name) if name else page
        if place and "://" not in link and target.suffix == ".md":
            lost += [link] if place not in anchors(target.read_text(encoding="utf-8")) else []
    assert lost == []


def anchors(text: str) -> set[str]:
    """Where the links to a page's headings lead; what comes again has a number."""
    found: list[str] = []
    for heading in re.findall(r"^#+ (.*)$", FENCE.sub("", text), re.MULTILINE):
        one = anchor(heading)
        found.append(f"{one}-{found.count(one)}" if one in found else one)
    return set(found)


def test_headings_that_come_twice_are_told_apart() -> None:
    assert anchors("# A `b` (c)\n## x\n```\n# no\n```\n## x\n") == {"a-b-c", "x", "x-1"}
