"""The doors of a supervisor that really runs: what listens, who gets in, and who
does not however they knock.
"""

from __future__ import annotations

import http.client
import json
import re
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ennio.http import address
from ennio.http.auth import OPEN
from ennio.http.openapi.document import document
from tests.e2e.house import OVER
from tests.properties import examples
from tests.security.ground import LivedIn, lived_in

FORM = "Content-Type: application/x-www-form-urlencoded"
SPAWN = '{"project_id": "score", "prompt": "rm -rf ~"}'


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivedIn]:
    """One house for all of them: nobody who knocks here may change anything."""
    with lived_in(tmp_path_factory.mktemp("doors")) as made:
        yield made


@pytest.fixture
def untouched(found: LivedIn) -> Iterator[LivedIn]:
    """The same house; afterwards nothing in it has begun, ended or been told."""
    before = _state(found)
    yield found
    assert _state(found) == before


def _state(found: LivedIn) -> Any:
    """What a stranger could have changed; what goes on by itself is no part of it."""
    client = found.house.client
    told = [
        each["id"]
        for session in found.sessions
        for each in client.get(f"/sessions/{session}/messages")
        if each["origin"] == "person"
    ]
    ended = [session["status"] in OVER for session in found.house.sessions().values()]
    return (
        sorted(found.house.sessions()),
        ended,
        told,
        [each["session_id"] for each in client.get("/queue")],
        len(client.get("/pulls")),
    )


def _place(found: LivedIn) -> tuple[str, int, str]:
    url = json.loads(found.house.run_file(address.ADDRESS).read_text())["url"]
    host, _, port = str(url).removeprefix("http://").rpartition(":")
    return host, int(port), found.house.run_file(address.TOKEN).read_text().strip()


def knock(
    found: LivedIn,
    method: str,
    target: str,
    *headers: str,
    body: str = "",
    host: str | None = "localhost",
) -> tuple[int, str]:
    """One request as these very bytes, for nobody's library to tidy up; status
    and all that was answered.
    """
    at, port, _ = _place(found)
    given = [
        f"{method} {target} HTTP/1.1",
        *([f"Host: {host}"] if host is not None else []),
        *headers,
        "Connection: close",
    ]
    if body:
        given.append(f"Content-Length: {len(body.encode())}")
    with socket.create_connection((at, port), timeout=20) as door:
        door.sendall("\r\n".join([*given, "", body]).encode("latin-1"))
        answer = http.client.HTTPResponse(door, method=method)
        answer.begin()
        return answer.status, answer.read().decode("utf-8", "replace")


def bearer(found: LivedIn) -> str:
    return f"Authorization: Bearer {_place(found)[2]}"


def every_operation(found: LivedIn) -> list[tuple[str, str]]:
    """Each documented method and path, about what really is there."""
    real = {
        "session_id": found.worker,
        "item_id": found.worker,
        "project_id": "score",
        "number": "1",
        "name": "nobody",  # a channel for notices
        "node": "here",
        "check": "unit",
    }
    return [
        (method.upper(), re.sub(r"\{(\w+)\}", lambda name: real[name[1]], path))
        for path, item in document()["paths"].items()
        for method in item
        if method != "parameters" and path not in OPEN
    ]


# --- what listens ---------------------------------------------------------------------------------


def test_nothing_of_ennio_listens_but_one_port_of_loopback(found: LivedIn) -> None:
    host, port, _ = _place(found)
    ground = found.house.ground
    tmux = int(ground.tmux("display-message", "-p", "#{pid}").stdout)
    listening = {
        (process.name(), *each.laddr)
        for process in map(psutil.Process, {*ground.processes(), tmux})
        for each in process.net_connections("inet")
        if each.status == psutil.CONN_LISTEN or each.type == socket.SOCK_DGRAM
    }
    assert {each[1:] for each in listening} == {(host, port)}, listening
    assert host == "127.0.0.1"


def test_from_another_address_of_this_machine_nobody_gets_through(found: LivedIn) -> None:
    others = {
        each.address
        for addresses in psutil.net_if_addrs().values()
        for each in addresses
        if each.family == socket.AF_INET
    }
    for other in (others | {"127.0.0.2"}) - {"127.0.0.1"}:
        with (
            pytest.raises(OSError, match=r"refused|unreachable|timed out"),
            socket.create_connection((other, _place(found)[1]), timeout=5),
        ):
            pass


