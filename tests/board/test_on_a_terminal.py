"""The board in a real terminal before a real supervisor: what a person sees and does there."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.board.opening import opened
from tests.board.pane import Pane, pane
from tests.conftest import eventually
from tests.e2e.house import Supervised, project, story, supervised, turn

pytest.importorskip("blessed")
pytestmark = pytest.mark.e2e

ASKS = story(
    turn(
        "prompt",
        [
            {"ask": {"question": "Run npm install?", "options": ["Yes", "No"]}},
            {"say": "Thank you for the answer."},
        ],
    )
)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Supervised]:
    """A supervisor with scripted agents: those of ``score`` work, those of ``asking`` ask first."""
    with supervised(
        tmp_path_factory.mktemp("house"),
        project,
        lambda ground: project(ground, "asking", agent_config=ASKS),
    ) as made:
        yield made


@pytest.fixture
def terminal(house: Supervised, tmp_path: Path) -> Iterator[Pane]:
    """A terminal of the usual size with a board in it."""
    with pane(tmp_path, house.ground.env, 80, 24) as made:
        board(made, house)
        yield made


def board(terminal: Pane, house: Supervised, *words: str) -> None:
    """Start it, and wait until it is live."""
    terminal.run(house.ground.command("board", *words, "--config", str(house.ground.config)))
    terminal.shows("live", "? help", within=40)


def asking(house: Supervised, terminal: Pane, prompt: str) -> str:
    """A session that asks, on the board and under its cursor."""
    session = house.spawn(prompt, "asking")
    eventually(lambda: house.session(session)["turn"] == "you", 30, "it asks")
    under_the_cursor(terminal, prompt)
    return session


def under_the_cursor(terminal: Pane, title: str) -> None:
    """Go from one that waits to the next until it is this one."""

    def there() -> bool:
        if title in terminal.line("▌"):
            return True
        terminal.keys("n")
        return False

    eventually(there, 30, f"the cursor is on {title!r}")


def test_a_question_is_answered_where_it_is_seen(house: Supervised, terminal: Pane) -> None:
    session = asking(house, terminal, "Rate-limit the login form")
    terminal.shows("asks: Run npm install?", "1 Yes", "2 No")
    terminal.keys("1")
    terminal.shows(f"done: ennio answer {session} 1")
    said = "Thank you for the answer."
    terminal.keys("Space")
    terminal.shows("[why]", said)
    terminal.keys("]", "]", "]")
    terminal.shows("[output]", said)


def test_a_newcomer_finds_answers_and_understands_in_at_most_three_keys_each(
    house: Supervised, tmp_path: Path
) -> None:
    """Only what the last lines name is pressed: nobody has read a page of help."""
    others = [house.spawn(f"Something else {number}") for number in range(2)]
    session = house.spawn("Find me, please", "asking")
    eventually(lambda: house.session(session)["turn"] == "you", 30, "it asks")
    with pane(tmp_path, house.ground.env, 100, 30) as terminal:
        board(terminal, house)

        def last_lines() -> str:
            return "\n".join(terminal.screen.rstrip().splitlines()[-2:])

        def pressed(key: str, named: str, until: str) -> int:
            assert named in last_lines(), f"{named!r} is not offered: {last_lines()}"
            terminal.keys(key)
            terminal.shows(until)
            return 1

        assert "ask" in terminal.line("Find me, please")
        keys = 0
        while "Find me, please" not in terminal.line("▌") and keys < 3:
            before = terminal.line("▌")
            assert "n next of yours" in last_lines()
            terminal.keys("n")
            eventually(lambda was=before: terminal.line("▌") != was, 30, "the cursor moves")  # type: ignore[misc]
            keys += 1
        assert "Find me, please" in terminal.line("▌"), "found in three keys"
        assert pressed("Space", "peek", "asks (rule 2)") <= 3
        terminal.shows("[why]", "asks: Run npm install?", "status working", "is alive")
        assert pressed("1", "1 Yes", f"done: ennio answer {session} 1") <= 3
        terminal.shows("Thank you for the answer.")
    for one in others:
        house.client.delete(f"/sessions/{one}")


FIRST_FRAME = 3 * 0.150
"""Seconds of the processor that a board may take to its first frame, and to its first rows: three
times what is wanted.
"""


@pytest.mark.parametrize("texts", [("? help",), ("? help", "Seen at once")], ids=["frame", "rows"])
def test_it_stands_there_at_once(house: Supervised, texts: tuple[str, ...]) -> None:
    """By the processor's time, and the least of some: what else the machine does is not its."""
    house.spawn("Seen at once")
    command = house.ground.command("board", "--config", str(house.ground.config))
    took = [
        opened(command, house.ground.clone, house.ground.env, *texts).processor for _ in range(5)
    ]
    assert min(took) <= FIRST_FRAME, took


