"""What an answer says of its usage, in the shapes that the services publish."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ennio.proxy.apis import LARGEST, Measured, UsageReader, protocol_of

MESSAGES = {
    "id": "msg_1",
    "type": "message",
    "model": "claude-sonnet-4-5",
    "usage": {
        "input_tokens": 12,
        "cache_creation_input_tokens": 300,
        "cache_read_input_tokens": 4000,
        "cache_creation": {"ephemeral_5m_input_tokens": 200, "ephemeral_1h_input_tokens": 100},
        "output_tokens": 1,
        "service_tier": "standard",
    },
}
STARTED = {"type": "message_start", "message": MESSAGES}
DELTA = {
    "type": "message_delta",
    "delta": {"stop_reason": "end_turn"},
    "usage": {"output_tokens": 77},
}
RESPONSE = {
    "id": "resp_1",
    "model": "gpt-5",
    "service_tier": "flex",
    "usage": {
        "input_tokens": 100,
        "input_tokens_details": {"cached_tokens": 60},
        "output_tokens": 20,
        "output_tokens_details": {"reasoning_tokens": 15},
    },
}
CHAT = {
    "id": "chatcmpl-1",
    "model": "gpt-5-mini",
    "choices": [],
    "usage": {
        "prompt_tokens": 50,
        "completion_tokens": 9,
        "prompt_tokens_details": {"cached_tokens": 0},
    },
}


def stream(*events: dict[str, Any]) -> bytes:
    return b"".join(
        f"event: {event.get('type', 'x')}\ndata: {json.dumps(event)}\n\n".encode()
        for event in events
    )


def read(body: bytes, *, streamed: bool, size: int = 7) -> Measured:
    reader = UsageReader(stream=streamed)
    for at in range(0, len(body), size):
        reader.feed(body[at : at + size])
    return reader.end()


def test_a_stream_of_messages_counts_its_caches_apart_and_its_last_word_on_the_output() -> None:
    found = read(stream(STARTED, {"type": "ping"}, DELTA), streamed=True)
    assert found == Measured("msg_1", "claude-sonnet-4-5", "standard", 12, 77, 4000, 300, 100)


@pytest.mark.parametrize("last", [{}, {"service_tier": "standard"}, {"speed": "fast"}])
def test_an_answer_that_was_fast_says_so_beside_its_tier(last: dict[str, str]) -> None:
    first = MESSAGES | {"usage": {**MESSAGES["usage"], "speed": "fast"}}
    delta = DELTA | {"usage": {"output_tokens": 77, **last}}
    begun = {"type": "message_start", "message": first}
    assert read(stream(begun, delta), streamed=True).tier == "fast"
    assert read(json.dumps(first).encode(), streamed=False).tier == "fast"


def test_an_answer_in_one_piece_is_read_too() -> None:
    found = read(json.dumps(MESSAGES).encode(), streamed=False)
    assert (found.input_tokens, found.output_tokens, found.known) == (12, 1, True)


def test_the_last_word_of_a_stream_tells_how_often_the_web_was_searched() -> None:
    searched = {"output_tokens": 77, "server_tool_use": {"web_search_requests": 3}}
    found = read(stream(STARTED, DELTA | {"usage": searched}), streamed=True)
    assert (found.output_tokens, found.web_searches) == (77, 3)


@pytest.mark.parametrize("kind", ["response.completed", "response.incomplete"])
def test_what_openai_read_from_its_cache_is_no_input_that_is_paid_in_full(kind: str) -> None:
    found = read(stream({"type": kind, "response": RESPONSE}), streamed=True)
    assert found == Measured("resp_1", "gpt-5", "flex", 40, 20, 60, None, None, 15)


@pytest.mark.parametrize(("told", "details"), [(RESPONSE, "input"), (CHAT, "prompt")])
def test_what_openai_wrote_to_its_cache_is_told_apart_too(
    told: dict[str, Any], details: str
) -> None:
    counts = {"cached_tokens": 20, "cache_write_tokens": 25}
    usage = {**told["usage"], f"{details}_tokens_details": counts}
    found = read(json.dumps({**told, "usage": usage}).encode(), streamed=False)
    rest = told["usage"][f"{details}_tokens"] - 45
    assert (found.input_tokens, found.cache_read_tokens, found.cache_write_tokens) == (rest, 20, 25)


def test_a_chat_tells_its_usage_in_its_last_piece() -> None:
    found = read(
        stream({"id": "chatcmpl-1", "choices": [{}]}, CHAT) + b"data: [DONE]", streamed=True
    )
    assert found == Measured("chatcmpl-1", "gpt-5-mini", None, 50, 9, 0)


def test_a_chat_that_was_not_asked_for_its_usage_is_unknown_and_not_zero() -> None:
    found = read(stream({"id": "c", "model": "m", "choices": [{}], "usage": None}), streamed=True)
    assert (found.known, found.input_tokens) == (False, None)


def test_an_event_that_is_too_large_is_passed_over_and_a_document_is_unknown() -> None:
    large = b"x" * (2 * LARGEST)
    body = stream(STARTED) + b"data: " + large + b"\n\n" + stream(DELTA)
    assert read(body, streamed=True, size=1 << 20).output_tokens == 77
    whole = json.dumps({**MESSAGES, "content": large.decode()}).encode()
    assert read(whole, streamed=False, size=1 << 20) == Measured()


@given(st.binary(max_size=200), st.integers(1, 50), st.booleans())
def test_no_bytes_whatever_break_the_reader(body: bytes, size: int, streamed: bool) -> None:
    read(body, streamed=streamed, size=size)


@given(st.integers(1, 40))
def test_it_is_the_same_however_it_is_cut(size: int) -> None:
    body = stream(STARTED, DELTA)
    assert read(body, streamed=True, size=size) == read(body, streamed=True, size=len(body))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["usage", "message", "response", "id", "input_tokens", "model"]),
                inner,
                max_size=4,
            )
        ),
        max_leaves=8,
    )
)
def test_whatever_a_service_says_is_a_number_or_unknown(value: object) -> None:
    found = read(json.dumps(value).encode(), streamed=False)
    assert found.input_tokens is None or found.input_tokens >= 0


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("v1/messages", "messages"),
        ("v1/messages?beta=true", "messages"),
        ("v1/messages/count_tokens", None),
        ("v1/responses", "responses"),
        ("chat/completions", "chat"),
        ("v1/models", None),
        ("", None),
    ],
)
def test_the_protocol_is_told_by_the_path(path: str, name: str | None) -> None:
    found = protocol_of(path)
    assert (found and found.name) == name
