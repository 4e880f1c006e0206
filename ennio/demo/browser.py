"""The demo in a browser: opened before the story begins, and left standing when it is over."""

from __future__ import annotations

import select
import sys
import webbrowser
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ennio.demo.screen import DemoScreen
from ennio.http.client import ApiClient

LOOK = 1.0
STAYS = "the story is over; the page stays until you press Enter here"


def show(client: ApiClient, say: Callable[[str, str], None]) -> None:
    """Open the page, logged in; where no browser is, the link is there to be followed."""
    code = client.post("/auth/code")["code"]
    url = f"{client.url}/auth?code={code}"
    say("demo", f"the same in a browser: {url}")
    webbrowser.open(url)


def stay(screen: DemoScreen, sessions: Callable[[], Sequence[Mapping[str, Any]]]) -> None:
    """Keep everything running until Enter; not where nobody can press it."""
    if not sys.stdin.isatty():
        return
    screen.say("demo", STAYS)
    while not select.select([sys.stdin], [], [], LOOK)[0]:
        screen.show(sessions())
    sys.stdin.readline()
