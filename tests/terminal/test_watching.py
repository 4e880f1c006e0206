"""An agent's terminal over a WebSocket: seen as it changes, typed into, cut and found again."""

from __future__ import annotations

from tests.e2e.house import Supervised
from tests.terminal.watching import watching


def test_a_screen_appears_and_what_comes_after_it(house: Supervised, session: str) -> None:
    with watching(house, session) as one:
        one.sees("$ ")
        state = one.hears("state")
        assert (state["cols"], state["rows"], state["alive"]) == (200, 50, True)
        control = house.client.post(f"/sessions/{session}/control", {"by": "Lena"})["control"]
        one.say("control", control=control)
        one.say("key", data="echo $((6*7))\r", id=1)
        one.hears("typed", id=1)
        one.sees("42")
