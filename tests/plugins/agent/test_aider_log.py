"""What aider's own files tell, read on from where the last look ended."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from ennio.config.model import AgentConfig
from ennio.machine.local import LocalMachine
from ennio.model.answer import Answer
from ennio.model.facts import AgentSeen, Presence, ProcessSeen
from ennio.model.session import Activity
from ennio.plugins.agent import aider_log
from ennio.plugins.agent.aider import Aider
from ennio.plugins.agent.interface import AgentContext

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ASKS = "touch x\nRun shell command? (Y)es/(N)o [Yes]: \n"


class Watched:
    def __init__(self, folder: Path) -> None:
        self.desk = AgentContext(
            "s", "p", folder, folder, "c", AgentConfig(model="openai/x"), machine=LocalMachine()
        )
        self.cursor: dict[str, str] = {}

    def event(self, seconds: float, event: str, **properties: Any) -> None:
        at = (NOW + timedelta(seconds=seconds)).timestamp()
        file = aider_log.events(self.desk)
        with file.open("a") as log:
            log.write(
                json.dumps({"event": event, "properties": properties, "time": int(at)}) + "\n"
            )
        os.utime(file, (at, at))

    def notified(self, seconds: float) -> None:
        with (self.desk.directory / "hooks.jsonl").open("a") as log:
            log.write(
                json.dumps(
                    {
                        "t": (NOW + timedelta(seconds=seconds)).timestamp(),
                        "hook_event_name": "Waiting",
                    }
                )
                + "\n"
            )

    def look(self, seconds: float, screen: str | None) -> AgentSeen:
        now = NOW + timedelta(seconds=seconds)
        reading = Aider().observe(
            self.desk,
            self.cursor,
            ProcessSeen(Presence.ALIVE, now, "test", pid=1, number=1),
            screen,
            now,
        )
        self.cursor = dict(reading.cursor)
        return reading.seen


def test_a_turn_is_told_from_its_start_to_its_question_and_its_end(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    assert watched.look(0, "diff> ").activity is Activity.READY
    watched.event(1.9, "message_send_starting")
    assert watched.look(2, None).activity is Activity.ACTIVE
    watched.event(
        3.2, "message_send", prompt_tokens=1000, completion_tokens=20, cost=0.5, total_cost=9
    )
    watched.notified(3.4)
    asking = watched.look(3.6, ASKS)
    assert (asking.activity, asking.question) == (
        Activity.WAITING_INPUT,
        "touch x Run shell command? (Y)es/(N)o [Yes]:",
    )
    assert asking.turns == 0
    assert (
        watched.look(6, ASKS.replace("touch x", "rm x")).question
        == "rm x Run shell command? (Y)es/(N)o [Yes]:"
    )
    watched.notified(8)
    rests = watched.look(8.2, "diff> ")
    assert (rests.activity, rests.turns, rests.prompts) == (Activity.READY, 1, 1)


def test_a_command_that_a_person_has_allowed_is_work_as_long_as_it_runs(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    watched.event(1, "message_send_starting")
    watched.notified(3)
    watched.look(3.1, ASKS)
    assert (
        watched.look(5, f"{ASKS.rstrip()} y").activity is Activity.WAITING_INPUT
    )  # it is not entered yet
    for second in (7, 9, 20):
        runs = watched.look(second, f"{ASKS.rstrip()} Y\n\nRunning touch x\n")
        assert (runs.activity, runs.question) == (Activity.ACTIVE, None)
    adds = "Running touch x\nx\nAdd command output to the chat? (Y)es/(N)o [Yes]:\n"
    assert watched.look(22, adds).activity is Activity.WAITING_INPUT
    assert watched.look(24, f"{adds.rstrip()} N\n\ndiff> ").activity is Activity.READY
    assert watched.look(26, "diff> begun").activity is Activity.READY


def test_incident_39_every_answer_is_counted_once_with_its_money(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    for second in (1, 2):
        watched.event(
            second,
            "message_send",
            prompt_tokens=1000,
            completion_tokens=20,
            cost=0.25,
            total_cost=9,
        )
        seen = watched.look(second, "diff> ")
    for _ in range(3):
        seen = watched.look(3, "diff> ")
    assert seen.usage is not None
    assert (seen.usage.input_tokens, seen.usage.output_tokens, seen.usage.cost_usd) == (
        2000,
        40,
        Decimal("0.50"),
    )
    assert seen.usage.model == "openai/x"


def test_incident_12_a_lost_notification_is_healed_by_the_screen(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    watched.event(1, "message_send_starting")
    watched.look(1, "Waiting for openai/x")
    assert watched.look(5, "diff> ").activity is Activity.READY
    assert watched.look(9, ASKS).activity is Activity.WAITING_INPUT


def test_retries_are_trouble_until_they_end(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    watched.event(1, "message_send_starting")
    seen = watched.look(3, "litellm.InternalServerError\nRetrying in 4.0 seconds...\n")
    assert (seen.activity, seen.detail) == (Activity.BLOCKED, "Retrying in 4.0 seconds...")
    assert (
        watched.look(5, "Retrying in 4.0 seconds...\n hello\nTokens: 3 sent\ndiff> ").activity
        is Activity.READY
    )


def test_words_are_received_once_its_input_history_has_them(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    since = datetime.now(UTC)
    assert Aider().received(watched.desk, "two\n\nlines", since) is Answer.NO
    later = (datetime.now() + timedelta(seconds=1)).isoformat(sep=" ")  # noqa: DTZ005 - aider writes no zone
    aider_log.history(watched.desk).write_text(f"\n# {later}\n+two\n+\n+lines\n\n# {later}\n+y\n")
    assert Aider().received(watched.desk, "two\n\nlines", since) is Answer.YES
    assert Aider().received(watched.desk, "lines", since) is Answer.NO
    assert Aider().received(watched.desk, "two\n\nlines", since + timedelta(minutes=1)) is Answer.NO


def test_incident_26_no_first_character_opens_a_command_a_shell_or_a_block() -> None:
    for words in ("!ls", "/exit", "{", "{a: 1}"):
        assert Aider().typed(words) == f" {words}"
    assert Aider().typed("plain\n/words") == "plain\n/words"


def test_what_a_person_cleared_is_not_restored_and_not_lost(tmp_path: Path) -> None:
    desk = AgentContext(
        "s", "p", tmp_path, tmp_path, "c", AgentConfig(), home=tmp_path, machine=LocalMachine()
    )
    chat = tmp_path / "aider.chat.history.md"
    old = (
        "\n# aider chat started\n\n#### one  \n\nfirst\n\n\n#### /clear  \n> All chat history "
        "cleared.  \n"
    )
    said = "\n#### two  \n\nI say: #### /clear and > All chat history cleared.\n"
    chat.write_text(old + said)
    kept = Aider().resume(desk, None).files
    assert kept[chat] == said
    assert old in [text for path, text in kept.items() if path != chat]
    chat.write_text(said)
    assert chat not in Aider().resume(desk, None).files


def test_words_that_a_person_has_begun_do_not_make_it_work(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    watched.event(1, "message_send_starting")
    watched.event(3, "message_send", prompt_tokens=1000, completion_tokens=20)
    watched.notified(3.4)
    begun = (
        f"while they type\n\nTokens: 1.0k sent, 14 received.\n{'─' * 80}\nReadonly: "
        "../system.md\ndiff> please do not\n\n"
    )
    rests = watched.look(4, begun)
    assert (rests.activity, rests.turns) == (Activity.READY, 1)
    assert not Aider().is_ready_for_text(begun)
    watched.event(5, "message_send_starting")
    assert (
        watched.look(7, f"{begun}\nsaid > before\nWaiting for openai/x\n").activity
        is Activity.ACTIVE
    )
    assert (
        watched.look(
            9, f"{begun}\nan answer that goes on\nand on\nand on\nand on\nand on\n"
        ).activity
        is Activity.ACTIVE
    )


def test_the_same_words_twice_in_a_row_are_confirmed_by_the_event_log(tmp_path: Path) -> None:
    """Its input history has such words once; a message that says the same again would look lost."""
    watched = Watched(tmp_path)
    aider_log.history(watched.desk).write_text(
        f"\n# {NOW.astimezone().replace(tzinfo=None)}\n+go on\n"
    )
    later = NOW + timedelta(seconds=20.5)
    assert Aider().received(watched.desk, "go on", NOW) is Answer.YES
    watched.event(10, "message_send_starting")
    assert Aider().received(watched.desk, "go on", later) is Answer.NO
    watched.event(20.9, "message_send_starting")
    assert Aider().received(watched.desk, "go on", later) is Answer.YES
    assert Aider().received(watched.desk, "something else", later) is Answer.NO
