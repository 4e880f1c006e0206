"""One browser for all, one house for the tests of a module, and a page for each."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.dashboard.browsing import browsing, log_in, visitor
from tests.e2e.house import Supervised, project, story, supervised, turn

Shot = Callable[[Page, str], None]


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """A browser without a head, in which each visitor has a context that nobody else sees."""
    with browsing() as opened:
        yield opened


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Supervised]:
    """A supervisor with two projects of scripted agents: one works off its story, one asks first.

    A module that needs another house has a fixture of this name of its own.
    """
    del browser  # asked for first: without one there is nothing to start a house for
    asks = story(
        turn(
            "prompt",
            [
                {"ask": {"question": "Run npm install?", "options": ["Yes", "No"]}},
                {"say": "Thank you."},
            ],
        )
    )
    with supervised(
        tmp_path_factory.mktemp("house"),
        project,
        lambda ground: project(ground, "asking", agent_config=asks),
    ) as made:
        yield made


@pytest.fixture
def page(browser: Browser, house: Supervised) -> Iterator[Page]:
    """A page of Now, logged in; requests that leave the machine fail the test."""
    with visitor(browser, house) as context:
        yield log_in(context.new_page(), house)


@pytest.fixture
def shot(request: pytest.FixtureRequest) -> Shot:
    """Keeps a picture of a page where ``ENNIO_SHOTS`` says, named after the test."""
    folder = os.environ.get("ENNIO_SHOTS")

    def take(page: Page, name: str) -> None:
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            stem = re.sub(r"\W+", "-", f"{request.node.name}-{name}").strip("-")
            page.screenshot(path=Path(folder) / f"{stem}.png")

    return take