def test_nothing_that_only_keys_or_news_need_is_loaded_before_the_first_frame() -> None:
    code = (
        "import sys, ennio.cli.main, ennio.cli.verbs.board, ennio.board.opening\n"
        "import ennio.http.client, ennio.http.address\n"
        "print(*sys.modules)"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    ).stdout.split()
    heavy = {"blessed", "asyncio", "http.client", "ssl", "email", "yaml", "pykka", "gevent"}
    small = {"secrets", "queue"}
    ours = {"keyboard", "errands", "feed", "loop", "news", "orders"}
    later = heavy | small | {f"ennio.board.{name}" for name in ours} | {"ennio.model.conflicts"}
    assert not later & set(loaded)


def test_a_pull_request_is_merged_from_its_row_after_one_question(
    house: Supervised, terminal: Pane
) -> None:
    session = house.spawn("Fix the flaky date test")
    terminal.shows("merge", "Fix the flaky date test", within=60)
    under_the_cursor(terminal, "Fix the flaky date test")
    terminal.keys("Space", "[", "[")
    terminal.shows("[files]", "its changes")
    terminal.keys("Enter")
    terminal.shows("@@ ")
    terminal.keys("Escape")
    terminal.shows("[files]", without="@@ ")
    terminal.keys("Space", "m")
    terminal.shows("M yes", "Esc no")
    terminal.keys("M")
    terminal.shows("done: ennio pr merge")
    house.becomes(session, "merged")
    terminal.shows("merged")


def test_an_agent_is_attached_and_the_board_comes_back_to_the_same_row(
    house: Supervised, terminal: Pane
) -> None:
    asking(house, terminal, "Open me and come back")
    before = terminal.line("▌")
    terminal.keys("Enter")
    terminal.shows("Run npm install?", without="? help")
    # the terminal of the agent is a tmux in this tmux
    terminal.keys("C-b", "d")
    terminal.shows("back from", "? help")
    assert terminal.line("▌")[:60] == before[:60]


def test_a_supervisor_that_is_killed_is_missed_and_its_return_is_told(
    house: Supervised, terminal: Pane
) -> None:
    house.kill_everything()
    terminal.shows("lost", "not up to date", within=30)
    first = re.search(r"lost (\d+) s", terminal.shows("lost"))
    assert first is not None
    eventually(
        lambda: re.search(r"lost (\d+) s", terminal.screen)[1] != first[1],  # type: ignore[index]
        30,
        "it counts",
    )
    house.start()
    terminal.shows("caught up", "live", without="○ lost", within=30)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_the_terminal_is_sane_however_the_board_is_killed(
    house: Supervised, tmp_path: Path, number: int
) -> None:
    with pane(tmp_path, house.ground.env, 80, 24) as terminal:
        board(terminal, house)
        assert terminal.modes.startswith("1 0")
        terminal.tmux("set-option", "-g", "remain-on-exit", "on")
        os.kill(of_board(house), number)
        eventually(lambda: terminal.modes == "0 1 0", 30, f"as before: {terminal.modes}")
        terminal.run(["stty", "-a"])
        settings = terminal.shows(" echo", "icanon")
        assert not re.search(r"-(echo|icanon|isig)\b", settings)


def of_board(house: Supervised) -> int:
    """The process of the board that runs."""
    import psutil

    def words(pid: int) -> list[str]:
        with suppress(psutil.NoSuchProcess):  # one that has ended, and waits to be noticed, too
            return psutil.Process(pid).cmdline()
        return []

    found = [pid for pid in house.ground.processes() if "board" in words(pid)]
    assert len(found) == 1
    return found[0]


