"""Bases of APIs as people write them."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ennio.plugins.web import base_address, is_loopback

PIECES = st.sampled_from(
    [*"http https :// : / [ ] @ # ? % .. a host 1 99999 ::1 ü".split(), " ", "\n"]  # noqa: SIM905
)


@pytest.mark.parametrize(
    "good",
    [
        "https://api.github.com",
        "https://git.corp.example/api/v3",
        "http://127.0.0.1:8080",
        "http://[::1]:8080/api/v3",
        "https://bücher.example",
    ],
)
def test_an_address_is_taken_as_it_is(good: str) -> None:
    assert base_address(f" {good}/ ", "x") == good


@pytest.mark.parametrize(
    "bad",
    [
        "", None, 7, "api.github.com", "ftp://host", "https://", "https:///api", "http://[::1", "http://[x]/", "http://host:port",
        "http://host:99999", "http://host:0", "https://me:secret@host", "https://api.github.com@evil.example", "https://host/?x=1",
        "https://host/#x", "https://a b", "https://a\nb", "https://..", "https://%00",
    ],
)  # fmt: skip
def test_what_is_none_is_refused_with_the_way_out(bad: object) -> None:
    with pytest.raises(ValueError, match="write https://HOST") as error:
        base_address(bad, "https://HOST")
    assert "secret" not in str(error.value)


@given(st.lists(PIECES, max_size=9).map("".join))
def test_whatever_is_accepted_has_one_host_and_nothing_beside_it(text: str) -> None:
    try:
        base = base_address(text, "x")
    except ValueError:
        return
    parts = urlsplit(base)
    assert parts.hostname
    assert (parts.username, parts.query, parts.fragment) == (None, "", "")
    assert parts.port is None or parts.port > 0


@pytest.mark.parametrize(
    ("host", "ours"),
    [
        *((host, True) for host in ("localhost", "a.localhost", "127.0.0.1", "127.9.9.9", "::1")),
        *((host, False) for host in ("10.0.0.1", "localhost.example", "github.com")),
    ],
)
def test_this_machine_is_known(host: str, ours: bool) -> None:
    assert is_loopback(host) is ours