def test_unix_sockets_lie_in_folders_only_their_owner_can_enter(found: LivedIn) -> None:
    ground = found.house.ground
    words = Path("/proc/net/unix").read_text(encoding="utf-8", errors="replace").split()
    ours = [
        Path(word)
        for word in words
        if word.startswith(str(ground.home)) or word.endswith(f"/{ground.socket}")
    ]
    assert ours, "the terminals of a house are behind a socket"
    for path in ours:
        assert any(parent.stat().st_mode & 0o077 == 0 for parent in path.parents), path


# --- the token ------------------------------------------------------------------------------------


def _wrong(token: str) -> list[str]:
    """Everything that looks like the token and is none."""
    worn = [
        token[:-1],
        f"{token}0",
        token.swapcase(),
        f"{token}\t{token}",
        f"{token},{token}",
        f'"{token}"',
        "",
        "null",
        "\xe9" * 20,
    ]
    said = [f"Authorization: Bearer {each}" for each in worn]
    elsewhere = [
        f"X-Api-Key: {token}",
        f"Cookie: token={token}; Authorization={token}",
        f"Proxy-Authorization: Bearer {token}",
    ]
    said += [f"Authorization: Basic {token}", f"Authorization: {token}"]
    return [*said, *elsewhere, "X-Forwarded-For: 127.0.0.1", "X-Forwarded-User: root"]


def test_no_operation_is_done_without_the_token(untouched: LivedIn) -> None:
    tried = every_operation(untouched)
    assert len(tried) > 40
    for method, path in tried:
        assert knock(untouched, method, path)[0] == 401, (method, path)


def test_nothing_that_resembles_the_token_is_taken_for_it(untouched: LivedIn) -> None:
    token = _place(untouched)[2]
    for wrong in _wrong(token):
        assert knock(
            untouched,
            "POST",
            "/api/v1/sessions",
            wrong,
            "Content-Type: application/json",
            body=SPAWN,
        )[0] in (400, 401), wrong
    assert knock(untouched, "GET", f"/api/v1/sessions?token={token}&access_token={token}")[0] == 401
    double = (f"Authorization: Bearer {token}x", f"Authorization: Bearer {token}")
    assert knock(untouched, "GET", "/api/v1/sessions", *double)[0] in (400, 401)


@pytest.mark.parametrize(
    "target",
    [
        "/api/v1/health/../sessions", "/api/v1/health/%2e%2e/sessions", "//api/v1/sessions", "/api/v1//sessions",
        "/api/v1/health;/../sessions", "/api/v1/sessions;x=/api/v1/health", "/api/v1/sessions#/api/v1/health",
        "/api/v1/sessions%00/api/v1/health", "/auth/../api/v1/sessions", "/api/v1/webhooks/github/../../sessions", "/API/V1/sessions",
        "/api/v1/sessions%2f", "http://localhost/api/v1/sessions", "/auth/code", "/api/v1/sessions?x=/api/v1/webhooks/github",
        "/api/v1/health%2f..%2fsessions", "/api/v1/../v1/sessions", "/", "*", "/static/../ennio.db",
    ],
)  # fmt: skip
def test_no_way_of_writing_a_path_leads_past_the_gate(found: LivedIn, target: str) -> None:
    for method in ("GET", "POST", "DELETE", "OPTIONS", "HEAD", "TRACE", "CONNECT"):
        status, body = knock(
            found, method, target, "X-Original-URL: /api/v1/health", "X-HTTP-Method-Override: GET"
        )
        assert status in (400, 401), (method, target, status)
        assert found.worker not in body


PIECES = st.sampled_from([
    b"GET /api/v1/sessions HTTP/1.1\r\n", b"POST /api/v1/sessions HTTP/1.1\r\n", b"Host: localhost\r\n", b"Host: evil\r\n", b"\r\n",
    b"\n", b"\r", b"Content-Length: 5\r\n", b"Content-Length: -1\r\n", b"Content-Length: 1e3\r\n", (b"Transfer-Encoding: " b"chunked\r\n"),
    b"5\r\nhello\r\n", b"Transfer-Encoding: chunked, gzip\r\n", b"0\r\n\r\n", b"ffffffffffffffff\r\n", b"Expect: 100-continue\r\n",
    b" folded: x\r\n", b": x\r\n", b"X: \x00\r\n", b"X: \xff\r\n", b"X" * 9000, (b"PRI * HTTP/2.0\r\n" b"\r\nSM\r\n\r\n"),
    b"\x16\x03\x01\x02\x00\x01", b"PROXY TCP4 1 2 3 4\r\n",
])  # fmt: skip


