"""The pictures of README and docs, taken of what really runs: ``python -m tests.pictures [FOLDER]``.

The demo; then a supervisor with scripted agents in each kind of turn, its page in Chromium, its
board in tmux.
"""

from __future__ import annotations

import html
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

from tests.board.pane import Pane, pane
from tests.conftest import eventually
from tests.dashboard.browsing import PHONE, browsing, log_in, visitor
from tests.e2e.house import ROOT, Ground, Supervised, project, story, supervised, turn

WIDE = {"width": 1360, "height": 860}
CHECK = "if grep -rq TODO src; then echo 'AssertionError: src still says TODO'; exit 1; fi\n"
BURN = {"burn": {"input": 12_000, "output": 900, "cost": "0.21"}}
ASK = {
    "question": "Run `npm install express-rate-limit`?",
    "options": ["Yes", "Yes, and do not ask again", "No"],
}


def _work(file: str, text: str) -> list[Any]:
    return [{"edit": {"file": file, "content": text}}, {"commit": f"Change {file}"}, "push", BURN]


TURNS = (
    turn("prompt", [BURN, {"say": "A limiter is missing."}, {"ask": ASK}], "login form"),
    turn("prompt", [*_work("src/dates.py", "import datetime\n" * 9)], "flaky date"),
    turn("prompt", [*_work("src/export.py", "# TODO: the button\n")], "export button"),
    turn("prompt", [BURN, {"think": 2400}], "Retry webhooks"),
    turn("prompt", [BURN, {"think": 2400}], "big controller"),
    turn("prompt", [*_work("README.md", "# My app\n\nIt works.\n")], "typo"),
    turn("prompt", [{"think": 2400}], "Remove the old"),
    turn("message", [{"think": 2400}]),
)
PROMPTS = (
    "Rate-limit the login form",
    "Fix the flaky date test in CI",
    "Add an export button",
    "Retry webhooks with jitter",
    "Split the big controller",
    "Fix the typo in the footer",
)


def _project(ground: Ground) -> dict[str, Any]:
    checks = [{"name": "test", "run": "sh check.sh", "timeout": 60}]
    return project(
        ground,
        "my-app",
        agent_config=story(*TURNS, speed=6),
        scm_config={"plugin": "local", "config": {"checks": checks}},
    )


def _settle(house: Supervised) -> dict[str, str]:
    """One session for each of the prompts, in its turn; which is which."""
    made = {prompt: house.spawn(prompt, "my-app") for prompt in PROMPTS}
    house.spawn("Remove the old bundler", "my-app", held=True)
    typo = made["Fix the typo in the footer"]
    eventually(lambda: house.session(typo)["word"] == "merge", 60, "it can be merged")
    number = house.session(typo)["pr_number"]
    house.client.post(f"/projects/my-app/pulls/{number}/merge", {})
    wanted = {
        "Rate-limit the login form": "asks",
        "Fix the flaky date test in CI": "merge",
        "Add an export button": "fixes",
        "Retry webhooks with jitter": "works",
        "Fix the typo in the footer": "merged",
    }
    for prompt, word in wanted.items():
        eventually(lambda p=prompt, w=word: house.session(made[p])["word"] == w, 90, f"{prompt}")
    return made


def _pages(browser: Browser, house: Supervised, made: dict[str, str], folder: Path) -> None:
    asks = made["Rate-limit the login form"]
    dark: dict[str, Any] = {"color_scheme": "dark"}
    with visitor(browser, house, viewport=WIDE, **dark) as context:
        _take(log_in(context.new_page(), house), folder / "now-dark.png")
    with visitor(browser, house, viewport=WIDE) as context:
        page = log_in(context.new_page(), house, f"/s/{asks}/terminal")
        page.locator(".xterm-rows, .xterm-screen").first.wait_for()
        _take(page, folder / "session-light.png")
    with visitor(browser, house, viewport=PHONE, has_touch=True, **dark) as context:
        _take(log_in(context.new_page(), house), folder / "now-phone.png")


def _take(page: Page, place: Path) -> None:
    page.get_by_text("live").first.wait_for()
    page.wait_for_timeout(1500)  # nothing moves after that
    page.screenshot(path=place)


