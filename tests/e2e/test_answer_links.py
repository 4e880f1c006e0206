"""A question on a phone: the button that is pressed there answers the agent, once."""

from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.conftest import eventually
from tests.contract.notifier_bench import SECRET
from tests.e2e.house import (
    Supervised,
    configure,
    ground_at,
    project,
    repository,
    story,
    turn,
)
from tests.notices.ntfy import Ntfy

pytestmark = pytest.mark.e2e

ASKS = story(
    turn(
        "prompt",
        [
            {"ask": {"question": "Which colour?", "options": ["red", "green"]}},
            {"edit": {"file": "colour.txt", "content": "{answer}\n"}},
        ],
    )
)


def press(house: Supervised, button: Any) -> int:
    """As ntfy's programs do; the status that is answered."""
    path = str(urlsplit(button["url"]).path)  # a house of tests has another port in each life
    url = house.client.url.removesuffix("/api/v1") + path
    request = urllib.request.Request(  # noqa: S310 - an address of ours
        url, button["body"].encode(), button["headers"], method=button["method"]
    )
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code
    except OSError:
        return 0


def test_a_button_on_a_phone_answers_the_question_once_also_after_a_crash(tmp_path: Path) -> None:
    with Ntfy(SECRET, "tk_right") as phone, ground_at(tmp_path) as ground:
        repository(ground)
        channel = {"url": phone.url, "topic": SECRET, "token": "tk_right"}
        configure(
            ground,
            project(ground, agent_config=ASKS, answer=True),
            notifiers=[{"plugin": "ntfy", "name": "phone", "config": channel}],
            defaults={"notifiers": ["phone"]},
        )
        house = Supervised(ground)
        house.start()
        try:
            session_id = house.spawn()
            eventually(lambda: phone.shown, 40, "the phone shows the question")
            (shown,) = phone.shown.values()
            red, green, opens = shown["actions"]  # type: ignore[misc] # a list
            assert (red["label"], green["label"], opens["action"]) == ("red", "green", "view")
            house.kill_everything()
            house.start()
            eventually(lambda: press(house, green) == 200, 40, "it answers, also in the next life")
            assert [press(house, green), press(house, red)] == [401, 401]
            file = Path(house.session(session_id)["workspace_path"]) / "colour.txt"
            eventually(lambda: file.exists() and file.read_text() == "green\n", 40)
            eventually(lambda: not phone.shown, 40, "what is answered leaves the phone")
            said = house.log.read_text() + str(house.events()) + str(house.client.get("/debug"))
            for button in (red, green):
                link = button["body"].split('"')[3]
                assert link not in said
                assert link.encode() not in (ground.clone / "ennio.db").read_bytes()
        finally:
            house.kill_agents()
            house.stop()
