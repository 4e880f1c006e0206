"""A forge in trouble for an hour: whatever it answers nothing is believed of it, little is asked, and afterwards all is seen again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from ennio.clock import ManualClock
from ennio.facts import Sighting
from ennio.plugins.scm.github.forge import GitHubForge
from ennio.pulls import CheckState
from tests.github.conftest import clock, forge, hub, make, server
from tests.github.standin import server as standin
from tests.github.standin.hub import Hub, Run
from tests.github.test_figures import TICK, crowd

__all__ = ["clock", "forge", "hub", "make", "server"]

HOUR = 3600
MOST = 400  # requests in an hour of trouble; a poll that minds nothing makes 720
LIMITED = '{"message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."}'

Answer = tuple[int, str, Mapping[str, str]]
TROUBLE: Mapping[str, Answer] = {
    "500": (500, '{"message": "Server Error"}', {}),
    "502": (502, "<html><h1>502 Bad Gateway</h1></html>", {"Content-Type": "text/html"}),
    "garbage": (200, "\x00\x01 no JSON at all }{", {}),
    "another-shape": (200, '{"data": {"repository": 7}, "errors": "none"}', {}),
    "a-list": (200, "[]", {}),
    "null": (200, "null", {}),
    "half": (200, '{"data": {"repository": {"pullRe', {"Content-Length": "5000"}),
    "403": (403, LIMITED, {}),
    "403-retry-after": (403, LIMITED, {"Retry-After": "300"}),
    "429": (429, LIMITED, {}),
    "429-retry-after": (429, LIMITED, {"Retry-After": "300"}),
    "429-retry-after-nonsense": (429, LIMITED, {"Retry-After": "soon"}),
}


@pytest.fixture
def trouble(monkeypatch: pytest.MonkeyPatch, hub: Hub) -> Callable[[Answer | None], None]:
    """What the forge answers from now on, whatever is asked; None: as it should."""
    answer: list[Answer | None] = [None]
    well = standin._Handler._api

    def api(self: Any, path: str, raw: bytes) -> None:
        if answer[0] is None:
            well(self, path, raw)
            return
        status, body, headers = answer[0]
        hub.requests.append((hub.clock.now(), self.command, path, status))
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body.encode())
        self.close_connection = True

    def chosen(given: Answer | None) -> None:
        answer[0] = given

    monkeypatch.setattr(standin._Handler, "_api", api)
    return chosen


@pytest.mark.parametrize("kind", list(TROUBLE))
def test_an_hour_of_trouble_is_an_hour_of_not_knowing(
    hub: Hub, forge: GitHubForge, clock: ManualClock, trouble: Callable[[Answer | None], None], kind: str
) -> None:
    watches = crowd(hub, 20)
    assert {seen.sighting for seen in forge.survey(watches).values()} == {Sighting.ALIVE}
    head = hub.pulls[1].head
    trouble(TROUBLE[kind])
    hub.run(head, Run("lint", conclusion="FAILURE", app="other"))
    forge.nudge(None)
    asked, sure = len(hub.requests), 0
    for number in range(int(HOUR / TICK)):
        found = forge.survey(watches)
        assert set(found) == {watch.session_id for watch in watches}
        sure += sum(1 for seen in found.values() if seen.sighting is Sighting.GONE)
        if number > 60:  # past what was seen before and still holds
            assert {seen.sighting for seen in found.values()} == {Sighting.UNKNOWN}
            assert all(seen.detail for seen in found.values())
        clock.advance(TICK)
    asked = len(hub.requests) - asked
    print(f"{kind}: {asked} requests in the hour")
    assert sure == 0, "what cannot be asked is not gone"
    assert 0 < asked <= (HOUR / 300 + 2 if kind.endswith("retry-after") else MOST)
    trouble(None)
    for _ in range(int(400 / TICK)):
        found = forge.survey(watches)
        clock.advance(TICK)
    assert {seen.sighting for seen in found.values()} == {Sighting.ALIVE}
    assert {seen.pull.checks for seen in found.values() if seen.pull} == {CheckState.FAILING}, "what happened meanwhile is seen"
