"""Whose turn it is, shown and answered where it is seen, over agents that really run."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.conftest import eventually
from tests.dashboard.browsing import PHONE, log_in, violations, visitor
from tests.dashboard.conftest import Shot
from tests.e2e.house import Supervised, project, story, supervised, turn

HIT = "<img src=x onerror='window.hit=1'><script>window.hit=1</script>"
EVIL = f"{HIT}\x1b]0;pwned\x07\x1b[31m\u202e javascript:window.hit=1 {{@html hit}} "
ASK = {"question": "Run npm install?", "options": ["Yes", "Yes, always", "No"]}
EVIL_FILE = "<img src=x onerror='window.hit=1'>.js"
MIB = 1 << 20
SAME = [
    {"edit": {"file": "README.md", "content": "# {session}\n"}},
    {"commit": "Rename it"},
    "push",
    {"say": "Renamed."},
]
REVIEWED = {"plugin": "local", "config": {"review_required": True}}
EVIL_ASK = {"question": f"May I {HIT}", "options": [HIT, "No"]}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Supervised]:
    """Projects whose agents deliver (one is reviewed), ask once or twice, say a stranger's words,
    and all change the same file.
    """
    del browser
    asks = story(turn("prompt", [{"ask": ASK}, {"say": "Thank you."}]))
    twice = story(turn("prompt", [{"ask": {"question": one}} for one in ("Which?", "And why?")]))
    loud = {"say": f"{EVIL}{'z' * (MIB // 4)}"}
    strange = story(turn("prompt", [loud, {"ask": EVIL_ASK}, {"say": EVIL}]))
    with supervised(
        tmp_path_factory.mktemp("now"),
        project,
        lambda ground: project(ground, "asking", agent_config=asks),
        lambda ground: project(ground, "twice", agent_config=twice),
        lambda ground: project(ground, "strange", agent_config=strange),
        lambda ground: project(ground, "reviewed", scm_config=REVIEWED),
        lambda ground: project(ground, "same", agent_config=story(turn("prompt", SAME))),
    ) as made:
        yield made


def _shown(page: Page, session: str) -> Locator:
    """The card or line of a session."""
    return page.locator(f"[data-session='{session}']").first


def _turn(page: Page, session: str, word: str) -> Locator:
    shown = _shown(page, session)
    expect(shown.get_by_test_id("turn")).to_contain_text(word, timeout=30_000)
    return shown


def _no_longer_asks(house: Supervised, session: str) -> None:
    eventually(lambda: house.session(session)["word"] != "asks", 30, "the answer arrived")


def test_a_question_is_answered_by_one_click_where_it_is_seen(
    page: Page, house: Supervised, shot: Shot
) -> None:
    session = house.spawn("Rate-limit the login form", "asking")
    card = _turn(page, session, "asks")
    expect(card).to_contain_text("Run npm install?")
    expect(page).to_have_title(re.compile(r"^\(\d+\) "))
    shot(page, "asks")
    card.get_by_role("button", name="Yes, always").click()
    _no_longer_asks(house, session)


def test_words_for_a_question_are_no_answer_to_the_next_one(page: Page, house: Supervised) -> None:
    session = house.spawn("Paint it", "twice")
    card = _turn(page, session, "asks")
    card.get_by_role("button", name="Answer…").click()
    page.keyboard.type("the blue one")
    house.client.post(f"/sessions/{session}/answer", {"answer": "red"})
    expect(card).to_contain_text("And why?")
    page.keyboard.press("Control+Enter")
    expect(card.get_by_role("alert")).to_contain_text("asks something else by now")
    assert house.session(session)["word"] == "asks"
    card.get_by_role("button", name="Answer", exact=True).click()
    _no_longer_asks(house, session)


def test_an_answer_that_meets_a_broken_connection_arrives_once_without_another_press(
    page: Page, house: Supervised
) -> None:
    """As when the supervisor is killed in the middle: it came or it did not, nobody knows."""
    session = house.spawn("Name the endpoints", "asking")
    card = _turn(page, session, "asks")
    tries: list[str | None] = []

    def breaks(route: Route) -> None:
        tries.append(route.request.header_value("Idempotency-Key"))
        if len(tries) == 1:
            route.abort("connectionreset")
        elif len(tries) == 2:
            route.fetch()  # it is carried out, and its answer is lost
            route.abort("connectionreset")
        else:
            route.continue_()

    page.route("**/answer", breaks)
    with page.expect_response("**/answer", timeout=30_000) as answered:
        card.get_by_role("button", name="Yes, always").click()
    assert answered.value.ok
    _no_longer_asks(house, session)
    assert len(tries) == 3
    assert len(set(tries)) == 1
    assert tries[0]
    expect(page.locator(f"[data-session='{session}'] [role=alert]")).to_have_count(0)


def test_what_is_tried_again_by_a_press_is_the_same_order(page: Page, house: Supervised) -> None:
    """Nobody answers for so long that the page gives up: it may have been done all the same."""
    session = house.spawn("Sort the imports", "asking")
    card = _turn(page, session, "asks")
    tries: list[str | None] = []

    def breaks(route: Route) -> None:
        tries.append(route.request.header_value("Idempotency-Key"))
        route.abort("connectionreset")

    page.route("**/answer", breaks)
    card.get_by_role("button", name="Yes, always").click()
    expect(card.get_by_role("alert")).to_contain_text("may not have been done", timeout=30_000)
    page.unroute("**/answer")
    with page.expect_response("**/answer", timeout=30_000) as answered:
        card.get_by_role("button", name="Try again").click()
    assert {*tries} == {answered.value.request.header_value("Idempotency-Key")}
    _no_longer_asks(house, session)


def test_a_question_is_answered_by_two_keys(page: Page, house: Supervised) -> None:
    session = house.spawn("Cache the avatars", "asking")
    _turn(page, session, "asks")
    while (
        page.evaluate("document.activeElement.closest('[data-session]')?.dataset.session")
        != session
    ):
        page.keyboard.press("n")
    page.keyboard.press("1")
    _no_longer_asks(house, session)


def test_a_question_is_answered_in_words_on_a_phone(
    browser: Browser, house: Supervised, shot: Shot
) -> None:
    session = house.spawn("Speed the search index", "asking")
    with visitor(browser, house, viewport=PHONE, has_touch=True) as context:
        page = log_in(context.new_page(), house)
        card = _turn(page, session, "asks")
        shot(page, "phone")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        card.get_by_role("button", name="Say something").tap()
        page.keyboard.type("No")
        card.get_by_role("button", name="Answer", exact=True).tap()
        _no_longer_asks(house, session)
        assert violations(page) == []


def test_a_kill_asks_once_where_it_stands_and_escape_leaves_everything(
    page: Page, house: Supervised
) -> None:
    session = house.spawn("Draw the canvas", "asking")
    _turn(page, session, "asks")
    page.goto(f"/s/{session}")
    expect(page.get_by_role("button", name="Interrupt")).to_be_visible()
    page.keyboard.press("i")
    eventually(lambda: house.session(session)["word"] != "asks", 30, "it was interrupted")
    house.client.delete(f"/sessions/{session}")
    _turn(page, session, "killed")
    page.get_by_role("button", name="Clean up").click()
    question = page.get_by_text("Remove the worktree of")
    expect(question).to_be_visible()
    page.keyboard.press("Escape")
    expect(question).not_to_be_visible()
    assert house.session(session)["status"] == "killed"


def test_a_pull_request_is_merged_by_keys_alone(page: Page, house: Supervised) -> None:
    session = house.spawn("Fix the flaky date test")
    _turn(page, session, "merge")
    page.locator(f"[data-session='{session}'] [data-name]").focus()
    page.keyboard.press("m")
    expect(page.get_by_text(re.compile("Merge #\\d+ into its base"))).to_be_visible()
    page.keyboard.press("Enter")
    house.becomes(session, "merged", "done")
    expect(page.locator(f"[data-zone=over] [data-session='{session}']")).to_be_visible()


def test_a_pull_request_is_approved_and_merged_by_three_clicks_where_it_is_seen(
    page: Page, house: Supervised
) -> None:
    session = house.spawn("Drop support for XML", "reviewed")
    card = _turn(page, session, "review")
    card.get_by_role("button", name="Approve").click()
    card = _turn(page, session, "merge")
    card.get_by_role("button", name="Merge", exact=True).click()
    card.locator(".confirm").get_by_role("button", name="Merge", exact=True).click()
    house.becomes(session, "merged", "done")
    expect(page.locator(f"[data-zone=over] [data-session='{session}']")).to_be_visible()


def test_what_will_not_merge_afterwards_is_named_before_anybody_merges(
    page: Page, house: Supervised, shot: Shot
) -> None:
    one, other = (house.spawn(f"Rename the score {number}", "same") for number in (1, 2))
    card = _turn(page, one, "merge")
    expect(card).to_contain_text(f"✗ conflict with {other}", timeout=30_000)
    card.get_by_role("button", name="Merge", exact=True).click()
    expect(card.locator(".confirm")).to_contain_text(f"A conflict with {other} is expected. Merge")
    shot(page, "conflict")
    assert violations(page) == []
    card.get_by_role("button", name="No, leave it").click()
    for session in (one, other):
        house.client.delete(f"/sessions/{session}")


def test_words_for_the_agent_survive_a_reload_and_are_sent_once(
    page: Page, house: Supervised
) -> None:
    session = house.spawn("Split the controller", "asking")
    _turn(page, session, "asks")
    page.goto(f"/s/{session}/messages")
    expect(page.get_by_test_id("timeline")).to_contain_text("asks")
    box = page.get_by_role("textbox", name="Tell the agent")
    box.fill("Please also cover the API route")
    page.reload()
    expect(box).to_have_value("Please also cover the API route")
    box.press("Control+Enter")
    expect(box).to_have_value("")
    expect(page.get_by_test_id("queued")).to_contain_text("Please also cover the API route")
    told = house.client.get(f"/sessions/{session}/messages")
    assert [one["origin"] for one in told].count("person") == 1


def test_what_is_written_while_a_message_is_under_way_is_not_lost_with_it(
    page: Page, house: Supervised
) -> None:
    session = house.spawn("Split the model", "asking")
    _turn(page, session, "asks")
    page.goto(f"/s/{session}/messages")
    held: list[Route] = []

    def holds(route: Route) -> None:
        held.append(route)

    page.route("**/send", holds)
    box = page.get_by_role("textbox", name="Tell the agent")
    box.fill("Cover the API route")
    box.press("Control+Enter")
    eventually(lambda: page.wait_for_timeout(20) or held, 30, "it is under way")
    page.keyboard.type("\n\nand the model")
    held[0].continue_()
    expect(page.get_by_test_id("queued")).to_contain_text("Cover the API route")
    expect(box).to_have_value("and the model")
    told = house.client.get(f"/sessions/{session}/messages")
    assert [one["text"] for one in told if one["origin"] == "person"] == ["Cover the API route"]


def test_escape_on_the_page_of_a_session_leads_back_to_what_was_pressed(
    page: Page, house: Supervised
) -> None:
    session = house.spawn("Count the rows", "asking")
    _turn(page, session, "asks")
    page.goto(f"/s/{session}")
    begins = page.get_by_role("button", name="Say something…")
    begins.click()
    page.keyboard.type("No")
    page.keyboard.press("Escape")
    expect(begins).to_be_focused()


def test_the_log_of_a_session_stays_as_far_as_it_was_read_when_something_is_told(
    page: Page, house: Supervised
) -> None:
    session = house.spawn("Read the log", "asking")
    _turn(page, session, "asks")
    asked: list[str] = []
    page.goto(f"/s/{session}/log")
    log = page.get_by_test_id("log")
    expect(log.get_by_role("listitem").first).to_be_visible()
    page.on("request", lambda one: asked.append(one.url) if "/events?" in one.url else None)
    house.client.post(f"/sessions/{session}/answer", {"answer": "Yes"})
    _no_longer_asks(house, session)
    expect(_shown(page, session).get_by_test_id("turn").first).not_to_contain_text("asks")
    expect(log).to_contain_text("answered")
    assert asked == []


def test_the_worker_killed_is_seen_and_healed(page: Page, house: Supervised) -> None:
    page.reload()
    connection = page.get_by_test_id("connection")
    expect(connection).to_have_attribute("data-is", "live")
    house.kill_worker()
    expect(connection).to_have_attribute("data-is", "lost", timeout=6_000)
    expect(connection).to_have_attribute("data-is", "live", timeout=30_000)
    expect(connection).to_contain_text("caught up")


def test_many_tabs_keep_one_connection_and_all_are_live(page: Page, house: Supervised) -> None:
    expect(page.get_by_test_id("connection")).to_have_attribute("data-is", "live")
    streams: list[str] = []
    page.context.on(
        "request", lambda asked: streams.append(asked.url) if "/stream" in asked.url else None
    )
    tabs = [page.context.new_page() for _ in range(7)]
    for tab in tabs:
        tab.goto("/")
        expect(tab.get_by_test_id("connection")).to_have_attribute("data-is", "live")
    session = house.spawn("Hide the banner", "asking")
    for tab in (page, *tabs):
        _turn(tab, session, "asks")
    assert streams == []
    page.close()  # the one that listened: another takes over
    another = house.spawn("Show the banner", "asking")
    _turn(tabs[0], another, "asks")
    assert len(streams) == 1


def test_words_of_strangers_are_text_everywhere(page: Page, house: Supervised, shot: Shot) -> None:
    session = house.spawn(f"{HIT}{'long ' * 20_000}", "strange")
    page.on("dialog", lambda dialog: pytest.fail(f"a dialog: {dialog.message}"))
    card = _turn(page, session, "asks")
    expect(card).to_contain_text("<img src=x")
    tree = house.ground.home / "worktrees" / "strange" / session
    (tree / EVIL_FILE).write_text(f"{HIT}{'y' * MIB}\n")
    house.client.post(f"/sessions/{session}/send", {"message": EVIL.replace("\x07", "")})
    shot(page, "strangers")
    for path in ("", "/terminal", "/diff", "/pr", "/messages", "/files", "/log"):
        page.goto(f"/s/{session}{path}")
        expect(page.get_by_role("heading", level=1)).to_contain_text("<img src=x")
        expect(page.locator("main img, main script")).to_have_count(0)
        assert page.evaluate("1 + 1") == 2  # what it shows has not frozen it
    for path in ("/events", "/projects", f"/?q={HIT}", f"/nowhere/{HIT}", "/p/strange"):
        page.goto(path)
        expect(page.get_by_role("heading", level=1).first).to_be_attached()
        expect(page.locator("main script, main img[src=x]")).to_have_count(0)
    page.keyboard.press("Control+k")
    page.get_by_role("combobox", name="Search sessions").fill("img")
    expect(page.locator("#found [role=option]").first).to_contain_text("<img src=x")
    assert page.evaluate("window.hit") is None


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_nothing_that_axe_knows_is_wrong_in_either_theme(
    page: Page, house: Supervised, shot: Shot, scheme: str
) -> None:
    session = next(iter(house.sessions()))
    page.emulate_media(color_scheme=scheme)
    for path in ("/", "/?view=cards&group=project", f"/s/{session}/messages", "/nowhere"):
        page.goto(path)
        expect(page.get_by_test_id("connection")).to_have_attribute("data-is", "live")
        assert violations(page) == [], path
        shot(page, f"{scheme}-{path}")
    for key in ("?", "S"):
        page.goto("/")
        page.keyboard.press(key)
        expect(page.get_by_role("dialog")).to_be_visible()
        assert violations(page) == [], key


def test_the_palette_shows_the_line_of_the_command_line(page: Page, house: Supervised) -> None:
    session = house.spawn("Port the tests", "asking")
    _turn(page, session, "asks")
    page.locator(f"[data-session='{session}'] [data-name]").focus()
    page.keyboard.press("Control+k")
    page.get_by_role("combobox", name="Search sessions").fill("interrupt")
    expect(page.locator("#found [role=option]").first).to_contain_text(f"ennio interrupt {session}")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator(f"[data-session='{session}'] [data-name]")).to_be_focused()


def test_a_dialog_that_is_opened_from_another_gives_the_cursor_back(
    page: Page, house: Supervised
) -> None:
    session = house.spawn("Sort the tests", "asking")
    _turn(page, session, "asks")
    name = page.locator(f"[data-session='{session}'] [data-name]")
    name.focus()
    page.keyboard.press("Control+k")
    page.get_by_role("combobox", name="Search sessions").fill("new session")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="New session")
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_have_count(0)
    expect(name).to_be_focused()
