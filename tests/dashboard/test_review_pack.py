"""The page to review from: what an agent says and shows, and the branches that will conflict."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.conftest import eventually
from tests.dashboard.browsing import violations
from tests.dashboard.conftest import Shot
from tests.e2e.house import Supervised, project, story, supervised, turn

DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
PICTURE = f"import base64; open('shot.png', 'wb').write(base64.b64decode('{DOT}'))"
EVIL = "<script>document.title='run'</script><svg onload=\"document.title='run'\"/>\n"
SAYS = (
    "Renamed it <img src=x onerror=document.title='run'>: ![the result](shot.png), see page.html "
    "and [a picture](fake.png), but not [this](../../outside.txt)."
)
PLAYED = story(
    turn(
        "prompt",
        [
            {"edit": {"file": "README.md", "content": "# {session}\n"}},
            {"edit": {"file": "page.html", "content": EVIL}},
            {"edit": {"file": "fake.png", "content": EVIL}},
            {"run": {"argv": ["python3", "-c", PICTURE]}},
            {"commit": "Rename it"},
            "push",
            {"summary": SAYS},
        ],
    )
)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Supervised]:
    """Two agents that change the same line."""
    del browser
    root = tmp_path_factory.mktemp("house")
    with supervised(root, lambda ground: project(ground, agent_config=PLAYED)) as made:
        yield made


def test_what_an_agent_says_and_shows_is_seen_and_nothing_of_it_is_run(
    page: Page, house: Supervised, shot: Shot
) -> None:
    one, other = house.spawn("Rename it"), house.spawn("Rename it too")
    eventually(lambda: house.session(one)["conflicts"], 40, "the conflict is foreseen")
    eventually(lambda: house.session(one)["pr_number"], 40, "its pull request is open")
    page.goto(f"/s/{one}/pr")

    conflicts = page.get_by_test_id("conflicts")
    expect(conflicts).to_contain_text("README.md")
    expect(conflicts.get_by_role("link", name=other)).to_be_visible()

    pack = page.get_by_test_id("pack")
    expect(pack.get_by_test_id("said")).to_have_text(SAYS)
    picture = pack.get_by_role("img")
    expect(picture).to_have_count(1)
    eventually(lambda: picture.evaluate("it => it.complete && it.naturalWidth === 1"))
    named = pack.get_by_role("list", name="Files it named")
    expect(named).to_contain_text("it is out of the session's working copy, and is not shown")
    assert violations(page) == []
    shot(page, "pull")

    for name in ("page.html", "fake.png"):
        with page.context.expect_page() as opened:
            named.get_by_role("link", name=name).click()
        file = opened.value
        expect(file.locator("body")).to_contain_text("<script>")
        assert file.title() != "run"
        file.close()
    assert page.title() != "run"

    house.client.delete(f"/sessions/{other}")
    expect(conflicts).to_have_count(0, timeout=20_000)
