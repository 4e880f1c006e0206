"""Who gets in: tokens, hosts, origins, browsers."""

from __future__ import annotations

import dataclasses

import pytest

from ennio.http.app import create_app
from ennio.http.auth import HostNames
from ennio.http.browser import Browsers
from ennio.model.clock import ManualClock
from ennio.model.errors import Unauthorized
from tests.http.api import TOKEN, Api
from tests.http.small_orchestrator import SmallOrchestrator

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def over(orchestrator: SmallOrchestrator, **changes: object) -> Api:
    orchestrator.config = dataclasses.replace(orchestrator.config, **changes)
    return Api(create_app(orchestrator, TOKEN))


def test_health_is_open_and_everything_else_needs_the_token(api: Api) -> None:
    assert api.get("/health", headers={"Authorization": ""}) == "ok"
    for path in (
        "/sessions",
        "/events",
        "/events/stream",
        "/openapi.json",
        "/nowhere",
        "/health/more",
        "/config",
    ):
        assert "token" in api.get(path, 401, headers={"Authorization": ""})["error"]


WRONG = [
    "Bearer",
    "Bearer ",
    "Bearer wrong",
    f"Basic {TOKEN}",
    TOKEN,
    "Bearer t0ke",
    "Bearer t0ken2",
    "Bearer \xe4",
]


@pytest.mark.parametrize("header", WRONG)
def test_a_wrong_token_is_refused(api: Api, header: str) -> None:
    answer = api.ask("GET", "/sessions", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_the_scheme_may_be_written_in_any_case(api: Api) -> None:
    assert api.get("/sessions", headers={"Authorization": f"bearer  {TOKEN}"}) == []


def test_incident_42_a_web_page_cannot_start_an_agent(
    api: Api, orchestrator: SmallOrchestrator
) -> None:
    evil = {"Origin": "http://evil.example", "Authorization": ""}
    body = '{"project_id": "my-app", "prompt": "rm -rf"}'
    assert api.ask("POST", "/sessions", body=body, headers={**evil, **FORM}).status_code == 403
    assert (
        api.ask("POST", "/sessions", body=body, headers={**FORM, "Authorization": ""}).status_code
        == 401
    )
    assert api.ask("POST", "/sessions", body=body, headers=FORM).status_code == 415
    assert (
        api.ask("POST", "/sessions", body=body, headers={"Content-Type": "text/plain"}).status_code
        == 415
    )
    assert len(orchestrator.store.sessions.list()) == 0


@pytest.mark.parametrize(
    ("host", "fine"),
    [
        ("localhost", True), ("localhost:3000", True), ("LOCALHOST:8080", True), ("127.0.0.1:3000", True), ("[::1]:3000", True),
        ("evil.example", False), ("localhost.evil.example", False), ("127.0.0.1.evil.example", False), ("", False),
        ("localhost@evil.example", False), ("localhost:3000,evil.example", False), ("10.0.0.7", False), ("localhost:999999", False),
    ],
)  # fmt: skip
def test_only_our_own_host_names_are_answered(api: Api, host: str, fine: bool) -> None:
    assert api.ask("GET", "/sessions", headers={"Host": host}).status_code == (200 if fine else 421)


def test_a_server_on_every_address_answers_to_addresses_and_its_own_name_but_not_to_any_name() -> (
    None
):
    hosts = HostNames("0.0.0.0")  # noqa: S104
    assert hosts.answer_to("192.168.1.7:3000")
    assert hosts.answer_to("[fe80::1]:3000")
    assert not hosts.answer_to("evil.example")
    assert HostNames("ennio.lan").answer_to("ennio.lan:3000")
    assert not HostNames("ennio.lan").answer_to(None)


def test_the_address_to_which_links_lead_is_a_name_of_ours() -> None:
    hosts = HostNames("127.0.0.1", "https://Team.example:8443/x")
    assert hosts.answer_to("team.example")
    assert hosts.answer_to("team.example:8443")
    assert not hosts.answer_to("evil.example")
    for odd in ("", "https://", "nonsense"):
        assert not HostNames("127.0.0.1", odd).answer_to("")


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "null",
        "http://localhost:8080",
        "file://",
        "http://localhost:3000.evil.example",
    ],
)
def test_foreign_origins_are_refused_even_with_the_token_and_on_the_stream(
    api: Api, origin: str
) -> None:
    for path in ("/sessions", "/events/stream"):
        answer = api.ask("GET", path, headers={"Origin": origin})
        assert answer.status_code == 403
        assert "Access-Control-Allow-Origin" not in answer.headers


