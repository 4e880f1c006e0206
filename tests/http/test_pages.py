"""Where the links of notices lead a browser."""

from __future__ import annotations

import re
from html import unescape

import falcon.testing
import pytest

from ennio.cli.parser import understand
from ennio.config.reactions import KEYS
from ennio.policy import notices
from tests.http.api import Api

HTML = {"Authorization": "", "Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}


def _visit(api: Api, path: str, **headers: str) -> falcon.testing.Result:
    return api._client.simulate_get(path, headers=HTML | headers)


def _commands(page: str) -> list[str]:
    return [unescape(one) for one in re.findall("<code>([^<]+)</code>", page)]


@pytest.mark.parametrize("key", [*KEYS, "disk-low"])
def test_the_link_of_every_notice_leads_to_commands_that_can_be_given(api: Api, key: str) -> None:
    path = notices.page("", "ma-1" if key != "disk-low" else "", "my-app", key)
    answer = _visit(api, path)
    assert answer.status_code == 401, "nobody is let in by it"
    assert answer.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    found = _commands(answer.text)
    assert found
    assert all(understand(one.removeprefix("ennio ").split()) for one in found)
    assert ("ma-1" in answer.text) == path.startswith("/s/")


def test_a_page_first_names_what_its_notice_was_about(api: Api) -> None:
    firsts = {tab: _commands(_visit(api, f"/s/ma-1{tab}").text)[0] for tab in ("/terminal", "/pr")}
    assert firsts == {"/terminal": "ennio open ma-1", "/pr": "ennio pr show ma-1"}


@pytest.mark.parametrize(
    "path", ["/s/<script>", "/s/a b", "/s/ma-1/../x", "/s/", "/p/a&b", "/s/ma-1/else", "/sessions"]
)
def test_what_is_no_link_of_ours_is_no_page(api: Api, path: str) -> None:
    answer = _visit(api, path)
    assert answer.json["code"] == 401


def test_programs_and_those_who_change_things_see_no_page(api: Api) -> None:
    for headers in ({"Accept": "*/*"}, {"Accept": "application/json"}):
        assert _visit(api, "/s/ma-1", **headers).json["code"] == 401
    for method in ("POST", "DELETE", "PUT"):
        answer = api._client.simulate_request(method, "/s/ma-1", headers=HTML)
        assert answer.json["code"] == 401
    foreign = _visit(api, "/s/ma-1", Host="evil.example")
    assert foreign.json["code"] == 421


def test_a_browser_that_was_let_in_is_shown_the_page_it_was_led_to(api: Api) -> None:
    code = api.post("/auth/code")["code"]
    visit = api._client.simulate_get(f"/auth?code={code}", headers=HTML)
    (cookie,) = visit.cookies.values()
    shown = _visit(api, visit.headers["location"], Cookie=f"{cookie.name}={cookie.value}")
    assert shown.status_code == 200
    assert "ennio status" in _commands(shown.text)
