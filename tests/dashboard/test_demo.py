"""The demo as it runs: who has never seen it finds what is asked of them, understands it and
answers, on the page and on the board; and watches the story to its end.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
from playwright.sync_api import Browser, expect

from ennio.demo import scene
from tests.board.pane import Pane, pane
from tests.conftest import eventually
from tests.dashboard.browsing import DESKTOP, Guard, Newcomer
from tests.dashboard.conftest import Shot
from tests.e2e.house import ROOT

WITHIN = 90.0
ASKED = "Add the line"
"""How the prompt of the session that asks begins."""
QUESTION = scene.QUESTION.partition(".")[0]
BEGUN = "this answer was begun before"


def _environment(folder: Path) -> dict[str, str]:
    """What the demo is started with; a browser that it opens is a note of the link."""
    opener = folder / "opener"
    opener.write_text(
        f'#!/bin/sh\necho "$1" > {folder}/link.new && mv {folder}/link.new {folder}/link\n'
    )
    opener.chmod(0o755)
    return {
        **os.environ,
        "BROWSER": f"{opener} %s",
        "TMPDIR": str(folder),
        "PYTHONPATH": str(ROOT),
    }


@contextmanager
def _stage(folder: Path, env: dict[str, str]) -> Iterator[Pane]:
    """The demo in a terminal, where a person looks on; nothing of it is left at the end."""
    with pane(folder, env, 300, 50) as terminal:
        terminal.run([sys.executable, "-m", "ennio.cli", "demo", "--open", "--speed", "6"])
        yield terminal
        terminal.keys("C-c")
        eventually(lambda: not _left(folder), 60, "the demo has ended")


def _left(folder: Path) -> list[int]:
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.environ().get("ENNIO_HOME", "").startswith(str(folder)):
                found.append(process.pid)
    return found


def test_on_the_page_a_newcomer_finds_understands_and_answers_and_watches_to_the_merges(
    browser: Browser, tmp_path: Path, shot: Shot
) -> None:
    with _stage(tmp_path, _environment(tmp_path)) as stage:
        link = tmp_path / "link"
        eventually(link.exists, WITHIN, "the demo opened a browser")
        address = link.read_text().strip()
        guard = Guard(address.partition("/auth")[0])
        context = browser.new_context(base_url=guard.base, viewport=DESKTOP)
        guard.over(context)
        page = context.new_page()
        page.goto(address)
        finds = Newcomer(page)  # whose turn it is stands on top of the first page
        card = page.locator("[data-zone=you] [data-session]", has_text=ASKED)
        expect(card).to_contain_text(QUESTION, timeout=WITHIN * 1000)
        shot(page, "asks")
        assert finds.pressed == 0
        understands = Newcomer(page)
        understands.clicks(card.get_by_role("link", name=ASKED))
        why = page.get_by_role("region", name="Why")
        expect(why).to_contain_text("(rule 2)", timeout=30_000)
        shot(page, "why")
        answers = Newcomer(page)
        _answer(answers, stage)
        assert max(understands.pressed, answers.pressed) <= 3
        page.goto("/")
        for title in ("Write a file greeting.txt", ASKED):
            merged = page.locator("[data-zone=over] [data-session]", has_text=title)
            expect(merged).to_contain_text(re.compile("merged|done"), timeout=WITHIN * 1000)
        shot(page, "merged")
        context.close()
        guard.judge()
        stage.shows("the page stays until you press Enter here", within=30)


def _answer(newcomer: Newcomer, stage: Pane) -> None:
    """As a person does: again where the page says that the supervisor, which the demo kills
    meanwhile, had begun to type it, and the agent asks still.
    """
    page = newcomer.page
    newcomer.clicks(page.get_by_role("button", name=scene.OPTIONS[0]))
    doubted = page.get_by_role("alert").filter(has_text=BEGUN)

    def answered() -> bool:
        if doubted.is_visible():
            newcomer.clicks(doubted.get_by_role("button", name="Try again"))
        assert stage.line("has its answer"), page.get_by_test_id("verbs").all_inner_texts()
        return True

    eventually(answered, WITHIN, "the answer is given")


def _press(terminal: Pane, key: str, done: str) -> None:
    """As a person does: again, once that is offered, where the board says that the supervisor, which
    the demo kills and starts anew meanwhile, does not answer just now, had begun to type it, or has
    yet to find out that it is asked.
    """
    terminal.shows("a answer", within=WITHIN)
    terminal.keys(key)

    def told() -> str:
        found = [
            words
            for words in (done, "nothing was done", BEGUN, "asks nothing")
            if terminal.line(words)
        ]
        assert found, terminal.screen
        return found[0]

    said = str(eventually(told, WITHIN, f"{key} is done"))
    if said != done:
        terminal.shows("live", "a answer", within=WITHIN, without=said)
        _press(terminal, key, done)


def test_on_the_board_a_newcomer_finds_understands_and_answers(tmp_path: Path) -> None:
    """Only what stands on the two screens is typed."""
    env = _environment(tmp_path)
    (tmp_path / "board").mkdir()
    with _stage(tmp_path, env) as stage, pane(tmp_path / "board", env, 110, 32) as terminal:
        told = re.search(r"in another terminal: (cd .+ board)", stage.shows("board", within=WITHIN))
        assert told is not None
        terminal.write(told[1])
        terminal.keys("Enter")
        terminal.shows("live", QUESTION, "? help", within=WITHIN)
        keys = 0
        while ASKED not in (before := terminal.line("▌")) and keys < 3:
            terminal.keys("n")
            eventually(lambda was=before: terminal.line("▌") != was, 30, "the cursor moves")  # type: ignore[misc]
            keys += 1
        assert ASKED in terminal.line("▌"), terminal.screen
        assert "peek" in terminal.screen
        terminal.keys("Space")
        terminal.shows("[why]", "asks (rule 2)", "is alive", within=30)
        assert f"1 {scene.OPTIONS[0]}" in terminal.screen
        _press(terminal, "1", "done: ennio answer")
        stage.shows("has its answer", within=WITHIN)
        terminal.keys("q")
