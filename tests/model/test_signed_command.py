"""What is taken of orders on a wire where anybody may write: what was signed just now, as it was signed."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ennio.model.clock import ManualClock
from ennio.model.errors import EnnioError, Invalid, Refused, Unauthorized
from ennio.model.signed_command import authentic, signed, understood

TOKEN = "a-token-of-the-api"
NOW = ManualClock().now()


def taken(raw: bytes, command: str = "kill", seconds: float = 0.0) -> Any:
    return understood(authentic(TOKEN, raw), command, NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize("seconds", [-59.0, 0.0, 59.0])
def test_an_order_is_taken_for_a_minute_by_either_clock(seconds: float) -> None:
    found = taken(signed(TOKEN, "kill", {"session_id": "a-1"}, NOW), seconds=seconds)
    assert (found.command, found.arguments) == ("kill", {"session_id": "a-1"})


@pytest.mark.parametrize("seconds", [-61.0, 61.0])
def test_one_of_another_minute_is_refused_saying_both_times(seconds: float) -> None:
    with pytest.raises(Refused, match=r"time: the order is of .* set the clocks"):
        taken(signed(TOKEN, "kill", {}, NOW), seconds=seconds)


def test_no_two_orders_are_alike() -> None:
    assert signed(TOKEN, "kill", {}, NOW) != signed(TOKEN, "kill", {}, NOW)


def test_the_token_does_not_travel() -> None:
    assert TOKEN.encode() not in signed(TOKEN, "kill", {}, NOW)


def test_an_order_counts_on_its_own_subject_only() -> None:
    with pytest.raises(Refused, match="another subject"):
        taken(signed(TOKEN, "kill", {}, NOW), command="shutdown")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"{}",
        b"[" * 100_000,
        b'{"body": 1, "hmac": 2}',
        b'{"body": "x", "hmac": "\xc3\xa9"}',
        b'{"command": "shutdown"}',
        signed("another-token", "kill", {}, NOW),
    ],
)
def test_what_nobody_signed_is_unauthorized(raw: bytes) -> None:
    with pytest.raises(Unauthorized):
        authentic(TOKEN, raw)


@given(st.data())
def test_no_byte_of_it_can_be_changed(data: st.DataObject) -> None:
    raw = bytearray(signed(TOKEN, "kill", {"session_id": "a-1"}, NOW))
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place] ^= data.draw(st.integers(1, 255))
    try:
        found = taken(bytes(raw))
    except EnnioError:
        return
    # a change that says the same, such as the case of a name's escape
    assert (found.command, found.arguments) == ("kill", {"session_id": "a-1"})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"nonce": None}, "nonce"),
        ({"nonce": "a b"}, "nonce"),
        ({"nonce": "a" * 65}, "nonce"),
        ({"time": "today"}, "time"),
        ({"arguments": [1]}, "arguments"),
    ],
)
def test_whoever_signs_nonsense_is_told_which_field_it_is(
    change: dict[str, Any], words: str
) -> None:
    body = json.loads(json.loads(signed(TOKEN, "kill", {}, NOW))["body"]) | change
    with pytest.raises(Invalid, match=f"^{words}:"):
        understood(json.dumps(body), "kill", NOW)
