"""What is published of something that is larger than a server takes."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from ennio.model.events import Event
from ennio.model.session import Priority
from ennio.nats.fitting import answer_payload, event_payload, object_payload
from ennio.nats.protocol import Outgoing, overhead, publication

MOST = 2048
TEXT = st.text(st.characters(codec="utf-8"), max_size=3 * MOST)


@given(TEXT, TEXT)
def test_no_event_is_larger_than_the_server_takes(words: str, filler: str) -> None:
    at = datetime(2026, 11, 27, tzinfo=UTC)
    event = Event(
        7, "e-1", "config_refused", Priority.ACTION, "", "shop", at, words, {"filler": filler}
    )
    told = json.loads(found := event_payload(event.encode(), MOST))
    assert len(found) <= MOST
    assert (told["id"], words.startswith(told["message"])) == ("e-1", True)
    whole = len(event.encode())
    assert told["data"] == ({"filler": filler} if whole <= MOST else {"left_out_bytes": whole})


@given(st.dictionaries(st.sampled_from("abcd"), TEXT))
def test_of_a_large_object_the_largest_fields_are_left_out_and_named(found: dict[str, str]) -> None:
    whole = {"session_id": "s-1", **found}
    told = json.loads(payload := object_payload(whole, MOST))
    assert len(payload) <= MOST
    left_out = told.pop("left_out", [])
    assert told == whole | dict.fromkeys(left_out)
    kept = [len(found[name].encode()) for name in found if name not in left_out]
    assert all(len(json.dumps(found[name])) >= max(kept, default=0) for name in left_out)


def test_half_a_character_is_a_question_mark() -> None:
    assert json.loads(object_payload({"prompt": "half \ud83d a pair"}, MOST))["prompt"] == (
        "half ? a pair"
    )


def test_an_answer_has_what_was_made_without_its_largest_fields() -> None:
    made = {"id": "s-1", "prompt": "x" * 3 * MOST, "status": "spawning"}
    payload = answer_payload({"data": made}, MOST)
    assert len(payload) <= MOST
    told = {"id": "s-1", "prompt": None, "status": "spawning", "left_out": ["prompt"]}
    assert json.loads(payload) == {"data": told}
    assert json.loads(answer_payload({"data": "killed"}, MOST)) == {"data": "killed"}


@given(st.sampled_from(["", "e-1", "x" * 36]), st.binary(max_size=20))
def test_the_headers_count_among_what_a_server_takes(message_id: str, payload: bytes) -> None:
    line, _, rest = publication(Outgoing("a.b", payload, message_id)).partition(b"\r\n")
    assert int(line.split()[-1]) == len(rest) - 2 == len(payload) + overhead(message_id)
