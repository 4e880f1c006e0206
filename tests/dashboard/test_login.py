"""Who is let in, and for how long: a page whose cookie counts no longer says which command leads
back to where it was; a terminal is closed with 4401; the second port is as good as the first.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import pytest
import yaml
from playwright.sync_api import Browser, Page, expect
from websockets.exceptions import ConnectionClosed
from websockets.frames import Close
from websockets.sync.client import ClientConnection, connect

from ennio.http.browser import Browsers
from ennio.model.clock import SystemClock
from tests.dashboard.browsing import Guard, log_in, url_of, visitor
from tests.dashboard.conftest import Shot
from tests.e2e.house import Supervised, free_port, supervised
from tests.terminal.conftest import shell
from tests.terminal.watching import address, token

WITHIN = 60_000
UNAUTHORIZED = 4401


@dataclass(slots=True)
class Impatient(Supervised):
    """A supervisor that looks at cookies often."""

    module = "tests.dashboard.impatient"
    forked = False  # the only one of its kind


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Supervised]:
    del browser
    root = tmp_path_factory.mktemp("login")
    with supervised(root, shell("tmux"), kind=Impatient, terminal_port=free_port()) as made:
        yield made


@pytest.fixture(scope="module")
def session(house: Supervised) -> str:
    made = house.spawn("echo begun", project="tmux")
    house.becomes(made, "working", within=60)
    return made


def _leads_back(page: Page, house: Supervised, path: str) -> None:
    """The page names the command for this path; what that opens is the page as it was wanted."""
    expect(page.get_by_test_id("login")).to_contain_text(f"ennio dashboard {path}", timeout=WITHIN)
    assert page.url.endswith(path)
    log_in(page, house, path)
    expect(page.get_by_test_id("login")).to_have_count(0)
    expect(page.get_by_test_id("connection")).to_have_attribute("data-is", "live", timeout=WITHIN)
    assert page.url.endswith(path)


def _cookie(house: Supervised, seconds: float) -> tuple[str, str]:
    """Name and value of a cookie that counts for so long, signed as the supervisor signs."""
    port = int(house.client.url.rpartition(":")[2])
    browsers = Browsers(token(house), port, SystemClock())
    ends = str(int(time.time() + seconds))
    return browsers.cookie, f"{ends}.{browsers._sign(ends)}"


def test_events_that_are_refused_lead_to_the_command_that_logs_in(
    page: Page, house: Supervised, session: str, shot: Shot
) -> None:
    path = f"/s/{session}/messages"
    page.goto(path)
    expect(page.get_by_test_id("connection")).to_have_attribute("data-is", "live", timeout=WITHIN)
    page.context.clear_cookies()
    house.kill_worker()  # and the stream is opened again, without one
    expect(page.get_by_test_id("login")).to_be_visible(timeout=WITHIN)
    shot(page, "login")
    _leads_back(page, house, path)


def test_a_request_that_is_refused_leads_to_the_command_that_logs_in(
    page: Page, house: Supervised, session: str
) -> None:
    expect(page.get_by_test_id("connection")).to_have_attribute("data-is", "live", timeout=WITHIN)
    page.context.clear_cookies()
    page.get_by_role("link", name="Spend").first.click()
    _leads_back(page, house, "/spend")
    other = page.context.new_page()  # logged in meanwhile in another tab: one click is enough
    page.context.clear_cookies()
    page.get_by_role("link", name="Projects").first.click()
    expect(page.get_by_test_id("login")).to_contain_text("ennio dashboard /projects")
    log_in(other, house)
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("heading", level=1, name="Projects")).to_be_visible(timeout=WITHIN)


def test_a_terminal_is_closed_with_4401_once_its_cookie_is_too_old(
    browser: Browser, house: Supervised, session: str
) -> None:
    name, value = _cookie(house, 10)
    path = f"/s/{session}/terminal"
    by_cookie = {"additional_headers": {"Cookie": f"{name}={value}"}, "origin": house.client.url}
    with (
        connect(**address(house, session, **by_cookie)) as socket,
        visitor(browser, house) as context,
    ):
        socket.send('{"type": "hello", "mode": "screen"}')
        context.add_cookies([{"name": name, "value": value, "url": url_of(house)}])
        page = context.new_page()
        page.goto(path)
        end = _end_of(socket)
        assert (end.code, "log in again" in end.reason) == (UNAUTHORIZED, True)
        _leads_back(page, house, path)
        expect(page.locator(".xterm-rows")).to_contain_text("begun", timeout=WITHIN)


def _end_of(socket: ClientConnection) -> Close:
    """How the other side closes it."""
    with suppress(ConnectionClosed):
        while True:
            socket.recv(WITHIN / 1000)
    end = socket.protocol.close_rcvd
    assert end is not None
    return end


def test_a_terminal_that_is_not_let_in_any_more_leads_to_the_command_too(
    page: Page, house: Supervised, session: str
) -> None:
    path = f"/s/{session}/terminal"
    log_in(page, house, path)
    expect(page.locator(".xterm-rows")).to_contain_text("begun", timeout=WITHIN)
    page.context.clear_cookies()
    house.kill_worker()
    _leads_back(page, house, path)


def test_the_second_port_has_the_same_page_and_its_terminals(
    browser: Browser, house: Supervised, session: str
) -> None:
    port = yaml.safe_load(house.ground.config.read_text())["terminal_port"]
    guard = Guard(f"http://127.0.0.1:{port}")  # nothing goes to the first one
    context = browser.new_context(base_url=guard.base)
    guard.over(context)
    page = context.new_page()
    page.goto(f"/s/{session}/terminal")
    expect(page.get_by_test_id("login")).to_contain_text(f"ennio dashboard /s/{session}/terminal")
    code = house.client.post("/auth/code")["code"]
    page.goto(f"/auth?code={code}&next=/s/{session}/terminal")
    expect(page.get_by_test_id("connection")).to_have_attribute("data-is", "live", timeout=WITHIN)
    expect(page.locator(".xterm-rows")).to_contain_text("begun", timeout=WITHIN)
    assert page.url == f"{guard.base}/s/{session}/terminal"
    context.close()
    guard.judge()
