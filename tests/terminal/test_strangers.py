"""Who may not open a terminal, and which terminals nobody opens."""

from __future__ import annotations

import http.client
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.e2e.house import Supervised
from tests.terminal.watching import address

FOREIGN = "http://evil.example"


@pytest.fixture(scope="module")
def cookie(house: Supervised) -> str:
    """That of a browser which a person has let in."""
    code = house.client.post("/auth/code")["code"]
    host, port = house.client.url.removeprefix("http://").split(":")
    asked = http.client.HTTPConnection(host, int(port), timeout=20)
    asked.request("GET", f"/auth?code={code}", headers={"Host": f"{host}:{port}"})
    given = asked.getresponse().getheader("Set-Cookie") or ""
    asked.close()
    return given.partition(";")[0]


def _refused(house: Supervised, session_id: str, **other: Any) -> int:
    with pytest.raises(InvalidStatus) as refused, connect(**address(house, session_id, **other)):
        pass
    return refused.value.response.status_code


@pytest.mark.parametrize("session", ["tmux"], indirect=True)
def test_incident_43_no_page_but_ours_opens_a_terminal_and_nobody_one_that_is_no_session(
    house: Supervised, session: str, cookie: str
) -> None:
    by_cookie = {"additional_headers": {"Cookie": cookie}}
    # a page of somebody else's brings the cookie along, and its own origin
    assert _refused(house, session, **by_cookie, origin=FOREIGN) == 403
    assert _refused(house, session, **by_cookie, origin="null") == 403
    assert _refused(house, session, **by_cookie) == 403
    assert _refused(house, session, origin=FOREIGN) == 403
    assert _refused(house, session, additional_headers={}) == 401
    # another terminal of the same person, also on our own server of tmux
    assert house.ground.tmux("new-session", "-d", "-s", "private", "cat").returncode == 0
    for name in ("private", "tm-00000000", f"{session}%3A0", "%3Dprivate", "..%2Fprivate"):
        assert _refused(house, name) in (400, 404), name
    assert not house.ground.tmux("capture-pane", "-p", "-t", "private").stdout.strip()
    house.ground.tmux("kill-session", "-t", "private")
    ours = {"additional_headers": {"Cookie": cookie}, "origin": house.client.url}
    with connect(**address(house, session, **ours)) as socket:
        assert socket.subprotocol
