"""A browser as these tests use it: Debian's Chromium, which reaches this machine and nothing else."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright

from ennio.http.dashboard_files import DashboardFiles
from tests.conftest import lacking
from tests.e2e.house import Supervised

DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 375, "height": 812}
ARGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
)
expect.set_options(timeout=30_000)  # a machine that does other things answers late, too
AXE = Path(__file__).parents[2] / "dashboard" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


SPACED = """
* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important; }
p { margin-bottom: 2em !important; }
"""
STICK_OUT = """
() => [...document.querySelectorAll('body *')]
  .filter((one) => one.checkVisibility() && one.getBoundingClientRect().right > innerWidth + 1)
  .filter((one) => !one.parentElement.closest('.scroll'))
  .map((one) => one.outerHTML.slice(0, 100)).slice(0, 5)
"""
CUT = """
() => [...document.querySelectorAll(':is(main, dialog) :is(button, h1, h2, h3, .why), dialog')]
  .filter((one) => !one.matches('.visually-hidden') && one.getClientRects().length > 0 && getComputedStyle(one).overflow !== 'auto')
  .filter((one) => one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).display !== 'inline')
  .map((one) => one.outerHTML.slice(0, 120))
"""


def chromium() -> str:
    """Where it is; a laptop skips without it, CI fails."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    return found or lacking("there is no chromium: the dashboard was NOT tested")


@contextmanager
def browsing() -> Iterator[Browser]:
    """A browser without a head; the page it is to show must have been built."""
    if not DashboardFiles().built:
        lacking("the dashboard is not built (python -m ennio.cli.dashboard_build): NOT tested")
    path = chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGS, timeout=60_000)
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Guard:
    """Sees every request, keeps those for anywhere but our own address (which reach nobody: the
    browser resolves no other name) and what a page complained of.

    It holds none up: a request that waits for a word from here waits while a test looks elsewhere.
    """

    base: str
    left: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def over(self, context: BrowserContext) -> None:
        context.on("request", lambda request: self._judge(request.url))
        context.on("page", self._listen)

    def _judge(self, url: str) -> None:
        if not url.startswith((f"{self.base}/", "data:", "blob:")):
            self.left.append(url)

    def _listen(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.complaints.append(f"threw: {error}"))
        page.on("console", lambda said: self._heed(said.type, said.text))
        page.on("websocket", lambda socket: self._connected(socket.url))

    def _connected(self, url: str) -> None:
        if not url.startswith(f"{self.base.replace('http', 'ws', 1)}/"):
            self.left.append(url)

    def _heed(self, kind: str, text: str) -> None:
        # an answer that is none is shown on the page, and so is a connection that cannot be had;
        # the browser tells of both besides
        known = ("Failed to load resource", "WebSocket connection to")
        if kind == "error" and not any(words in text for words in known):
            self.complaints.append(text)

    def judge(self) -> None:
        assert not self.left, f"requests left this machine: {self.left}"
        assert not self.complaints, f"the page complained: {self.complaints}"


def url_of(house: Supervised) -> str:
    """Where the page of a house is."""
    return str(house.client.url)


@contextmanager
def visitor(browser: Browser, house: Supervised, **settings: Any) -> Iterator[BrowserContext]:
    """A browser of its own, not logged in; what it did is judged at the end."""
    guard = Guard(url_of(house))
    context = browser.new_context(
        **({"viewport": DESKTOP, "base_url": guard.base, "locale": "en-GB"} | settings)
    )
    context.set_default_timeout(15_000)
    guard.over(context)
    try:
        yield context
        guard.judge()
    finally:
        context.close()


def log_in(page: Page, house: Supervised, path: str = "/") -> Page:
    """Visit a page as `ennio dashboard PATH` opens it."""
    code = house.client.post("/auth/code")["code"]
    page.goto(f"{url_of(house)}/auth?code={code}&next={path}")
    return page


def violations(page: Page) -> list[str]:
    """What axe-core finds wrong with the page as it is shown now."""
    page.evaluate(
        AXE.read_text(encoding="utf-8")
    )  # no script element: the policy forbids inline ones
    found = page.evaluate(
        "rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})"
        ".then(found => found.violations.map("
        "each => `${each.id}: ${each.help} ${each.nodes.map(node => node.html).slice(0, 3)}`))",
        RULES,
    )
    return list(found)


class Newcomer:
    """One who has never seen the page, and counts what was pressed."""

    def __init__(self, page: Page) -> None:
        self.page, self.pressed = page, 0

    def clicks(self, what: Locator) -> None:
        expect(what).to_be_in_viewport()  # found without scrolling
        what.click()
        self.pressed += 1

    def keys(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
            self.pressed += 1


def unreadable(page: Page) -> list[str]:
    """What of a page does not fit the window that it has now: all of it sideways, or a text that is
    cut off where nobody can move it.
    """
    over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    wide = [f"{over} pixels too wide: {page.evaluate(STICK_OUT)}"] if over > 0 else []
    return wide + [f"cut off: {one}" for one in page.evaluate(CUT)]