@settings(
    max_examples=examples(200),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(PIECES | st.binary(max_size=20), max_size=8))
def test_no_bytes_whatever_meet_a_5xx_or_are_let_in(
    untouched: LivedIn, pieces: list[bytes]
) -> None:
    at, port, _ = _place(untouched)
    answer = b""
    with socket.create_connection((at, port), timeout=20) as door, suppress(ConnectionError):
        with suppress(OSError):  # a server that has heard enough closes in the middle of it
            door.sendall(b"".join(pieces))
            door.shutdown(socket.SHUT_WR)
        while chunk := door.recv(65536):
            answer += chunk
    statuses = {int(found) for found in re.findall(rb"HTTP/1\.[01] ([0-9]{3}) ", answer)}
    assert statuses <= {100, 400, 401, 404, 405, 408, 413, 414, 415, 417, 421, 431, 501}, answer


# --- pages in a browser ---------------------------------------------------------------------------

FOREIGN = [
    "http://evil.example",
    "null",
    "http://localhost:1",
    "https://localhost:1",
    "file://",
    "chrome-extension://abcdef",
]
REBOUND = [
    "evil.example",
    "evil.example:80",
    "localhost.evil.example",
    "127.0.0.1.nip.io",
    "0",
    "2130706433",
    "0x7f.1",
    "",
]


@pytest.mark.parametrize("host", REBOUND)
def test_a_rebound_name_is_not_answered_even_with_the_token(untouched: LivedIn, host: str) -> None:
    for method, path in (
        ("GET", "/api/v1/sessions"),
        ("POST", "/api/v1/sessions"),
        ("GET", "/api/v1/health"),
        ("GET", "/auth?code=x"),
    ):
        assert knock(untouched, method, path, bearer(untouched), host=host)[0] in (400, 421)
    assert (
        knock(
            untouched,
            "GET",
            "/api/v1/sessions",
            bearer(untouched),
            f"X-Forwarded-Host: {host}",
            host="evil.example",
        )[0]
        == 421
    )


def test_no_host_and_two_hosts_are_no_hosts(untouched: LivedIn) -> None:
    assert knock(untouched, "GET", "/api/v1/sessions", bearer(untouched), host=None)[0] in (
        400,
        421,
    )
    assert knock(untouched, "GET", "/api/v1/sessions", bearer(untouched), "Host: evil.example")[
        0
    ] in (400, 421)


@pytest.mark.parametrize("origin", FOREIGN)
def test_a_foreign_page_is_refused_whatever_it_knows(untouched: LivedIn, origin: str) -> None:
    for media in (FORM, "Content-Type: text/plain", "Content-Type: application/json"):
        status, _ = knock(
            untouched,
            "POST",
            "/api/v1/sessions",
            bearer(untouched),
            media,
            f"Origin: {origin}",
            body=SPAWN,
        )
        assert status == 403
    asked = knock(
        untouched,
        "OPTIONS",
        "/api/v1/sessions",
        f"Origin: {origin}",
        "Access-Control-Request-Method: POST",
    )
    assert asked[0] == 403


@pytest.mark.parametrize(
    "media",
    [FORM, "Content-Type: text/plain", "Content-Type: multipart/form-data; boundary=x", "X: y"],
)
def test_what_a_form_can_send_starts_nothing(untouched: LivedIn, media: str) -> None:
    """Forms send three media types and no header of their own;
    ``text/plain`` can look like JSON.
    """
    assert knock(untouched, "POST", "/api/v1/sessions", media, body=SPAWN)[0] == 401
    assert (
        knock(untouched, "POST", "/api/v1/sessions", bearer(untouched), media, body=SPAWN)[0] == 415
    )


def _cookie(found: LivedIn) -> str:
    """The cookie of a browser that was let in."""
    code = found.house.client.post("/auth/code")["code"]
    at, port, _ = _place(found)
    with socket.create_connection((at, port), timeout=20) as door:
        door.sendall(
            f"GET /auth?code={code} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: "
            "close\r\n\r\n".encode()
        )
        head = door.makefile("rb").read().decode()
    set_cookie = re.search(r"(?i)^set-cookie: (.+)$", head, re.MULTILINE)
    assert set_cookie is not None, head
    assert {"HttpOnly", "SameSite=Strict"} <= set(re.split(r";\s*", set_cookie[1].strip()))
    return f"Cookie: {set_cookie[1].split(';')[0]}"


