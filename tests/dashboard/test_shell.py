"""The frame of the page: who sees it, what it may do, and where an address leads."""

from __future__ import annotations

from playwright.sync_api import Browser, Page, expect

from tests.dashboard.browsing import visitor
from tests.e2e.house import Supervised


def test_the_first_page_shows_every_session_and_that_it_is_live(
    page: Page, house: Supervised
) -> None:
    session = house.spawn("Write down what you know")
    expect(page.get_by_test_id("connection")).to_have_attribute("data-is", "live")
    expect(page.locator(f"[data-session={session}]")).to_be_visible()


def test_a_browser_without_a_cookie_is_told_which_command_leads_where_it_wanted(
    browser: Browser, house: Supervised
) -> None:
    with visitor(browser, house) as context:
        page = context.new_page()
        page.goto("/s/ma-1/pr")
        expect(page.get_by_test_id("login")).to_contain_text("ennio dashboard /s/ma-1/pr")


def test_an_address_that_is_none_shows_those_there_are(page: Page) -> None:
    page.goto("/nowhere/at/all")
    expect(page.get_by_test_id("unknown")).to_contain_text("/nowhere/at/all")
