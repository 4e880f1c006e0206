"""What a message waits for."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from ennio.model.message import Message, MessageState, Origin, with_reasons

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SENT = Message(
    "0", "p-1", "old", Origin.PERSON, NOW, MessageState.DELIVERED, detail="the agent says so"
)
FIRST, SECOND, THIRD = (Message(name, "p-1", "go on", Origin.PERSON, NOW) for name in "123")


@pytest.mark.parametrize(
    ("state", "detail", "why"),
    [
        (
            MessageState.QUEUED,
            "waits until the agent has done its turn",
            "waits until the agent has done its turn",
        ),
        (MessageState.QUEUED, "", "is delivered next"),
        (MessageState.SENDING, "", "is being delivered"),
        (MessageState.SENT_UNSURE, "x", "was sent, and has not been seen to arrive yet"),
    ],
)
def test_every_message_that_waits_says_why(state: MessageState, detail: str, why: str) -> None:
    first = replace(FIRST, state=state, detail=detail)
    told = with_reasons([SENT, first, SECOND, THIRD])
    assert told[:2] == (SENT, first)
    assert [one.detail for one in told[2:]] == [f"is behind an earlier message, which {why}"] * 2


def test_where_nothing_waits_nothing_is_said() -> None:
    assert with_reasons([SENT]) == (SENT,)
    assert with_reasons([]) == ()
