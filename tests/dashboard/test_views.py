"""Spend, Events, Settings, Nodes and Projects, over books and events that scripted sessions made."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from ennio.model.clock import SystemClock
from tests.conftest import eventually
from tests.dashboard.browsing import PHONE, log_in, violations, visitor
from tests.dashboard.conftest import Shot
from tests.e2e.house import Supervised, project, story, supervised, turn

SECRET = "x9-the-secret-of-the-hook"
VIEWS = ("/spend", "/events", "/settings", "/nodes", "/projects")
BUDGET = {"scope": "global", "period": "daily", "limit_usd": 20}


def _burns(**used: Any) -> dict[str, Any]:
    return story(turn("prompt", [{"burn": used}, {"say": "That is all."}]))


def _on_plan() -> dict[str, Any]:
    used = {"burn": {"input": 50_000, "output": 900, "model": "known"}}
    window = {"window": {"name": "weekly", "used": 81, "resets_in": 250_000}}
    return story(turn("prompt", [used, window, {"say": "Done."}])) | {"billing": "plan"}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Supervised]:
    """Four projects: what they use is told by the agent, reckoned here, on a plan, and unknown."""
    del browser
    with supervised(
        tmp_path_factory.mktemp("house"),
        lambda ground: project(
            ground, "told", agent_config=_burns(input=9000, output=700, cost="1.25")
        ),
        lambda ground: project(
            ground,
            "local",
            agent_config=_burns(input=1_000_000, output=2000, model="known"),
            max_sessions=7,
            protected_branches=["release/*"],
            reactions={"ci-failed": {"retries": 4}},
            env={"HOOK_SECRET": SECRET},
        ),
        lambda ground: project(ground, "planned", agent_config=_on_plan()),
        lambda ground: project(
            ground, "priceless", agent_config=_burns(input=21_000, output=900, model="new-x")
        ),
        budgets=[BUDGET],
        prices=[{"model": "known", "input": 3, "output": 15}],
        notifiers=[
            {"plugin": "command", "name": "ops", "config": {"argv": ["true"]}},
            {"plugin": "command", "name": "broken", "config": {"argv": ["false"]}},
        ],
    ) as made:
        for name in ("told", "local", "planned", "priceless"):
            made.spawn(f"Use something of {name}", project=name)
        eventually(
            lambda: len(made.client.get("/spend")["points"]) >= 4, 30, "everything is in the books"
        )
        yield made


@pytest.fixture(scope="module")
def visited(browser: Browser, house: Supervised) -> Iterator[Page]:
    """One page for the tests of this module: each goes where it wants."""
    with visitor(browser, house) as context:
        page = log_in(context.new_page(), house)
        expect(page.get_by_test_id("connection")).to_have_attribute("data-is", "live")
        yield page


def _cost(page: Page, key: str) -> str:
    return page.locator(f"tr[data-key='{key}'] td.cost").first.inner_text()


def test_money_that_nobody_knows_is_a_question_and_a_plan_is_no_bill(
    visited: Page, shot: Shot
) -> None:
    visited.goto("/spend")
    expect(visited.get_by_test_id("chart").locator("svg")).to_be_visible()
    assert _cost(visited, "told") == "$1.25"
    assert _cost(visited, "local") == "~$3.03"
    assert _cost(visited, "planned") == "plan"
    assert _cost(visited, "priceless") == "?"
    budget = visited.locator("[data-budget='global:daily']")
    expect(budget).to_contain_text("$4.28 + ? of $20.00")
    expect(budget).to_contain_text("a price is missing")
    expect(visited.get_by_test_id("merged")).to_contain_text("none is merged yet")
    expect(visited.get_by_label("Windows of plans")).to_contain_text("weekly 81 %")
    assert "$0.00" not in visited.get_by_test_id("spend").inner_text()
    visited.get_by_text("The bars as a table").click()
    today = f"{SystemClock().now():%Y-%m-%d}"
    row = visited.locator("details tr", has_text=today)
    expect(row).to_contain_text("$3.03")
    expect(row).to_contain_text("plan")
    expect(row.locator("th")).to_have_text(f"{today} ?")
    shot(visited, "spend")


def test_a_limit_is_what_was_set_last_and_one_that_is_used_up_is_no_forecast(
    visited: Page, house: Supervised
) -> None:
    order = {"scope": "project", "id": "told", "on_exceed": "warn"}
    budget = visited.locator("[data-budget='project:told:total']")
    house.client.post("/budgets", order | {"limit_usd": 5})
    house.client.post("/budgets/told/raise", {"usd": 50})
    visited.goto("/spend")
    expect(budget).to_contain_text("$1.25 of $55.00")
    expect(budget).to_contain_text("too few days to say when it runs dry")
    house.client.post("/budgets", order | {"limit_usd": 1})
    visited.goto("/spend")
    expect(budget).to_contain_text("$1.25 of $1.00")
    expect(budget).to_contain_text("used up")
    expect(budget).not_to_contain_text("dry")
    house.client.delete("/budgets/project:told:total")


def test_the_days_and_what_they_are_added_up_by_stand_in_the_address(visited: Page) -> None:
    visited.goto("/spend?from=2020-01-01&to=2020-01-31")
    expect(visited.get_by_text("Nothing was used from 2020-01-01 to 2020-01-31")).to_be_visible()
    visited.get_by_role("link", name="7 days").click()
    visited.get_by_role("link", name="model", exact=True).click()
    expect(visited).to_have_url(re.compile(r"from=\d{4}-\d{2}-\d{2}.*by=model"))
    expect(visited.locator("tr[data-key='new-x']").first).to_be_visible()
    with visited.expect_download() as told:
        visited.get_by_role("link", name="CSV").click()
    lines = Path(told.value.path()).read_text().splitlines()
    assert lines[0].startswith("day,project_id,model,source")
    assert len(lines) == 5
    visited.go_back()
    visited.go_back()


def test_a_price_is_composed_for_the_file_and_nobody_writes_into_it(
    visited: Page, house: Supervised
) -> None:
    before = house.ground.config.read_bytes()
    visited.goto("/spend")
    visited.get_by_role("button", name="set a price").first.click()
    form = visited.get_by_role("region", name="A price for new-x")
    expect(form).to_contain_text(f"{house.ground.config}:")
    form.get_by_label("sent", exact=True).fill("abc")
    expect(form.get_by_role("alert")).to_contain_text("sent: write a number")
    form.get_by_label("sent", exact=True).fill("3")
    form.get_by_label("answered").fill("15.5")
    lines = visited.get_by_test_id("price-lines")
    expect(lines).to_have_text('prices:\n  - {model: "new-x", input: 3, output: 15.5}')
    assert house.ground.config.read_bytes() == before


def _first(page: Page) -> int:
    return int(page.locator("article.event").first.get_attribute("data-seq") or 0)


def test_events_come_in_and_are_held_back_while_one_reads(
    visited: Page, house: Supervised, shot: Shot
) -> None:
    visited.goto("/events?type=session_spawned&project=told")
    expect(visited.locator("article.event").first).to_be_visible()
    before = _first(visited)
    session = house.spawn("One more", project="told")
    eventually(lambda: _first(visited) > before, 30, "the tail moves on")
    expect(visited.locator("article.event", has_text=session).first).to_be_visible()

    line = visited.locator("article.event button.line").first
    line.focus()
    visited.keyboard.press("Enter")
    expect(line).to_have_attribute("aria-expanded", "true")
    expect(visited.locator("article.event pre.data").first).to_be_visible()
    visited.keyboard.press("j")
    expect(visited.locator("article.event button.line").nth(1)).to_be_focused()
    visited.keyboard.press("ArrowUp")
    expect(line).to_be_focused()
    place = line.bounding_box()
    read = _first(visited)
    last = house.spawn("And one more", project="told")
    held = visited.get_by_test_id("held")
    expect(held).to_contain_text(re.compile(r"\d+ newer events? held back while you read"))
    assert (_first(visited), line.bounding_box()) == (read, place), "nothing moves under the hand"
    shot(visited, "held")
    held.get_by_role("button").click()
    expect(held).to_have_count(0)
    newest = visited.locator("article").first
    expect(newest).to_contain_text(re.compile(f"{last}|session_spawned × "))


def test_an_event_has_an_address_and_it_opens_there(visited: Page, house: Supervised) -> None:
    chosen = house.events()[3]
    visited.goto(f"/events?seq={chosen['seq']}")
    event = visited.locator(f"article[data-seq='{chosen['seq']}']")
    expect(event).to_be_visible()
    assert json.loads(event.locator("pre.data").inner_text()) == chosen["data"]
    expect(visited.get_by_test_id("held")).to_contain_text(f"Around event {chosen['seq']}")
    visited.goto("/events?seq=99999999")
    expect(visited.get_by_text("Event 99999999 is not here")).to_be_visible()


def test_events_are_found_by_what_the_address_says(visited: Page, house: Supervised) -> None:
    visited.goto("/events?project=local&q=LAUNCH")
    expect(visited.locator("article.event").first).to_contain_text("local")
    assert all("launch" in text.lower() for text in visited.locator(".message").all_inner_texts())
    visited.get_by_placeholder("words…").fill("no such words")
    expect(visited.get_by_text("No event is like that")).to_be_visible()
    expect(visited).to_have_url(re.compile("q=no"))
    visited.get_by_label("Priority").select_option("critical")
    expect(visited).to_have_url(re.compile("priority=critical"))


def test_many_of_one_kind_are_one_line_until_they_are_unfolded(visited: Page) -> None:
    visited.goto("/events?type=session_queued")
    fold = visited.locator("article.fold").first
    expect(fold).to_contain_text(re.compile(r"session_queued × \d+ \(\d+ sessions\)"))
    before = visited.locator("article.event").count()
    fold.get_by_role("button").click()
    eventually(lambda: visited.locator("article.event").count() >= before + 3, 30, "unfolded")


def test_each_setting_names_its_line_and_a_secret_is_nowhere(
    visited: Page, house: Supervised, shot: Shot
) -> None:
    visited.goto("/settings")
    number = 1 + next(
        index
        for index, line in enumerate(house.ground.config.read_text().splitlines())
        if "max_sessions: 7" in line
    )
    row = visited.locator("tr[data-path='projects[1].max_sessions']")
    expect(row).to_contain_text(f"line {number}")
    expect(visited.get_by_text("ennio reload")).to_be_visible()
    expect(visited.locator("tr[data-path='projects[1].env.HOOK_SECRET']")).to_contain_text("secret")
    visited.get_by_label(re.compile("with the .* defaults")).check()
    expect(visited.locator("tr[data-path='host']")).to_contain_text("default")
    assert SECRET not in visited.content()
    shot(visited, "settings")
    visited.get_by_placeholder("Find a key or a value…").fill("retries")
    expect(visited).to_have_url(re.compile("q=retries"))
    expect(
        visited.locator("tr[data-path='projects[1].reactions.ci-failed.retries']")
    ).to_be_visible()
    expect(row).to_have_count(0)


def test_a_channel_is_tested_and_says_what_came_of_it(visited: Page) -> None:
    visited.goto("/settings")
    for name, told in (("ops", "✓ told"), ("broken", "!")):
        channel = visited.locator(f"[data-channel={name}]")
        channel.get_by_role("button", name="Send a test").click()
        expect(channel.get_by_role("status")).to_contain_text(told)


def test_the_theme_is_this_browsers_own(visited: Page) -> None:
    visited.goto("/settings")
    for theme in ("light", "dark"):
        visited.get_by_label(theme, exact=True).check()
        expect(visited.locator("html")).to_have_attribute("data-theme", theme)
    visited.get_by_label("as the system").check()


def test_this_machine_is_shown_and_a_failure_is_said_with_a_way_out(
    visited: Page, shot: Shot
) -> None:
    visited.goto("/nodes")
    node = visited.locator("[data-node='']")
    expect(node).to_contain_text("this machine")
    expect(node).to_contain_text("runtime:tmux")
    shot(visited, "nodes")
    visited.route("**/api/v1/nodes", lambda route: route.fulfill(status=503, json={"error": "the database is away", "code": 503}))  # fmt: skip
    visited.goto("/nodes")
    trouble = visited.get_by_test_id("trouble")
    expect(trouble).to_contain_text("The machines could not be read. the database is away")
    visited.unroute("**/api/v1/nodes")
    trouble.get_by_role("button", name="Try again").click()
    expect(node).to_be_visible()
    expect(trouble).to_have_count(0)


FAR: dict[str, Any] = {
    "host": "me@build", "name": "me@build", "kind": "daemon", "state": "deploying", "state_since": "2026-11-26T10:00:00Z",
    "version": None, "since": None, "round_trip": None, "seen_at": None, "failures": 1, "projects": ["far"], "sessions": 2,
    "of_projects": {"far": 2}, "free_memory": None, "free_disk": None, "error": None, "sources": {},
    "steps": [{"name": "install", "at": "2026-11-26T10:00:00Z", "ok": False, "detail": "it ended with 1", "output": "No space left"}],
}  # fmt: skip
ANSWERS = FAR | {"state": "connected", "round_trip": 0.0251, "version": "0.2.0", "steps": []}


def test_a_machine_elsewhere_is_shown_with_its_steps_and_is_shut_down_only_when_meant(
    visited: Page, shot: Shot
) -> None:
    shown, asked = [FAR], []
    here = visited.request.get("/api/v1/nodes").json()["data"]

    def answer(route: Route) -> None:
        if route.request.method == "POST":
            asked.append(route.request.url.rpartition("/api/v1")[2])
            route.fulfill(json={"data": {"host": "me@build", "sessions": 2}})
        else:
            route.fulfill(json={"data": [*here, *shown]})

    visited.route(re.compile("/api/v1/nodes"), answer)
    visited.goto("/nodes")
    node = visited.locator("[data-node='me@build']")
    expect(node).to_contain_text("its node is put there · ennio-node")
    expect(node).to_contain_text("No space left")
    expect(node.get_by_role("button", name="Connect now")).to_be_disabled()
    shown[:] = [ANSWERS]
    expect(node).to_contain_text("25 ms", timeout=5000)
    assert violations(visited) == []
    shot(visited, "nodes-elsewhere")
    node.get_by_role("button", name="Disconnect…").click()
    expect(node.get_by_role("group")).to_contain_text("2 of its sessions go on there, unseen")
    assert asked == []
    node.get_by_role("button", name="Disconnect", exact=True).click()
    eventually(lambda: asked == ["/nodes/me%40build/disconnect"])
    shown[:] = [ANSWERS | {"state": "refused", "error": "its host key changed"}]
    expect(node).to_contain_text("! refused: its host key changed", timeout=15_000)
    visited.unroute(re.compile("/api/v1/nodes"))


def test_a_session_says_where_it_runs_that_it_is_apart_and_who_shares_it(visited: Page) -> None:
    around = {"host": "me@build", "isolation": "bubblewrap", "shared_by": "remote_control"}
    rows = re.compile(r"/api/v1/sessions\?")

    def answer(route: Route) -> None:
        told = route.fetch().json()
        route.fulfill(json=told | {"data": [row | around for row in told["data"]]})

    visited.goto("/")
    visited.route(rows, answer)
    visited.locator("[data-session]").first.get_by_role("link").first.click()
    where = visited.locator(".session .where")
    visited.reload()
    for said in ("me@build", "sandbox", "shared by remote control"):
        expect(where).to_contain_text(said)
    assert violations(visited) == []
    visited.unroute(rows)


def test_a_project_shows_its_limits_and_its_rules_as_they_hold(visited: Page, shot: Shot) -> None:
    visited.goto("/projects")
    card = visited.locator("[data-project=local]")
    expect(card).to_contain_text("release/*")
    expect(card).to_contain_text("none is merged yet")
    card.get_by_text("rules as they hold").click()
    expect(card.locator("tr", has_text="ci-failed")).to_contain_text("5")
    expect(card.locator("tr", has_text="ci-failed")).to_contain_text("2m")
    shot(visited, "projects")


@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize("size", [None, PHONE], ids=["desktop", "phone"])
def test_every_view_can_be_used_by_everybody(
    browser: Browser, house: Supervised, scheme: str, size: dict[str, int] | None, shot: Shot
) -> None:
    settings = {"color_scheme": scheme} | (
        {"viewport": size, "has_touch": True, "is_mobile": True} if size else {}
    )
    found: list[str] = []
    with visitor(browser, house, **settings) as context:
        page = log_in(context.new_page(), house)
        for path in VIEWS:
            page.goto(path)
            expect(page.locator("main h1")).to_be_visible()
            expect(page.locator("main [role=status]", has_text="…")).to_have_count(0)
            if path == "/spend":
                expect(page.get_by_test_id("chart").locator("svg")).to_be_visible()
            found += [f"{path}: {one}" for one in violations(page)]
            found += [f"{path}: {one}" for one in page.evaluate(BY_COLOUR_ALONE)]
            shot(page, f"{path.strip('/')}-{scheme}")
            if size:
                page.set_viewport_size({"width": 320, "height": 800})
                over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
                found += [f"{path}: {over} pixels wider than a small phone"] if over > 0 else []
                page.set_viewport_size(size)
    assert not found, "\n".join(found)


BY_COLOUR_ALONE = """
() => [...document.querySelectorAll('main :is(.you, .agent, .world, .good, .bad)')]
  .filter(each => each.getClientRects().length > 0 && each.getAttribute('role') !== 'meter')
  .filter(each => !(each.textContent.trim() || each.nextSibling?.textContent?.trim()))
  .map(each => `told by colour alone: ${each.outerHTML.slice(0, 120)}`)
"""