def _board(browser: Browser, house: Supervised, folder: Path) -> None:
    columns, lines = 150, 42
    with (
        tempfile.TemporaryDirectory() as place,
        pane(Path(place), house.ground.env, columns, lines) as terminal,
    ):
        terminal.run(house.ground.command("--config", str(house.ground.config), "board"))
        terminal.shows("YOUR TURN", "asks", "merge", "help")
        terminal.keys("Space")
        terminal.shows("[why]", "Ready. Type a prompt", without="asking ...")
        _photograph(browser, terminal, columns, lines, folder / "board.png")


def _demo(browser: Browser, folder: Path) -> None:
    columns, lines = 120, 32
    with (
        tempfile.TemporaryDirectory() as place,
        pane(Path(place), dict(os.environ), columns, lines) as terminal,
    ):
        terminal.run((str(ROOT / "bin" / "ennio"), "demo"))
        terminal.shows("#1 is merged", "a person is called")
        _photograph(browser, terminal, columns, lines, folder / "demo.png")
        terminal.shows("All that should merge has merged.")


def _photograph(browser: Browser, terminal: Pane, columns: int, lines: int, place: Path) -> None:
    text = terminal.tmux("capture-pane", "-p", "-e")
    page = browser.new_page(viewport={"width": 20 + columns * 9, "height": 24 + lines * 18})
    page.set_content(_as_html(text))
    page.screenshot(path=place)
    page.close()


_SGR = re.compile(r"\x1b\[([0-9;]*)m")
_ENDS = {22: ("font-weight", "opacity"), 39: ("color",), 49: ("background",)}
_COLOURS = (
    *("#16191d", "#ff5d52", "#2fd39b", "#ffb020"),
    *("#4ea8f0", "#c792ea", "#5fd7d7", "#e6e9ec"),
)


def _as_html(text: str) -> str:
    """What a terminal shows, for a camera."""
    look: dict[str, str] = {}
    out = []
    for at, part in enumerate(_SGR.split(text)):
        if at % 2:
            _apply(part, look)
            continue
        style = ";".join(f"{name}:{value}" for name, value in look.items())
        out.append(f"<span style='{style}'>{html.escape(part)}</span>")
    return (
        "<body style='margin:0;background:#0f1317;color:#e6e9ec'><pre style='margin:12px 10px;"
        f'font:15px/18px "DejaVu Sans Mono",monospace\'>{"".join(out)}</pre>'
    )


def _apply(codes: str, look: dict[str, str]) -> None:
    numbers = [int(code or 0) for code in codes.split(";")]
    while numbers:
        number = numbers.pop(0)
        if number == 0:
            look.clear()
        elif number == 1:
            look["font-weight"] = "bold"
        elif number == 2:
            look["opacity"] = "0.7"
        elif number in _ENDS:
            for name in _ENDS[number]:
                look.pop(name, None)
        elif number == 7:
            look |= {"background": look.get("color", "#e6e9ec"), "color": "#0f1317"}
        elif number in (38, 48):
            kind, rest = numbers[0], 4 if numbers[0] == 2 else 2
            given, numbers = numbers[1:rest], numbers[rest:]
            name = "color" if number == 38 else "background"
            look[name] = f"rgb({','.join(map(str, given))})" if kind == 2 else _indexed(given[0])
        elif 30 <= number <= 37:
            look["color"] = _COLOURS[number - 30]
        elif 90 <= number <= 97:
            look["color"] = _COLOURS[number - 90]


def _indexed(number: int) -> str:
    if number < 16:
        return _COLOURS[number % 8]
    if number >= 232:
        grey = 8 + 10 * (number - 232)
        return f"rgb({grey},{grey},{grey})"
    red, rest = divmod(number - 16, 36)
    return "rgb({},{},{})".format(*(0 if v == 0 else 55 + 40 * v for v in (red, *divmod(rest, 6))))


def main() -> None:
    """Take them all."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/pictures")
    folder.mkdir(parents=True, exist_ok=True)
    files = {"README.md": "# My app\n", "check.sh": CHECK, "src.txt": "sources\n"}
    with (
        tempfile.TemporaryDirectory() as root,
        browsing() as browser,
        supervised(Path(root), _project, files=files) as house,
    ):
        _demo(browser, folder)
        made = _settle(house)
        _board(browser, house, folder)
        _pages(browser, house, made, folder)
        for session, row in house.sessions().items():
            if row["turn"] != "over":
                house.client.delete(f"/sessions/{session}")


if __name__ == "__main__":
    main()
