"""An agent's terminal in the page: looked at, taken over, typed into, given back; cut and found
again; and as text on a phone.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.conftest import eventually
from tests.dashboard.browsing import PHONE, log_in, violations, visitor
from tests.dashboard.conftest import Shot
from tests.e2e.house import Supervised, supervised
from tests.terminal.conftest import shell

WITHIN = 30_000


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Supervised]:
    del browser
    with supervised(tmp_path_factory.mktemp("terminal"), shell("tmux")) as made:
        yield made


@pytest.fixture(scope="module")
def session(house: Supervised) -> str:
    made = house.spawn("echo begun", project="tmux")
    house.becomes(made, "working", within=60)
    return made


def test_a_terminal_is_looked_at_taken_over_typed_into_and_given_back(
    page: Page, house: Supervised, session: str, shot: Shot
) -> None:
    log_in(page, house, f"/s/{session}/terminal")
    rows = page.locator(".xterm-rows")
    expect(rows).to_contain_text("begun", timeout=WITHIN)
    expect(page.get_by_text("200×50")).to_be_visible()
    expect(page.get_by_text("read only", exact=True)).to_be_visible()
    assert violations(page) == []  # before a click scrolls what can be hit under the header
    page.locator(".xterm-screen").click()
    page.keyboard.type("echo nobody-typed-this\n")
    shot(page, "looking")
    page.get_by_role("button", name="Take control").click()
    expect(page.get_by_text("you type here")).to_be_visible(timeout=WITHIN)
    expect(page.get_by_text("200×50")).not_to_be_visible(timeout=WITHIN)
    page.keyboard.type("echo typed-$((6*7))\n")
    expect(rows).to_contain_text("typed-42", timeout=WITHIN)
    assert "nobody-typed-this" not in (rows.text_content() or "")
    shot(page, "typing")
    page.get_by_role("button", name="Give back").click()
    expect(page.get_by_text("read only", exact=True)).to_be_visible(timeout=WITHIN)
    expect(page.get_by_role("alert")).to_have_count(0)
    told = [event["event_type"] for event in house.events(session_id=session)]
    assert ("control_taken" in told, "control_returned" in told) == (True, True)


def _take_control(page: Page, house: Supervised, session: str) -> None:
    log_in(page, house, f"/s/{session}/terminal")
    expect(page.locator(".xterm-rows")).to_contain_text("begun", timeout=WITHIN)
    page.get_by_role("button", name="Take control").click()
    expect(page.get_by_text("you type here")).to_be_visible(timeout=WITHIN)


def test_what_is_pressed_after_control_was_given_back_is_not_sent(
    page: Page, house: Supervised, session: str
) -> None:
    """The server's word that it is so comes a moment later."""
    _take_control(page, house, session)
    page.get_by_role("button", name="Give back").evaluate(
        """(give) => {
            give.click();
            document.querySelector(".xterm-helper-textarea").dispatchEvent(
                new KeyboardEvent("keydown", { key: "Enter", keyCode: 13, bubbles: true }));
        }"""
    )
    expect(page.get_by_text("read only", exact=True)).to_be_visible(timeout=WITHIN)
    expect(page.get_by_role("alert")).to_have_count(0)


def test_who_comes_to_watch_does_not_take_the_cursor_from_where_one_types(
    page: Page, house: Supervised, session: str
) -> None:
    _take_control(page, house, session)
    page.get_by_role("button", name="Find").click()
    words = page.get_by_label("Find in the terminal")
    expect(words).to_be_focused(timeout=WITHIN)
    page.keyboard.type("be")
    other = page.context.new_page()
    other.goto(page.url)
    expect(page.get_by_text("2 viewers")).to_be_visible(timeout=WITHIN)
    page.keyboard.type("gun")
    expect(words).to_have_value("begun")
    other.close()
    page.get_by_role("button", name="Give back").click()
    expect(page.get_by_text("read only", exact=True)).to_be_visible(timeout=WITHIN)


