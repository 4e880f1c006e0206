"""Five hundred sessions at once, and what that may cost: until they are seen, while much happens,
and when the connection is gone. Budgets of time have three times the slack here; `bin/bench` holds
them exactly.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.bench.timing import percentile
from tests.conftest import eventually
from tests.dashboard.browsing import (
    PHONE,
    SPACED,
    Newcomer,
    log_in,
    unreadable,
    violations,
    visitor,
)
from tests.dashboard.conftest import Shot
from tests.dashboard.crowd import crowded
from tests.e2e.house import Supervised

MANY = 500
SLACK = 3
LOAD = 8.0
"""Seconds of events; a minute of them is what `bin/bench` takes."""


@pytest.fixture(scope="module")
def crowd(
    tmp_path_factory: pytest.TempPathFactory, browser: Browser
) -> Iterator[tuple[Supervised, dict[str, str]]]:
    del browser
    with crowded(tmp_path_factory.mktemp("crowd"), MANY) as made:
        yield made


@pytest.fixture(scope="module")
def house(crowd: tuple[Supervised, dict[str, str]]) -> Supervised:
    return crowd[0]


WATCHED = """
(() => {
  window.seen = {shift: 0, long: [], paint: null, rows: null};
  const look = (type, take) => new PerformanceObserver(
    (list) => list.getEntries().forEach(take)).observe({type, buffered: true});
  look('layout-shift', (one) => { if (!one.hadRecentInput) window.seen.shift += one.value; });
  look('longtask', (one) => window.seen.long.push([one.startTime, one.duration]));
  look('paint', (one) => {
    if (one.name === 'first-contentful-paint') window.seen.paint = one.startTime;
  });
  const there = new MutationObserver(() => {
    if (window.seen.rows === null && document.querySelector('[data-session]')) {
      window.seen.rows = performance.now();
      there.disconnect();
    }
  });
  there.observe(document, {childList: true, subtree: true});
  const typed = (event) => window.typed.push(performance.now() - event.timeStamp);
  window.typed = [];
  addEventListener('keydown', typed, {capture: true});
  window.ids = [];
  const fetched = window.fetch;
  window.fetch = async (asked, init) => {
    const answer = await fetched(asked, init);
    if (!String(asked).includes('/events/stream') || !answer.body) return answer;
    const [own, theirs] = answer.body.tee();
    (async () => {
      let text = '';
      for await (const part of own.pipeThrough(new TextDecoderStream())) {
        const blocks = (text + part).split('\\n\\n');
        text = blocks.pop();
        for (const block of blocks)
          if (block.includes('\\ndata: ')) window.ids.push(Number(/^id: (\\d+)/m.exec(block)[1]));
      }
    })().catch(() => {});
    return new Response(theirs, {status: answer.status, headers: answer.headers});
  };
})();
"""


@pytest.fixture
def context(browser: Browser, house: Supervised) -> Iterator[BrowserContext]:
    with visitor(browser, house) as made:
        made.add_init_script(WATCHED)
        yield made


def _live(page: Page) -> Page:
    expect(page.get_by_test_id("connection")).to_have_attribute("data-is", "live", timeout=20_000)
    expect(page.locator("[data-session]").first).to_be_visible(timeout=20_000)
    return page


def test_five_hundred_are_painted_and_can_be_used_at_once(
    context: BrowserContext, house: Supervised
) -> None:
    page = _live(log_in(context.new_page(), house))
    best: dict[str, Any] = {}
    for _ in range(3):  # the machine does other things, too: its best is ours
        page.reload()
        _live(page)
        seen = page.evaluate("window.seen")
        if not best or seen["rows"] < best["rows"]:
            best = seen
    assert best["paint"] <= 300 * SLACK, best
    assert best["rows"] <= 600 * SLACK, best
    assert best["shift"] <= 0.02, best
    text = page.evaluate("fetch('/api/v1/sessions?view=row').then((answer) => answer.text())")
    rows = json.loads(text)["data"]
    assert len(rows) >= MANY
    assert len(text) / len(rows) <= 800, "bytes of a row"


def _waiting(house: Supervised) -> list[str]:
    """Sessions to which a word can be said that nobody takes: an event, and a row that changes."""
    found = [row["id"] for row in house.sessions().values() if row["word"] == "held"]
    assert len(found) > 20
    return found


def _feed(house: Supervised, sessions: list[str]) -> int:
    """Twenty events a second, as nearly as the machine can; how many there were."""
    begun, sent = time.monotonic(), 0
    with ThreadPoolExecutor(4) as others:
        while (passed := time.monotonic() - begun) < LOAD:
            if sent < 20 * passed:
                to = sessions[sent % len(sessions)]
                others.submit(house.client.post, f"/sessions/{to}/send", {"message": f"{sent}"})
                sent += 1
            else:
                yield_to_others()
    return sent


def yield_to_others() -> None:
    """A hundredth of a second for everybody else."""
    threading.Event().wait(0.01)


def test_much_happens_and_the_page_stays_quiet_and_answers_keys(
    context: BrowserContext, house: Supervised
) -> None:
    page = _live(log_in(context.new_page(), house))
    page.get_by_role("button", name="Over").click()
    expect(page.locator("[data-session]")).to_have_count(len(house.sessions()))
    sessions = _waiting(house)
    inspector = context.new_cdp_session(page)
    inspector.send("Performance.enable", {"timeDomain": "threadTicks"})

    def measured() -> dict[str, float]:
        inspector.send("HeapProfiler.collectGarbage")
        told = inspector.send("Performance.getMetrics")["metrics"]
        return {one["name"]: float(one["value"]) for one in told}

    page.wait_for_timeout(1000)
    before, began = measured(), page.evaluate("performance.now()")
    with ThreadPoolExecutor(1) as one:
        fed = one.submit(_feed, house, sessions)
        while not fed.done():
            page.keyboard.press("j")
            page.wait_for_timeout(300)
    after = measured()
    assert fed.result() >= 20 * LOAD * 0.5, "the feeder itself was not held up"
    share = (after["TaskDuration"] - before["TaskDuration"]) / LOAD
    assert share <= 0.15 * SLACK, f"{share:.0%} of the main thread"
    grown = (after["JSHeapUsedSize"] - before["JSHeapUsedSize"]) / 2**20
    assert grown <= 1 * SLACK, f"{grown:.1f} MiB more"
    long = [(at - began, took) for at, took in page.evaluate("window.seen.long") if at > began]
    # the machine does other things, too; what is the page's own comes in each third of the time
    thirds = [
        [took for at, took in long if part <= 3 * at / (1000 * LOAD) < part + 1]
        for part in range(3)
    ]
    assert min(max(one, default=0) for one in thirds) <= 50 * SLACK, long
    print(f"{share:.1%} of the main thread, {grown:.2f} MiB, long tasks {long}")
    typed = page.evaluate("window.typed")
    assert percentile(typed, 0.95) <= 100 * SLACK, typed


def test_what_was_committed_is_seen_soon(context: BrowserContext, house: Supervised) -> None:
    page = _live(log_in(context.new_page(), house))
    page.evaluate(
        """() => {
          window.came = {};
          new MutationObserver((all) => {
            for (const change of all)
              for (const node of change.addedNodes)
                if (node.dataset?.session) window.came[node.dataset.session] ??= Date.now();
          }).observe(document.querySelector('main'), {childList: true, subtree: true});
        }"""
    )
    took = []
    for number in range(12):
        made = house.spawn(f"Wait {number}", "my-app", held=True)
        eventually(lambda name=made: page.evaluate("(id) => id in window.came", name), 30, made)
        (event,) = house.events(session_id=made, type="session_queued")
        committed = datetime.fromisoformat(event["timestamp"]).timestamp()
        took.append(page.evaluate("(id) => window.came[id]", made) / 1000 - committed)
    assert percentile(took, 0.95) <= 0.150 * SLACK, took


def test_a_newcomer_finds_answers_and_understands_in_three_presses_each(
    context: BrowserContext, crowd: tuple[Supervised, dict[str, str]], shot: Shot
) -> None:
    house, made = crowd
    page = _live(log_in(context.new_page(), house))
    shot(page, "500")
    finds = Newcomer(page)  # who waits for a person, among five hundred
    yours = page.locator("[data-zone=you] [data-session]")
    expect(yours.first).to_be_in_viewport()
    assert {one.get_attribute("data-session") for one in yours.all()} == {
        row["id"] for row in house.sessions().values() if row["turn"] == "you"
    }
    assert finds.pressed == 0

    understands = Newcomer(page)
    understands.clicks(page.locator(f"[data-session='{made['ended']}'] [data-name]"))
    why = page.get_by_role("region", name="Why")
    expect(why).to_contain_text("the agent ended with exit code 3")
    expect(why).to_contain_text("the process ended")
    understands.clicks(page.get_by_role("link", name="Now").first)
    assert understands.pressed <= 3

    answers = Newcomer(page)
    card = page.locator(f"[data-session='{made['asks']}']").first
    expect(card).to_contain_text("Run `npm install express-rate-limit`?")
    answers.clicks(card.get_by_role("button", name="Yes"))
    eventually(lambda: house.session(made["asks"])["word"] != "asks", 30, "it was answered")
    assert answers.pressed <= 3


def test_a_pull_request_is_approved_and_merged_by_keys_alone(
    context: BrowserContext, crowd: tuple[Supervised, dict[str, str]]
) -> None:
    house, made = crowd
    page = _live(log_in(context.new_page(), house))
    hand, session = Newcomer(page), made["review"]
    held = "document.activeElement.closest('[data-session]')?.dataset.session"
    while page.evaluate(held) != session:
        hand.keys("n")
        assert hand.pressed < 20, "it is never reached"
    hand.keys("A")
    card = page.locator(f"[data-session='{session}']").first
    expect(card.get_by_test_id("turn")).to_contain_text("merge", timeout=20_000)
    assert page.evaluate(held) == session, "the focus stays where it was"
    hand.keys("m")
    expect(card.get_by_text(re.compile("^Merge #\\d+ into its base"))).to_be_visible()
    hand.keys("Enter")
    house.becomes(session, "merged", "done")


def test_what_nobody_waits_for_is_behind_its_menu_and_its_key(
    context: BrowserContext, crowd: tuple[Supervised, dict[str, str]]
) -> None:
    house, made = crowd
    page = _live(log_in(context.new_page(), house, f"/s/{made['works']}/log"))
    expect(page.get_by_test_id("log")).to_contain_text("session_spawned")
    expect(page.get_by_role("img", name="what it had cost in all")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name="More about").click()
    more = page.get_by_test_id("more")
    expect(more.get_by_role("button", name="Kill")).to_be_visible()
    page.keyboard.press("Escape")
    expect(more).to_have_count(0)
    page.keyboard.press("K")
    expect(page.get_by_text("for good?")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_text("for good?")).to_have_count(0)
    page.keyboard.press("R")
    expect(page.get_by_text("Restore: not possible now")).to_be_visible()
    assert house.session(made["works"])["word"] == "works"


@pytest.mark.parametrize("shown", [0, 5, 50, 500])
@pytest.mark.parametrize("size", [None, PHONE], ids=["desktop", "phone"])
def test_few_and_many_are_readable_by_everybody(
    browser: Browser,
    crowd: tuple[Supervised, dict[str, str]],
    shown: int,
    size: dict[str, int] | None,
    shot: Shot,
) -> None:
    house, made = crowd
    look = {"color_scheme": "light" if shown in (5, 500) else "dark"}
    touch = {"viewport": size, "has_touch": True, "is_mobile": True} if size else {}
    first = list(made.values())

    def fewer(route: Route) -> None:
        """Of the rows there really are, so many; each kind before its copies."""
        answer = route.fetch()
        told = answer.json()
        told["data"].sort(key=lambda row: row["id"] not in first)
        route.fulfill(response=answer, json=told | {"data": told["data"][:shown]})

    with visitor(browser, house, **look, **touch) as context:
        page = log_in(context.new_page(), house, "/settings")
        page.route("**/api/v1/sessions?view=row", fewer)
        page.goto("/")
        there = page.locator("[data-session]") if shown else page.get_by_test_id("empty")
        expect(there.first).to_be_visible()
        shot(page, f"{shown}")
        found = violations(page)
        for mark in page.get_by_test_id("turn").all()[:20]:
            glyph, word = mark.locator(".glyph").inner_text(), mark.locator(".word").inner_text()
            found += [] if glyph and word else ["a state is told by its colour alone"]
        page.set_viewport_size(
            {"width": 320, "height": 400} if size else {"width": 640, "height": 400}
        )
        page.add_style_tag(content=SPACED)
        found += unreadable(page)
        shot(page, f"{shown}-spaced")
        if size:
            page.get_by_role("button", name="Menu").click()
            page.get_by_role("link", name="Events").click()
            expect(page.get_by_role("link", name="Events")).not_to_be_visible()
    assert not found, "\n".join(found)


ZOOMED = {"200 %": {"width": 640, "height": 400}, "400 %": {"width": 320, "height": 256}}


def test_every_view_is_read_at_any_size_and_spacing(
    browser: Browser, crowd: tuple[Supervised, dict[str, str]], shot: Shot
) -> None:
    house, made = crowd
    tabs = ("", "/diff", "/pr", "/messages", "/files", "/log", "/terminal")
    paths = (
        *("/?view=cards&group=project", "/spend", "/events", "/settings", "/nodes"),
        *("/projects", "/nowhere", f"/s/{made['look']}/pr"),
        *(f"/s/{made['merge']}{tab}" for tab in tabs),
    )
    found: list[str] = []
    with visitor(browser, house) as context:
        page = log_in(context.new_page(), house)
        for path in paths:
            page.set_viewport_size(ZOOMED["200 %"])
            page.goto(path)
            expect(page.locator("main h1").first).to_be_visible()
            expect(page.locator("main [role=status]", has_text="…")).to_have_count(0)
            for zoom, size in ZOOMED.items():
                page.set_viewport_size(size)
                if zoom == "400 %" and "?" not in path:  # hundreds of rows are judged elsewhere
                    found += [f"{path} at {zoom}: {one}" for one in violations(page)]
                spaced = page.add_style_tag(content=SPACED)
                found += [f"{path} at {zoom}: {one}" for one in unreadable(page)]
                shot(page, f"{zoom}-{path}")
                spaced.evaluate("style => style.remove()")
    assert not found, "\n".join(found)


def test_a_lost_connection_is_seen_at_once_and_heals_without_a_gap(
    context: BrowserContext, house: Supervised
) -> None:
    page = _live(log_in(context.new_page(), house))
    connection = page.get_by_test_id("connection")
    house.spawn("Before", "my-app", held=True)
    house.kill_worker()
    begun = time.monotonic()
    expect(connection).to_have_attribute("data-is", "lost", timeout=2000 * SLACK)
    house.answers(within=150)
    back = time.monotonic()
    expect(connection).to_have_attribute("data-is", "live", timeout=3000 * SLACK)
    healed = time.monotonic()
    assert healed - back <= 3 * SLACK, (back - begun, healed - back)
    made = house.spawn("Afterwards", "my-app", held=True)
    expect(page.locator(f"[data-session='{made}']")).to_be_visible(timeout=20_000)
    ids = page.evaluate("window.ids")
    assert len(ids) >= 2
    assert ids == list(range(ids[0], ids[0] + len(ids))), "one twice, or one missing"
