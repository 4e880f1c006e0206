"""What stands over a page, and what stands there before anybody is let in, at any size and spacing:
200 and 400 % of a desktop, and the smallest phone.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.dashboard.browsing import SPACED, unreadable, violations, visitor
from tests.dashboard.conftest import Shot
from tests.e2e.house import Supervised

SIZES = {
    "200 %": {"width": 640, "height": 400},
    "400 %": {"width": 320, "height": 256},
    "phone": {"width": 320, "height": 568},
}
LONG = "/s/no-such-session/diff?line=src/" + "a-folder/" * 20 + "file.py%3A12&x='quoted'"


@pytest.fixture(scope="module")
def asks(house: Supervised) -> str:
    session = house.spawn("Rate-limit the login form", "asking")
    house.becomes(session, "working", within=60)
    return session


def _read(page: Page, shot: Shot, name: str) -> list[str]:
    """What is wrong with it at each size, as it is and with a reader's own spacing."""
    found = []
    for size, window in SIZES.items():
        page.set_viewport_size(window)
        found += [f"{name} at {size}: {one}" for one in violations(page)]
        spaced = page.add_style_tag(content=SPACED)
        found += [f"{name} at {size}, spaced: {one}" for one in unreadable(page)]
        shot(page, f"{name}-{size}")
        spaced.evaluate("style => style.remove()")
        found += [f"{name} at {size}: {one}" for one in unreadable(page)]
    return found


@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize("path", ["/", LONG])
def test_the_login_page_is_read_by_everybody(
    browser: Browser, house: Supervised, shot: Shot, path: str, scheme: str
) -> None:
    with visitor(browser, house, color_scheme=scheme) as context:
        page = context.new_page()
        page.goto(path)
        expect(page.get_by_test_id("login")).to_be_visible()
        expect(page.get_by_test_id("login")).to_contain_text("ennio dashboard")
        assert not (found := _read(page, shot, "login")), "\n".join(found)


@pytest.mark.parametrize("path", ["/", "/events"])
@pytest.mark.parametrize("key", ["?", "Control+k", "S"])
def test_a_dialog_is_read_by_everybody(page: Page, shot: Shot, path: str, key: str) -> None:
    page.goto(path)
    expect(page.get_by_test_id("connection")).to_have_attribute("data-is", "live")
    page.keyboard.press(key)
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    found = _read(page, shot, f"dialog {key}")
    for button in dialog.get_by_role("button").all():
        button.scroll_into_view_if_needed()
        expect(button).to_be_in_viewport()  # nothing of it is out of reach
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    assert not found, "\n".join(found)


def _answer(page: Page) -> None:
    page.get_by_role("button", name="Say something").first.click()
    expect(page.get_by_role("button", name="Answer", exact=True)).to_be_visible()


def _kill(page: Page) -> None:
    page.keyboard.press("K")
    expect(page.get_by_text("for good?")).to_be_visible()


def _more(page: Page) -> None:
    page.get_by_role("button", name="More about").click()
    expect(page.get_by_test_id("more")).to_be_visible()


def _menu(page: Page) -> None:
    page.set_viewport_size(SIZES["phone"])
    page.get_by_role("button", name="Menu").click()
    expect(page.get_by_role("link", name="Events")).to_be_visible()


@pytest.mark.parametrize("opens", [_answer, _kill, _more, _menu])
def test_what_is_asked_in_its_place_is_read_by_everybody(
    page: Page, house: Supervised, shot: Shot, opens: Callable[[Page], None], asks: str
) -> None:
    page.goto(f"/s/{asks}/messages")
    expect(page.get_by_role("button", name="Say something").first).to_be_visible(timeout=30_000)
    opens(page)
    assert not (found := _read(page, shot, opens.__name__)), "\n".join(found)