def test_a_browser_s_cookie_serves_our_own_pages_and_nobody_else(untouched: LivedIn) -> None:
    cookie, port = _cookie(untouched), _place(untouched)[1]
    here = f"localhost:{port}"
    assert (
        knock(
            untouched, "GET", "/api/v1/sessions", cookie, "Sec-Fetch-Site: same-origin", host=here
        )[0]
        == 200
    )
    assert knock(untouched, "GET", "/api/v1/sessions", cookie, host=here)[0] == 200
    # a page of another port of localhost: the browser takes it for the same
    # site, and sends the cookie
    for site in ("same-site", "cross-site", "nonsense"):
        assert (
            knock(
                untouched, "GET", "/api/v1/sessions", cookie, f"Sec-Fetch-Site: {site}", host=here
            )[0]
            == 401
        )
    for origin in FOREIGN:
        assert (
            knock(untouched, "POST", "/api/v1/shutdown", cookie, f"Origin: {origin}", host=here)[0]
            == 403
        )
    assert knock(untouched, "POST", "/api/v1/shutdown", cookie, host=here)[0] == 401
    own = f"Origin: http://{here}"
    assert (
        knock(
            untouched,
            "POST",
            "/api/v1/shutdown",
            cookie,
            own,
            "Sec-Fetch-Site: cross-site",
            host=here,
        )[0]
        == 401
    )
    assert (
        knock(
            untouched,
            "POST",
            "/api/v1/sessions",
            cookie,
            own,
            "Content-Type: text/plain",
            body=SPAWN,
            host=here,
        )[0]
        == 415
    )


def test_a_cookie_somebody_made_is_none(untouched: LivedIn) -> None:
    name, _, value = _cookie(untouched).removeprefix("Cookie: ").partition("=")
    ends, _, signature = value.partition(".")
    signed = [
        f"{int(ends) + 9}.{signature}",
        f"{ends}.",
        f"{ends}.{signature[:-1]}",
        f"{ends}.{signature}0",
    ]
    for each in [*signed, signature, "", ".", f"{'9' * 5000}.x"]:
        assert knock(untouched, "GET", "/api/v1/sessions", f"Cookie: {name}={each}")[0] == 401, each
    assert knock(untouched, "GET", "/api/v1/sessions", f"Cookie: other={value}")[0] == 401


def test_no_connection_is_ever_upgraded_for_a_stranger(untouched: LivedIn) -> None:
    """Browsers ask nobody before they open a WebSocket to another site."""
    shake = (
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Connection: Upgrade",
    )
    cookie = _cookie(untouched)
    for method, path in every_operation(untouched):
        if method == "GET":
            assert knock(untouched, method, path, *shake)[0] in (400, 401), path
            assert knock(untouched, method, path, *shake, cookie, "Origin: http://evil.example")[
                0
            ] in (400, 403), path


# --- the token of a session -----------------------------------------------------------------------


def test_the_token_of_a_session_opens_its_own_look_and_nothing_else(untouched: LivedIn) -> None:
    own = untouched.worker
    bell = json.loads((untouched.house.ground.home / "sessions" / own / "bell.json").read_text())
    token = f"Authorization: Bearer {bell['token']}"
    assert knock(untouched, "POST", f"/api/v1/sessions/{own}/look", token)[0] == 200
    foreign = [untouched.held, untouched.killed, "sco-00000000"]
    for method, path in every_operation(untouched):
        for target in {path, *(path.replace(own, other) for other in foreign)} - {
            f"/api/v1/sessions/{own}/look"
        }:
            assert knock(untouched, method, target, token)[0] == 401, (method, target)
    for other in foreign:
        bent = (
            f"{own}/../{other}/look",
            f"{own}/look/../../{other}/look",
            f"{other}/look?x=/sessions/{own}/look",
            f"{other}%2flook",
        )
        for target in bent:
            assert knock(untouched, "POST", f"/api/v1/sessions/{target}", token)[0] in (401, 404), (
                target
            )
    for method in ("GET", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"):
        assert knock(untouched, method, f"/api/v1/sessions/{own}/look", token)[0] == 401, method