def test_a_terminal_has_the_whole_width_where_it_is_wanted(
    page: Page, house: Supervised, shot: Shot
) -> None:
    session = house.spawn("echo begun", project="tmux")  # of the size that sessions begin with
    house.becomes(session, "working", within=60)
    log_in(page, house, f"/s/{session}/terminal")
    page.set_viewport_size({"width": 1440, "height": 900})
    rows, why = page.locator(".xterm-rows"), page.get_by_role("region", name="Why")
    expect(rows).to_contain_text("begun", timeout=WITHIN)

    def letters() -> float:
        return float(
            page.locator(".scaled").evaluate(
                "one => new DOMMatrix(getComputedStyle(one).transform).a"
            )
        )

    wide = page.get_by_role("button", name="Wide")
    expect(wide).to_have_attribute("aria-pressed", "false")
    before = letters()
    wide.click()
    eventually(lambda: letters() > 1.2 * before, 30, "the letters are larger")
    shot(page, "wide")
    assert violations(page) == []
    page.reload()
    expect(wide).to_have_attribute("aria-pressed", "true", timeout=WITHIN)
    expect(why).to_be_attached()
    page.goto(f"/s/{session}/log")
    expect(why).to_be_in_viewport()
    page.goto(f"/s/{session}/terminal")
    wide.click()
    expect(why).to_be_in_viewport()
    house.client.delete(f"/sessions/{session}")


def test_a_cut_connection_is_told_and_comes_back_without_a_loss(
    page: Page, house: Supervised, session: str, shot: Shot
) -> None:
    log_in(page, house, f"/s/{session}/terminal")
    rows = page.locator(".xterm-rows")
    expect(rows).to_contain_text("begun", timeout=WITHIN)
    house.kill_worker()
    expect(page.get_by_text("The agent is not affected")).to_be_visible(timeout=WITHIN)
    shot(page, "lost")
    house.answers()
    expect(page.get_by_text("The agent is not affected")).not_to_be_visible(timeout=WITHIN)
    expect(rows).to_contain_text("begun", timeout=WITHIN)


def test_a_phone_shows_the_screen_as_text_and_has_the_keys_that_phones_lack(
    browser: Browser, house: Supervised, session: str, shot: Shot
) -> None:
    with visitor(browser, house, viewport=PHONE) as context:
        page = log_in(context.new_page(), house, f"/s/{session}/terminal")
        screen = page.get_by_role("region", name="Terminal of")
        expect(screen).to_contain_text("begun", timeout=WITHIN)
        assert page.locator(".xterm").count() == 0
        page.get_by_role("button", name="Enter").click()
        expect(page.get_by_text("Enter was pressed")).to_be_visible(timeout=WITHIN)
        assert violations(page) == []
        shot(page, "phone")


def test_an_agent_that_has_ended_is_not_called_a_session_that_is_over(
    page: Page, house: Supervised, shot: Shot
) -> None:
    session = house.spawn("echo begun", project="tmux")
    house.becomes(session, "working", within=60)
    log_in(page, house, f"/s/{session}/terminal")
    rows, told = page.locator(".xterm-rows"), page.get_by_text("This was its last screen")
    expect(rows).to_contain_text("begun", timeout=WITHIN)
    page.get_by_role("button", name="Take control").click()
    expect(page.get_by_text("you type here")).to_be_visible(timeout=WITHIN)
    page.keyboard.type("exit 3\n")
    expect(told).to_be_visible(timeout=WITHIN)
    house.becomes(session, "exited", within=60)
    restore = page.locator(".over").get_by_role("button", name="Restore")
    expect(restore).to_be_visible(timeout=WITHIN)
    expect(page.get_by_text("the session is over")).not_to_be_visible()
    assert violations(page) == []
    shot(page, "ended")
    page.reload()
    expect(page.get_by_text("its agent has ended. This was its last")).to_be_visible(timeout=WITHIN)
    restore.click()
    expect(told).not_to_be_visible(timeout=WITHIN)
    house.becomes(session, "working", within=60)
    expect(page.get_by_text("read only", exact=True)).to_be_visible(timeout=WITHIN)
    house.client.delete(f"/sessions/{session}")


def test_a_session_that_is_gone_keeps_its_last_screen(
    page: Page, house: Supervised, session: str, shot: Shot
) -> None:
    log_in(page, house, f"/s/{session}/terminal")
    rows = page.locator(".xterm-rows")
    expect(rows).to_contain_text("begun", timeout=WITHIN)
    house.client.delete(f"/sessions/{session}")
    expect(page.get_by_text("This was its last screen")).to_be_visible(timeout=WITHIN)
    expect(rows).to_contain_text("begun")
    expect(page.get_by_role("button", name="Take control")).not_to_be_visible()
    shot(page, "gone")