def test_ctrl_z_gives_the_terminal_back_and_fg_takes_it_again(
    house: Supervised, terminal: Pane
) -> None:
    terminal.keys("C-z")
    terminal.shows("Stopped", without="? help")
    assert terminal.modes == "0 1 0"
    terminal.write("fg\n")
    terminal.shows("live", "? help")
    terminal.keys("q")
    eventually(lambda: terminal.modes == "0 1 0", 30, "as before")


def test_a_resize_is_followed_and_a_wide_terminal_shows_more(
    house: Supervised, terminal: Pane
) -> None:
    asking(house, terminal, "Grow with me")
    terminal.tmux("resize-window", "-x", "160", "-y", "45")
    terminal.shows("EVENTS", "Run npm install? [1. Yes", "SESSION PROJ", "AGENT")
    terminal.keys("Space")
    terminal.shows("[why]", "turn: you, asks (rule 2)")
    terminal.tmux("resize-window", "-x", "59", "-y", "20")
    terminal.shows("Grow with me", without="SESSION PROJ")
    assert max(map(len, terminal.screen.splitlines())) <= 59


def test_the_browser_is_led_to_the_page_of_the_session_under_the_cursor(
    house: Supervised, tmp_path: Path
) -> None:
    env = {**house.ground.env, "DISPLAY": "", "WAYLAND_DISPLAY": ""}
    with pane(tmp_path, env, 200, 30) as terminal:
        terminal.tmux("set-option", "-s", "set-clipboard", "on")
        board(terminal, house)
        session = asking(house, terminal, "Look at me elsewhere")
        terminal.keys("b")
        terminal.shows("copied http://127.0.0.1", f"next=%2Fs%2F{session}")
        link = re.search(r"http://\S+", terminal.screen)
        assert link is not None
        assert terminal.tmux("show-buffer") == link[0]


@pytest.mark.parametrize("plain", [False, True], ids=["in colours", "NO_COLOR"])
def test_what_is_pasted_is_neither_sent_nor_taken_for_keys(
    house: Supervised, tmp_path: Path, plain: bool
) -> None:
    """In tmux, which says of nothing whether it has it."""
    env = {**house.ground.env, **({"NO_COLOR": "1"} if plain else {})}
    with pane(tmp_path, env, 100, 24) as terminal:
        board(terminal, house)
        session = asking(house, terminal, f"Paste into me{' plainly' * plain}")
        terminal.tmux("set-buffer", "i\nKK\nqm\n")
        terminal.tmux("paste-buffer", "-p")
        terminal.shows("nothing is typed here", "? help")
        terminal.keys("a")
        terminal.shows("answer (")
        terminal.tmux("paste-buffer", "-p")
        terminal.shows(": i KK qm")
        assert house.session(session)["word"] == "asks"
        terminal.keys("Escape")


def test_a_click_selects_a_row_and_the_wheel_moves_on_from_it(
    house: Supervised, terminal: Pane
) -> None:
    titles = ("Click on number 1", "Click on number 2")
    for title in titles:
        house.spawn(title, "asking")
    # where they stay: a click is on what stands there when it comes
    eventually(lambda: all("asks" in terminal.line(title) for title in titles), 30, "both ask")

    def on(title: str, button: int) -> None:
        lines = terminal.screen.splitlines()
        line = next(at for at, line in enumerate(lines, 1) if title in line)
        pressed = f"\x1b[<{button};20;{line}M".encode()
        terminal.tmux("send-keys", "-H", *(f"{byte:02x}" for byte in pressed))

    for title in ("Click on number 2", "Click on number 1", "Click on number 2"):
        on(title, 0)
        eventually(lambda t=title: t in terminal.line("▌"), 30, f"{title} is selected")  # type: ignore[misc]
    on("Click on number 2", 64)  # the wheel, up
    eventually(lambda: "Click on number 2" not in terminal.line("▌"), 30, "it moved on")


def test_without_a_terminal_it_speaks_in_sentences_and_takes_lines(house: Supervised) -> None:
    session = house.spawn("Plainly", "asking")
    house.becomes(session, "working")
    eventually(lambda: house.session(session)["turn"] == "you", 30, "it asks")
    lines = f"list t:you\n{session}\nanswer {session} 2\n"
    ended = house.ground.ennio("board", "--plain", given=f"{lines}")
    assert ended.code == 0, ended.err
    assert f"{session} (asking), Plainly. waits for you, asks" in ended.out
    assert f"done: ennio answer {session} 2" in ended.out
