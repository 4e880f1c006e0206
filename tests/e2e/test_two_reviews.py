"""Two reviews shortly one after the other: the agent is told of both, and no person is called."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import eventually
from tests.e2e.house import Ground, project, story, supervised, turn

pytestmark = pytest.mark.e2e

LONG = {"think": 80}  # four seconds at this speed: the second review comes meanwhile
ANSWERS = {
    "by a new head": [
        LONG,
        {"edit": {"file": "app.py", "content": "one = 2\n"}},
        {"commit": "Answer"},
        "push",
    ],
    "in words": [LONG, {"say": "why?"}],
}
OPENS = [{"edit": {"file": "app.py", "content": "one = 1\n"}}, {"commit": "One"}, "push"]


@pytest.mark.parametrize("how", ANSWERS)
def test_a_second_review_while_the_agent_is_at_the_first_is_told_for_what_it_asks(
    tmp_path: Path, how: str
) -> None:
    def score(ground: Ground) -> dict[str, Any]:
        turns = (
            turn("prompt", OPENS),
            turn("message", ANSWERS[how]),
            turn("message", [{"say": "heard"}]),
        )
        return project(ground, agent_config=story(*turns))

    with supervised(tmp_path, score) as house:
        session = house.spawn()
        number = eventually(lambda: house.session(session)["pr_number"], 60, "it is open")
        eventually(lambda: house.session(session)["activity"] == "ready", 60, "the agent rests")
        place = f"/projects/score/pulls/{number}/request-changes"

        def told(words: str) -> bool:
            return any(words in text for text in house.ground.taken(session))

        for words in ("First things first", "Second thoughts"):
            house.client.post(place, {"body": words, "author": "ada"})
            eventually(lambda words=words: told(words), 60, f"{words} is told")  # type: ignore[misc]
        events = house.events(session_id=session)
        assert [one for one in events if one["event_type"] == "reaction_escalated"] == []
        triggered = [
            one["message"]
            for one in events
            if one["event_type"] == "reaction_triggered"
            and one["data"]["reaction"] == "changes-requested"
        ]
        asks = f"changes-requested: a reviewer of #{number} asks for changes -> send_to_agent"
        assert {words.rpartition(" (")[0] for words in triggered} == {asks}
        reactions = [one["reaction"] for one in house.client.get("/notifications")]
        assert "changes-requested" not in reactions
