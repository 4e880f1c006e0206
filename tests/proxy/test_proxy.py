"""The proxy as a process, before a scripted model that writes down what it served."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from ennio.config.money import Budget, BudgetScope
from ennio.machine.files import holder, is_held
from ennio.policy.budgets.applied import AppliedBudget
from ennio.policy.budgets.headroom import Headroom, SessionHeadroom
from ennio.policy.budgets.standing import standing
from ennio.policy.budgets.windows import WHOLE
from ennio.proxy import headroom, journal, process, stops
from ennio.proxy.directory import ProxyDirectory
from ennio.proxy.grants import forget, grant, granted
from ennio.proxy.journal import Begun, Ended
from ennio.proxy.serving import listening
from tests.agents.model import Model
from tests.conftest import eventually

KEY = "sk-canary-1234567890"
PROMPT = "say hello"


@dataclass
class Place:
    """A proxy, the model behind it, and the address an agent of session s-1 is given."""

    directory: ProxyDirectory
    model: Model
    address: str
    base: str

    def pid(self) -> int:
        """The process."""
        return int(holder(self.directory.lock))

    def kill(self) -> None:
        os.kill(self.pid(), signal.SIGKILL)
        eventually(lambda: not is_held(self.directory.lock), 30, "it is gone")

    def passed(self) -> list[Begun | Ended]:
        return list(journal.read(self.directory, "s-1", 0)[0])

    def ended(self) -> list[Ended]:
        return [one for one in self.passed() if isinstance(one, Ended)]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    directory = ProxyDirectory(tmp_path / "proxy")
    directory.make()
    with Model() as model:
        token = grant(directory, "s-1", 1, {"": model.base})[""]
        address = process.ensure(directory, dict(os.environ))
        made = Place(directory, model, address, f"{address}/{token}")
        try:
            yield made
        finally:
            if is_held(directory.lock):
                made.kill()


def post(url: str, body: Any, **headers: str) -> tuple[int, dict[str, str], bytes]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
    connection.request(
        "POST",
        parts.path + (f"?{parts.query}" if parts.query else ""),
        json.dumps(body),
        {"Content-Type": "application/json", "x-api-key": KEY, **headers},
    )
    answer = connection.getresponse()
    raw = answer.read()
    connection.close()
    return answer.status, {key.lower(): value for key, value in answer.getheaders()}, raw


def message(*, stream: bool = True, words: str = PROMPT) -> dict[str, Any]:
    return {
        "model": "scripted",
        "max_tokens": 100,
        "stream": stream,
        "messages": [{"role": "user", "content": words}],
    }


@pytest.mark.parametrize("stream", [True, False])
def test_an_answer_is_passed_on_byte_for_byte_and_counted(place: Place, stream: bool) -> None:
    status, _, raw = post(f"{place.base}/v1/messages", message(stream=stream))
    assert status == 200
    plain = post(f"{place.model.base}/v1/messages", message(stream=stream))[2]
    (served, _) = place.model.log
    assert raw.replace(b"answer_0001", b"answer_0002")[:60] == plain[:60]
    assert len(raw) == len(plain)
    begun, ended = place.passed()
    assert isinstance(ended, Ended)
    assert begun.id == ended.id
    assert (ended.status, ended.whole, ended.measured.answer_id) == (200, True, served.id)
    assert (ended.measured.input_tokens, ended.measured.output_tokens) == (
        served.input_tokens,
        served.output_tokens,
    )


def test_the_other_protocols_are_counted_to_the_digit(place: Place) -> None:
    chat = {"model": "scripted", "stream": True, "messages": message()["messages"]}
    asked = [{"role": "user", "content": [{"type": "input_text", "text": PROMPT}]}]
    post(f"{place.base}/v1/chat/completions", chat)
    post(f"{place.base}/v1/responses", {"model": "scripted", "stream": True, "input": asked})
    found = [
        (one.protocol, one.measured.input_tokens, one.measured.output_tokens)
        for one in place.ended()
    ]
    assert found == [(one.api, one.input_tokens, one.output_tokens) for one in place.model.log]
    assert [name for name, *_ in found] == ["chat", "responses"]


def test_no_key_and_no_word_is_written_down_anywhere(place: Place) -> None:
    post(f"{place.base}/v1/messages", message(words="CANARY-PROMPT"))
    written = b"".join(
        file.read_bytes() for file in place.directory.root.rglob("*") if file.is_file()
    )
    assert b"answer_0001" in written
    assert KEY.encode() not in written
    assert b"CANARY-PROMPT" not in written


def test_a_session_that_is_stopped_is_told_why_and_its_model_is_not_asked(place: Place) -> None:
    stops.stop(place.directory, "s-1", "the budget of 5 USD a day is used up")
    status, headers, raw = post(f"{place.base}/v1/messages", message())
    assert (status, headers["x-should-retry"]) == (402, "false")
    assert json.loads(raw)["error"]["message"] == "the budget of 5 USD a day is used up"
    assert (place.model.log, place.passed()) == ([], [])
    stops.release(place.directory, "s-1")
    assert post(f"{place.base}/v1/messages", message())[0] == 200


def test_one_that_is_under_way_goes_on_when_its_session_is_stopped(place: Place) -> None:
    slow = threading.Event()
    found: list[int] = []

    def ask() -> None:
        found.append(post(f"{place.base}/v1/messages", message(words=":think 1.5\n:say hello"))[0])
        slow.set()

    threading.Thread(target=ask).start()
    eventually(place.passed, 30, "it is under way")
    stops.stop(place.directory, "s-1", "no more")
    assert slow.wait(20)
    assert found == [200]
    assert place.ended()[0].whole


def test_nobody_passes_without_an_address_that_was_given(place: Place) -> None:
    for path in (
        "/",
        "/v1/messages",
        "/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA/v1/messages",
        "/../grants",
    ):
        assert post(f"{place.address}{path}", message())[0] == 404
    forget(place.directory, "s-1")
    assert post(f"{place.base}/v1/messages", message())[0] == 404
    assert place.model.log == []


def test_a_launch_that_is_asked_for_twice_keeps_its_addresses_and_the_one_before_loses_them(
    place: Place,
) -> None:
    wanted = {"one": "http://one", "other": "http://other"}
    first = grant(place.directory, "s-1", 2, wanted)
    assert grant(place.directory, "s-1", 2, wanted) == first
    moved = grant(place.directory, "s-1", 2, wanted | {"other": "http://elsewhere"})
    assert (moved["one"], moved["other"] != first["other"]) == (first["one"], True)
    grant(place.directory, "s-1", 3, wanted)
    assert [granted(place.directory, token) for token in (*first.values(), *moved.values())] == [
        None
    ] * 4
    assert post(f"{place.base}/v1/messages", message())[0] == 404


def test_a_kill_loses_no_count_and_it_comes_back_where_it_was(place: Place) -> None:
    post(f"{place.base}/v1/messages", message())
    place.kill()
    with pytest.raises(OSError, match=r".*"):
        post(f"{place.base}/v1/messages", message())
    assert process.ensure(place.directory, dict(os.environ)) == place.address
    assert post(f"{place.base}/v1/messages", message())[0] == 200
    assert [one.measured.answer_id for one in place.ended()] == ["answer_0001", "answer_0002"]


def test_what_a_kill_cut_off_stays_begun_and_is_nobodys_zero(place: Place) -> None:
    def ask() -> None:
        with pytest.raises((OSError, http.client.HTTPException)):
            post(f"{place.base}/v1/messages", message(words=":think 5\n:say hello"))

    asking = threading.Thread(target=ask)
    asking.start()
    eventually(place.passed, 30, "it is under way")
    place.kill()
    asking.join(20)
    assert [type(one) for one in place.passed()] == [Begun]


def test_a_model_that_cannot_be_reached_is_an_error_that_is_tried_again(place: Place) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{taken.getsockname()[1]}"
    token = grant(place.directory, "s-1", 2, {"": nobody})[""]
    status, headers, raw = post(f"{place.address}/{token}/v1/messages", message())
    assert (status, "x-should-retry" in headers) == (502, False)
    assert json.loads(raw)["error"]["type"] == "api_error"
    (ended,) = place.ended()
    assert (ended.status, ended.measured.known, ended.launch) == (None, False, 2)


def test_an_error_of_the_model_is_its_own(place: Place) -> None:
    place.model.trouble.append(429)
    status, _, raw = post(f"{place.base}/v1/messages", message())
    assert (status, json.loads(raw)["error"]["type"]) == (429, "rate_limit_error")


def test_a_second_one_on_a_folder_ends_at_once(place: Place) -> None:
    before = place.pid()
    assert process.ensure(place.directory, dict(os.environ)) == place.address
    assert place.pid() == before
    done = subprocess.run(
        (sys.executable, str(Path(process.__file__).parent), str(place.directory.root)),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, place.pid()) == (0, before)


def test_a_small_piece_of_an_answer_waits_for_no_word_of_the_agent(tmp_path: Path) -> None:
    directory = ProxyDirectory(tmp_path)
    with (
        listening(directory) as listener,
        socket.create_connection(listener.getsockname()),
        listener.accept()[0] as taken,
    ):
        assert taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_it_ends_when_it_is_told_to(place: Place) -> None:
    process.end(place.directory)
    assert process.address(place.directory) is None


def test_it_stops_by_its_own_count_though_nobody_looks_and_lets_it_go_on_when_there_is_more(
    place: Place,
) -> None:
    def limited(tokens: int) -> None:
        one = AppliedBudget(Budget(BudgetScope.SESSION, limit_tokens=tokens), "s-1")
        held = {"s-1": SessionHeadroom(0, None, (one.name,))}
        headroom.write(place.directory, Headroom((standing(one, WHOLE, {}),), held))

    limited(2000)  # one takes a little more than a thousand
    assert [post(f"{place.base}/v1/messages", message())[0] for _ in range(2)] == [200, 200]
    place.kill()
    process.ensure(place.directory, dict(os.environ))
    answers: list[tuple[int, bytes]] = []

    def ask() -> None:
        status, _, raw = post(f"{place.base}/v1/messages", message())
        answers.append((status, raw))

    asking = threading.Thread(target=ask)
    asking.start()
    asking.join(1)
    assert (answers, len(place.model.log)) == ([], 2), "it waits for who may say more"
    limited(10_000)
    asking.join(20)
    assert [status for status, _ in answers] == [200]
    limited(3000)
    asking = threading.Thread(target=ask)
    asking.start()
    stops.stop(place.directory, "s-1", "the budget is used up")
    asking.join(20)
    assert answers[1][0] == 402
    assert json.loads(answers[1][1])["error"]["message"] == "the budget is used up"
    assert len(place.model.log) == 3
