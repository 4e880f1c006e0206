"""A megabyte of a stranger's words in everything that takes words: nothing of it runs, a click is
answered, and what is cut says so and shows all of it to who asks.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.conftest import eventually
from tests.dashboard.browsing import log_in, visitor
from tests.dashboard.conftest import Shot
from tests.e2e.house import Ground, Supervised, project, story, supervised, turn

HIT = "<img src=x onerror='window.hit=1'><script>window.hit=1</script>\x1b[31m\u202e"
MUCH = 900_000
"""Characters: with its envelope as much as a request may have."""
PATIENCE = 15_000
"""Milliseconds in which a click is answered, on a machine that does other things too."""
FILE = ("<img src=x onerror='window.hit=1'>" + "z" * 255)[:251] + ".txt"
"""As long as a file system lets a name be."""
CHECK = f"""\
python3 -c "print(('line of a log ' * 5 + '\\n') * 8000)"
python3 -c "print('E   AssertionError: ' + 'long ' * 250000)"
cat <<'WORDS'
{HIT}
WORDS
python3 -c "print('w' * 1200000)"
exit 1
"""
LONG_FILE = "open('long.js', 'w').write('var a = \"' + 'y' * 900000 + '\";\\n' + 'b();\\n' * 50)"
TITLE = f"git add -A && printf '%s' \"{HIT.split(chr(27), maxsplit=1)[0]}\" >../title && python3 -c \"print('t ' * 400000)\" >>../title && git commit -qF ../title"
STRANGE = story(
    turn(
        "prompt",
        [
            {"edit": {"file": FILE, "content": HIT}},
            {"run": {"argv": ["python3", "-c", LONG_FILE]}},
            {"run": {"argv": ["sh", "-c", TITLE]}},
            "push",
            {"summary": f"{HIT} {'said ' * 20_000}"},
            {"say": f"{HIT}{'v' * 60_000}"},
        ],
        "delivers",
    ),
    turn(
        "prompt",
        [
            {
                "ask": {
                    "question": f"{HIT} {'may I ' * 20_000} the end of it",
                    "options": [HIT * 200, "No"],
                }
            },
            {"say": "Thank you."},
        ],
        "asks",
    ),
)


def _strange(ground: Ground) -> dict[str, object]:
    return project(
        ground,
        agent_config=STRANGE,
        scm_config={
            "plugin": "local",
            "config": {"checks": [{"name": "unit", "run": "sh check.sh", "timeout": 60}]},
        },
        reactions={"ci-failed": {"action": "notify"}},
    )


@dataclass(frozen=True)
class Told:
    """A session whose every word is long, and its house."""

    house: Supervised
    session: str
    asks: str


def _words(name: str, many: int = MUCH) -> str:
    return f"{name} {HIT} {'word ' * (many // 10)}{'x' * (many // 2)} the end of {name}"


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Told]:
    del browser
    with supervised(tmp_path_factory.mktemp("long"), _strange, files={"check.sh": CHECK}) as house:
        asks = house.spawn(_words("asks"))
        session = house.spawn(_words("delivers"))
        eventually(lambda: house.session(asks)["word"] == "asks", 60, "it asks")
        number = eventually(lambda: house.session(session)["pr_number"], 60, "its pull request")
        pull = f"/projects/{house.session(session)['project_id']}/pulls/{number}"
        eventually(lambda: house.client.get(pull)["check_runs"][0]["state"] == "failing", 60)
        house.client.post(f"/sessions/{session}/send", {"message": _words("message")})
        house.client.post(f"{pull}/request-changes", {"body": _words("review", 190_000)})
        line = {
            "path": "long.js",
            "line": 2,
            "body": _words("comment", 19_000),
        }
        house.client.post(f"/sessions/{session}/review", {"comments": [line], "forge": True})
        yield Told(house, session, asks)


@pytest.fixture
def context(browser: Browser, told: Told) -> Iterator[BrowserContext]:
    with visitor(browser, told.house) as made:
        yield made


@pytest.fixture
def page(context: BrowserContext, told: Told) -> Iterator[Page]:
    page = context.new_page()
    page.set_default_timeout(2 * PATIENCE)
    page.on("dialog", lambda dialog: pytest.fail(f"a dialog: {dialog.message[:80]}"))
    yield log_in(page, told.house)
    expect(page.locator("main img[src=x], main script")).to_have_count(0)
    assert page.evaluate("window.hit") is None


def _answers(page: Page) -> None:
    """A click on the page is answered soon, whatever it shows."""
    begun = time.monotonic()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible(timeout=PATIENCE)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0, timeout=PATIENCE)
    took = time.monotonic() - begun
    assert took < PATIENCE / 1000, f"{page.url}: {took:.1f} s"


def _all_of(page: Page, text: Locator, end: str) -> None:
    """It is cut with a mark, and a press shows the rest."""
    text.scroll_into_view_if_needed()
    expect(text).to_contain_text("…")
    expect(text).not_to_contain_text(end)
    text.get_by_role("button", name=re.compile(r"all [\d,]+ characters")).first.click()
    expect(text).to_contain_text(end, timeout=PATIENCE)
    _answers(page)


TABS = ("", "/terminal", "/diff", "/pr", "/messages", "/files", "/log")


@pytest.mark.parametrize("path", ["/", "/?view=cards", "/events", "/projects", "/spend", *TABS])
def test_a_page_of_them_answers_and_runs_nothing(
    page: Page, told: Told, path: str, shot: Shot
) -> None:
    ours = f"/s/{told.session}{path}" if path in TABS else path
    page.goto(ours)
    expect(page.get_by_role("heading", level=1).first).to_be_attached()
    expect(page.get_by_test_id("connection")).to_have_attribute("data-is", "live", timeout=30_000)
    _answers(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    shot(page, f"long-{path}")


def test_a_question_is_cut_with_a_mark_and_its_options_too(page: Page, told: Told) -> None:
    card = page.locator(f"[data-session='{told.asks}']").first
    _all_of(page, card.locator(".why"), "may I  the end of it")
    page.goto(f"/s/{told.asks}/messages")
    call = page.get_by_role("region", name="What is expected")
    option = call.get_by_role("button", name="<img src=x").first
    expect(option).to_contain_text("⟨U+202E⟩")
    expect(option).not_to_contain_text("\u202e")  # which would have it read the other way round
    assert len(option.inner_text()) < 400
    box = call.bounding_box()
    assert box is not None
    assert box["height"] < 600, "what can be done is still in sight"
    _all_of(page, call.locator(".words"), "may I  the end of it")


def test_a_message_is_cut_with_a_mark_and_shown_whole_on_demand(page: Page, told: Told) -> None:
    page.goto(f"/s/{told.session}/messages")
    message = page.locator("li[data-message]", has_text="message <img src=x")
    _all_of(page, message, "the end of message")


def test_a_review_and_a_comment_are_cut_with_a_mark(page: Page, told: Told) -> None:
    page.goto(f"/s/{told.session}/pr")
    threads = page.get_by_role("region", name="Threads")
    for name in ("review", "comment"):
        words = threads.locator(".words", has_text=f"{name} <img src=x")
        _all_of(page, words, f"the end of {name}")


def test_a_check_log_opens_at_the_line_that_fails_and_has_every_line(
    page: Page, told: Told
) -> None:
    page.goto(f"/s/{told.session}/pr")
    page.get_by_role("region", name="Checks").get_by_role("button", name="Log", exact=True).click()
    log = page.get_by_test_id("check-log")
    failing = log.locator("li.failing")
    expect(failing).to_contain_text("E   AssertionError: long")
    region = page.get_by_role("region", name="Log of unit")

    def seen() -> bool:
        region.scroll_into_view_if_needed()  # again, where what came later stands above it
        expect(failing).to_be_in_viewport(timeout=1000)  # of the log, which was opened there
        return True

    eventually(seen)
    expect(failing).to_contain_text("…")
    _answers(page)
    failing.get_by_role("button", name=re.compile("characters$")).click()
    _answers(page)
    for name in ("Earlier lines", "Later lines"):
        button = log.get_by_role("button", name=name)
        while button.count():
            button.click()
            expect(log.get_by_role("button", name="Download")).to_be_enabled(timeout=PATIENCE)
    _answers(page)
    numbers = log.locator("li .no").all_text_contents()
    assert numbers == [str(one) for one in range(1, len(numbers) + 1)]
    last = log.locator("li").last
    expect(last).to_contain_text("all 1,200,000 characters")


def test_a_long_line_of_a_file_is_cut_and_can_be_commented_on(page: Page, told: Told) -> None:
    page.goto(f"/s/{told.session}/diff?line=long.js")
    file = page.locator("section.file", has=page.get_by_role("heading", name="long.js"))
    line = file.locator("tr[data-line='new:1']")
    line.get_by_role("button", name="Comment on line 1").click()
    page.keyboard.type("Make it shorter")
    page.get_by_role("button", name="Send 1 comment").click()
    eventually(lambda: _heard(told, "Make it shorter"), 30, "the agent is told")
    _all_of(page, line.locator("td.code"), 'yyy";')
    expect(page.get_by_role("heading", name=Path(FILE).name)).to_be_attached()


def _heard(told: Told, words: str) -> bool:
    messages = told.house.client.get(f"/sessions/{told.session}/messages")
    return any(words in one["text"] for one in messages)