def test_our_own_origin_is_fine_and_without_cors_origins_no_cors_header_is_sent(api: Api) -> None:
    answer = api.ask("GET", "/sessions", headers={"Origin": "http://localhost:3000"})
    assert answer.status_code == 200
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]


def test_a_configured_origin_may_read_and_asks_first(orchestrator: SmallOrchestrator) -> None:
    api = over(orchestrator, cors_origins=("https://dash.example/",))
    answer = api.ask("GET", "/sessions", headers={"Origin": "https://dash.example"})
    assert answer.headers["Access-Control-Allow-Origin"] == "https://dash.example"
    assert answer.headers["Access-Control-Expose-Headers"] == "ETag, Ennio-Last-Known"
    asked = api.ask(
        "OPTIONS",
        "/sessions",
        headers={
            "Origin": "https://dash.example",
            "Access-Control-Request-Method": "POST",
            "Authorization": "",
        },
    )
    assert asked.status_code == 204
    assert asked.headers["Access-Control-Allow-Methods"] == "GET, POST, DELETE"
    allowed = set(asked.headers["Access-Control-Allow-Headers"].split(", "))
    assert {
        "Authorization",
        "Content-Type",
        "Idempotency-Key",
        "If-None-Match",
        "Last-Event-ID",
    } <= allowed
    evil = {"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"}
    assert api.ask("OPTIONS", "/sessions", headers=evil).status_code == 403


def test_options_without_a_preflight_names_the_methods(api: Api) -> None:
    answer = api.ask("OPTIONS", "/sessions")
    assert answer.status_code == 200
    assert {"GET", "POST"} <= set(answer.headers["Allow"].split(", "))


def test_answers_are_kept_out_of_caches(api: Api) -> None:
    assert api.ask("GET", "/sessions").headers["Cache-Control"] == "no-store"
    assert (
        api.ask("GET", "/sessions", headers={"Authorization": ""}).headers["X-Content-Type-Options"]
        == "nosniff"
    )


def test_a_browser_trades_a_code_for_a_cookie_and_is_known_by_it(api: Api) -> None:
    code = api.post("/auth/code")["code"]
    visit = api.ask("GET", "/auth", params={"code": code}, headers={"Authorization": ""})
    assert (visit.status_code, visit.headers["Location"]) == (303, "/")
    cookie = visit.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    known = {"Cookie": cookie.split(";")[0], "Authorization": ""}
    assert api.get("/sessions", headers=known) == []
    assert api.ask("GET", "/auth", params={"code": code}).status_code == 401
    own = {**known, "Origin": "http://localhost:3000"}
    assert (
        api.ask(
            "POST", "/sessions", headers=own, json={"project_id": "my-app", "prompt": "x"}
        ).status_code
        == 200
    )


def test_a_cookie_alone_changes_nothing_without_our_origin(api: Api) -> None:
    visit = api.ask("GET", "/auth", params={"code": api.post("/auth/code")["code"]})
    known = {"Cookie": visit.headers["Set-Cookie"].split(";")[0], "Authorization": ""}
    assert api.ask("POST", "/shutdown", headers=known).status_code == 401
    assert (
        api.ask(
            "POST", "/shutdown", headers={**known, "Origin": "http://localhost:8080"}
        ).status_code
        == 403
    )


def test_codes_and_cookies_end() -> None:
    clock = ManualClock()
    browsers = Browsers(TOKEN, 3000, clock)
    late, used = browsers.code(), browsers.code()
    cookie = {browsers.cookie: browsers.trade(used)}
    assert browsers.knows(cookie)
    assert not Browsers("another", 3000, clock).knows(cookie)
    assert not browsers.knows({browsers.cookie: cookie[browsers.cookie] + "0"})
    clock.advance(61)
    with pytest.raises(Unauthorized):
        browsers.trade(late)
    clock.advance(24 * 3600)
    assert not browsers.knows(cookie)


def test_codes_do_not_pile_up() -> None:
    browsers = Browsers(TOKEN, 3000, ManualClock())
    first = browsers.code()
    for _ in range(20):
        browsers.code()
    with pytest.raises(Unauthorized):
        browsers.trade(first)


@pytest.mark.parametrize(
    "wrong", ["//evil.example", "/\\evil.example", "https://evil.example", "x", "/a\nb", ""]
)
def test_a_link_leads_on_to_nothing_but_a_path_of_ours(api: Api, wrong: str) -> None:
    code = api.post("/auth/code")["code"]
    refused = api._client.simulate_get("/auth", params={"code": code, "next": wrong})
    assert refused.status_code == 400, refused.text
    visit = api._client.simulate_get("/auth", params={"code": code, "next": "/s/ma-1/pr?line=3"})
    assert (visit.status_code, visit.headers["location"]) == (303, "/s/ma-1/pr?line=3")
