"""The page of what a session changed: read by file and line, commented on, and sent as one message."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.conftest import eventually
from tests.dashboard.browsing import PHONE, log_in, violations, visitor
from tests.dashboard.conftest import Shot
from tests.e2e.house import Ground, Supervised, project, story, supervised, turn

BEFORE = "".join(f"line_{number} = {number}\n" for number in range(1, 61))
AFTER = BEFORE.replace("line_10 = 10", "line_10 = ten").replace("line_50 = 50\n", "")
HOSTILE = "<script>document.title='run'</script><img src=x onerror=document.title='run'>\n"
STORY = story(
    turn(
        "prompt",
        [
            {"edit": {"file": "app.py", "content": AFTER}},
            {"edit": {"file": "package-lock.json", "content": "{}\n" * 30}},
            {"edit": {"file": "page.html", "content": HOSTILE}},
            {"commit": "Change"},
            "push",
            {"say": "changed"},
        ],
    ),
    turn("message", [{"say": "heard"}]),
)


@dataclass(frozen=True)
class Read:
    """A session that has changed files of every kind, and its house."""

    house: Supervised
    session: str

    @property
    def work(self) -> Path:
        return Path(self.house.session(self.session)["workspace_path"])

    def messages(self) -> list[dict[str, Any]]:
        found = self.house.client.get(f"/sessions/{self.session}/messages")
        return [one for one in found if one["origin"] == "person"]

    def commit(self) -> None:
        """Something the agent commits meanwhile."""
        git = ["git", "-c", "user.name=A", "-c", "user.email=a@example.org"]
        for words in (["add", "-A"], ["commit", "-qm", "more"]):
            subprocess.run([*git, *words], cwd=self.work, check=True, timeout=30)


CHECK = "seq 1 400; echo 'E   AssertionError: 3 != 4'; seq 1 400; exit 1"


def score(ground: Ground) -> dict[str, Any]:
    checks = {"checks": [{"name": "unit", "run": CHECK, "timeout": 60}]}
    return project(
        ground,
        agent_config=STORY,
        scm_config={"plugin": "local", "config": checks},
        reactions={"ci-failed": {"action": "notify"}},
    )


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Read]:
    del browser  # asked for first: without one there is nothing to start a house for
    files = {"app.py": BEFORE, "run.sh": "echo\n", "old.md": "".join("word\n" * 30)}
    with supervised(tmp_path_factory.mktemp("diff"), score, files=files) as house:
        session = house.spawn("Change things")
        eventually(lambda: house.session(session)["pr_number"], 40, "its pull request is open")
        made = Read(house, session)
        (made.work / "run.sh").chmod(0o755)
        (made.work / "old.md").rename(made.work / "new.md")
        (made.work / "image.png").write_bytes(b"\x89PNG\0\0" * 100)
        (made.work / "huge.txt").write_text("x" * 79 + "\n" + ("y" * 79 + "\n") * 30_000)
        (made.work / 'odd "name"\n.txt').write_text("odd\n")
        yield made


@pytest.fixture
def page(browser: Browser, read: Read) -> Iterator[Page]:
    with visitor(browser, read.house) as context:
        yield log_in(context.new_page(), read.house, f"/s/{read.session}/diff")


def file(page: Page, name: str) -> Locator:
    return page.locator("section.file", has=page.get_by_role("heading", name=name))


def line(page: Page, name: str, number: int, side: str = "new") -> Locator:
    return file(page, name).locator(f'tr[data-line="{side}:{number}"]')


def test_every_kind_of_change_has_its_row_and_nothing_is_hidden(
    page: Page, read: Read, shot: Shot
) -> None:
    expect(page.get_by_test_id("diff")).to_contain_text("8 files")
    expect(file(page, "image.png")).to_contain_text("binary, 600 B")
    expect(file(page, "run.sh")).to_contain_text("mode 100644 → 100755")
    expect(file(page, "new.md")).to_contain_text("old.md →")
    lock = file(page, "package-lock.json")
    expect(lock).to_contain_text("lockfile")
    expect(lock).to_contain_text("+30")
    expect(lock.locator("table")).to_have_count(0)
    lock.get_by_role("button", name="Unfold package-lock.json").click()
    expect(lock.locator("table")).to_be_visible()
    huge = file(page, "huge.txt")
    expect(huge).to_contain_text("Too large to be read here (2.3 MB)")
    with page.expect_download() as waiting:
        huge.get_by_role("button", name="Download the patch").click()
    assert Path(waiting.value.path()).read_text().count("\n+") == 30_002
    expect(file(page, "page.html")).to_contain_text("<script>document.title='run'</script>")
    assert page.title() != "run"
    word = line(page, "app.py", 10).locator(".word")
    expect(word).to_have_text("ten")
    expect(line(page, "app.py", 50, "old").locator("td.code")).to_contain_text("line_50 = 50")
    page.keyboard.press("x")
    expect(file(page, "app.py").locator("table.split")).to_be_visible()
    shot(page, "split")
    page.keyboard.press("x")
    file(page, "app.py").get_by_role("button", name="The whole file").click()
    expect(line(page, "app.py", 30)).to_be_visible()


def test_three_comments_by_mouse_and_keys_reach_the_agent_as_one_message(
    page: Page, read: Read, shot: Shot
) -> None:
    before = len(read.messages())
    line(page, "app.py", 10).get_by_role("button", name="Comment on line 10").click()
    page.keyboard.type("Why ten?")
    page.keyboard.press("Escape")
    page.get_by_role("link", name="app.py").click()
    for _ in range(2):
        page.keyboard.press("j")
    page.keyboard.press("c")
    page.keyboard.type("By keyboard")
    page.keyboard.press("Control+Enter")
    start = line(page, "app.py", 48)
    start.get_by_role("button", name="Comment on line 48").last.click()
    page.keyboard.press("Escape")  # it has no words: it goes again
    line(page, "app.py", 51).get_by_role("button", name="Comment on line 51").last.click(
        modifiers=["Shift"]
    )
    page.keyboard.type("All of <b>these</b>")
    send = page.get_by_role("button", name="Send 3 comments to the agent")
    expect(send).to_be_enabled()
    shot(page, "three comments")
    assert violations(page) == []
    send.click()
    expect(page.get_by_text("Sent as one message")).to_be_visible()
    (message,) = read.messages()[before:]
    assert "has 3 comments" in message["text"]
    assert "app.py:10\n> line_10 = ten\nWhy ten?" in message["text"]
    assert re.search(
        r"app\.py:48-51\n> line_48 = 48\n.*> line_52 = 52\n", message["text"], re.DOTALL
    )
    assert "All of <b>these</b>" in message["text"]
    assert "By keyboard" in message["text"]
    eventually(
        lambda: message["text"] in read.house.ground.taken(read.session), 30, "the agent takes it"
    )
    expect(page.locator(".comment.draft")).to_have_count(0)


def test_after_escape_a_comment_stays_as_it_is_and_keys_are_orders_again(
    page: Page, read: Read
) -> None:
    line(page, "app.py", 10).get_by_role("button", name="Comment on line 10").click()
    written = page.get_by_label("Comment on line 10 of app.py")
    expect(written).to_be_focused()
    page.keyboard.type("Why ten?")
    for leaves in ("Escape", "Control+Enter"):
        written.focus()
        page.keyboard.press(leaves)
        page.keyboard.press("j")
        expect(page.locator("tr.cursor")).to_have_count(1)
        expect(written).to_have_value("Why ten?")
    page.get_by_role("button", name="Remove").click()
    expect(page.locator(".comment.draft")).to_have_count(0)


def test_what_is_written_while_a_review_is_under_way_stays(page: Page, read: Read) -> None:
    before = len(read.messages())
    held: list[Route] = []

    def holds(route: Route) -> None:
        held.append(route)

    page.route("**/review", holds)
    line(page, "app.py", 10).get_by_role("button", name="Comment on line 10").click()
    page.keyboard.type("Why ten?")
    page.get_by_role("button", name="Send 1 comment to the agent").click()
    eventually(lambda: page.wait_for_timeout(20) or held, 30, "it is under way")
    line(page, "app.py", 12).get_by_role("button", name="Comment on line 12").last.click()
    page.keyboard.type("And this?")
    held[0].continue_()
    expect(page.get_by_text("Sent as one message")).to_be_visible()
    expect(page.get_by_label("Comment on line 12 of app.py")).to_have_value("And this?")
    expect(page.get_by_label("Comment on line 10 of app.py")).to_have_count(0)
    page.reload()
    expect(page.get_by_label("Comment on line 12 of app.py")).to_have_value("And this?")
    (message,) = read.messages()[before:]
    assert "And this?" not in message["text"]
    page.get_by_role("button", name="Remove").click()


def test_keys_of_a_diff_are_no_orders_to_its_session(page: Page, read: Read) -> None:
    expect(file(page, "app.py").locator("table")).to_be_visible()
    for _ in range(2):
        page.keyboard.press("J")
    expect(page.get_by_role("link", name="image.png")).to_have_attribute("aria-current", "true")
    page.keyboard.press("K")
    expect(page.get_by_role("link", name="huge.txt")).to_have_attribute("aria-current", "true")
    page.keyboard.press("v")
    expect(file(page, "huge.txt").get_by_label("Viewed")).to_be_checked()
    page.keyboard.press("K")
    page.keyboard.press("v")
    expect(file(page, "huge.txt").get_by_label("Viewed")).not_to_be_checked()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("button", name="Yes, kill")).to_have_count(0)


def test_an_address_leads_to_a_line(page: Page, read: Read) -> None:
    page.goto(f"/s/{read.session}/diff?line=app.py:52")
    expect(line(page, "app.py", 52)).to_be_in_viewport()
    expect(line(page, "app.py", 52)).to_have_class("cursor")
    page.goto(f"/s/{read.session}/diff?line=run.sh")
    expect(page.get_by_role("link", name="run.sh")).to_have_attribute("aria-current", "true")
    page.goto(f"/s/{read.session}/diff?line=nowhere.py:3")
    expect(file(page, "app.py").locator("table")).to_be_visible()


def test_a_comment_that_is_being_written_outlives_reload_connection_and_a_new_head(
    page: Page, read: Read
) -> None:
    line(page, "app.py", 10).get_by_role("button", name="Comment on line 10").click()
    page.keyboard.type("Not sent yet")
    page.reload()
    box = page.get_by_label("Comment on line 10 of app.py")
    expect(box).to_have_value("Not sent yet")
    page.context.set_offline(True)
    page.get_by_role("button", name="Send 1 comment to the agent").click()
    alert = page.locator(".review-bar").get_by_role("alert").or_(page.locator("#why-not"))
    expect(alert.first).to_be_visible()
    expect(box).to_have_value("Not sent yet")
    page.context.set_offline(False)
    read.commit()
    page.get_by_role("button", name="Look again").click()
    expect(page.locator(".comment.draft")).to_contain_text("outdated")
    expect(box).to_have_value("Not sent yet")
    page.locator(".comment.draft").get_by_role("button", name="Remove").click()
    expect(page.locator(".review-bar.idle")).to_be_attached()
    page.reload()
    expect(page.get_by_test_id("diff")).to_contain_text("8 files")
    expect(page.locator(".comment.draft")).to_have_count(0)


def test_what_was_viewed_stays_so_until_it_changes(page: Page, read: Read) -> None:
    expect(file(page, "page.html").locator("table")).to_be_visible()
    file(page, "page.html").get_by_label("Viewed").check()
    expect(file(page, "page.html").locator("table")).to_have_count(0)
    page.reload()
    expect(file(page, "page.html").get_by_label("Viewed")).to_be_checked()
    (read.work / "page.html").write_text(HOSTILE + "more\n")
    page.get_by_role("button", name="Look again").click()
    expect(file(page, "page.html").get_by_label("Viewed")).not_to_be_checked()


def test_threads_of_the_pull_request_stand_at_their_line(page: Page, read: Read) -> None:
    number = read.house.session(read.session)["pr_number"]
    read.house.client.post(
        f"/projects/score/pulls/{number}/comment",
        {"body": "Is that <i>right</i>?", "path": "app.py", "line": 10, "author": "ann"},
    )
    page.reload()
    talk = file(page, "app.py").locator('tr[data-line="new:10"] + tr.talk')
    expect(talk).to_contain_text("ann")
    expect(talk).to_contain_text("Is that <i>right</i>?")


@pytest.mark.parametrize(
    ("scheme", "size"), [("light", PHONE), ("dark", {"width": 1280, "height": 800})]
)
def test_it_can_be_read_by_everybody_on_a_phone_and_in_both_themes(
    browser: Browser, read: Read, shot: Shot, scheme: Any, size: Any
) -> None:
    with visitor(browser, read.house, viewport=size, color_scheme=scheme) as context:
        page = log_in(context.new_page(), read.house, f"/s/{read.session}/diff")
        expect(file(page, "app.py").locator("table")).to_be_visible()
        assert violations(page) == []
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, "it scrolls sideways"
        shot(page, "read")


# --- the pull request -----------------------------------------------------------------------------


def pull_of(page: Page, read: Read) -> Locator:
    page.goto(f"/s/{read.session}/pr")
    return page.get_by_test_id("pull")


def test_a_red_check_opens_at_its_first_failing_line_and_its_log_is_sent_again(
    page: Page, read: Read, shot: Shot
) -> None:
    pull = pull_of(page, read)
    pull.get_by_role("button", name="Log", exact=True).click()
    log = page.get_by_test_id("check-log")
    failing = log.locator("li.failing")
    expect(failing).to_contain_text("E AssertionError: 3 != 4")
    expect(failing).to_be_in_viewport()
    shot(page, "log")
    assert violations(page) == []
    before = len(read.messages())
    pull.get_by_role("button", name="Send this log again").click()
    expect(pull.get_by_text("The log of unit waits for the agent.")).to_be_visible()
    (message,) = read.messages()[before:]
    assert message["text"].startswith("The check unit fails on ")
    assert "399\n400" in message["text"]


def test_a_thread_is_answered_and_settled(page: Page, read: Read) -> None:
    number = read.house.session(read.session)["pr_number"]
    read.house.client.post(
        f"/projects/score/pulls/{number}/comment",
        {"body": "And this?", "path": "page.html", "line": 1, "author": "bob"},
    )
    pull = pull_of(page, read)
    thread = pull.locator(".thread", has_text="And this?")
    begins = thread.get_by_role("button", name="Answer…")
    begins.click()
    expect(thread.get_by_label("Your answer")).to_be_focused()
    page.keyboard.press("Escape")
    expect(begins).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.type("It stays.")
    thread.get_by_role("button", name="Answer", exact=True).click()
    expect(pull.get_by_text("✓ Answered.")).to_be_visible()
    expect(begins).to_be_focused()
    thread.get_by_role("button", name="Settle").click()
    expect(pull.locator(".thread", has_text="And this?")).to_have_count(0)


def test_what_is_not_green_is_merged_only_by_force_and_asked_for_twice(
    page: Page, read: Read, shot: Shot
) -> None:
    pull = pull_of(page, read)
    pull.get_by_role("button", name="✓ Approve").click()
    expect(pull.get_by_text("person: approved")).to_be_visible()
    pull.get_by_role("button", name="Merge", exact=True).click()
    expect(pull.get_by_text(re.compile("^Merge #\\d+ into main"))).to_be_visible()
    assert violations(page) == []
    pull.get_by_role("button", name="Yes, merge").click()
    expect(pull.get_by_role("alert")).to_contain_text("checks fail: unit")
    pull.get_by_label("all the same").check()
    shot(page, "merge")
    pull.get_by_role("button", name="Merge", exact=True).click()
    pull.get_by_role("button", name="Yes, merge").click()
    expect(pull.get_by_text("Merged as")).to_be_visible()
    read.house.becomes(read.session, "merged", "done")
    page.goto(f"/s/{read.session}/files")
    files = page.get_by_test_id("files")
    expect(files).to_contain_text("app.py")
    assert violations(page) == []
    shot(page, "files")
