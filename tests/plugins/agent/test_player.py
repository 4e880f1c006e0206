"""The player at a real terminal, with real git."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import pytest

from ennio.config.model import AgentConfig
from ennio.machine.local import LocalMachine
from ennio.model.answer import Answer
from ennio.model.facts import AgentSeen, Presence, ProcessSeen
from ennio.model.session import Activity
from ennio.plugins.agent.interface import AgentContext, CommandLine
from ennio.plugins.agent.scripted.agent import ScriptedAgent
from tests.conftest import eventually

pytestmark = pytest.mark.real

EXAMPLES = Path(__file__).parents[3] / "examples" / "stories"
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07|\r")
CTRL_C, CTRL_D, CTRL_U, ESCAPE = b"\x03", b"\x04", b"\x15", b"\x1b"


def git(folder: Path, *words: str) -> str:
    author = ("-c", "user.name=Ada", "-c", "user.email=ada@example.test")
    return subprocess.run(
        ["git", *author, *words], cwd=folder, check=True, capture_output=True, text=True
    ).stdout


class Seat:
    """A session with its working copy, and whoever sits at its terminal."""

    def __init__(
        self, root: Path, story: object = None, speed: float = 50, *, typed: bool = False
    ) -> None:
        given = {"speed": speed, "typed": typed} | ({} if story is None else {"story": story})
        self.root, self.work = root, root / "work"
        self.desk = AgentContext(
            "app-1",
            "app",
            self.work,
            root / "desk",
            "c",
            AgentConfig(passthrough=given),
            branch="issue-1",
            base="main",
            machine=LocalMachine(),
        )
        self.agent = ScriptedAgent(self.desk.config)
        self.pid = self.terminal = 0
        self.shown = b""
        self._left = True

    def start(self, command: CommandLine) -> None:
        for file, text in command.files.items():
            file.write_text(text)
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.root), "TERM": "xterm"}
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.chdir(self.work)
            os.execvpe(command.argv[0], command.argv, environment)  # noqa: S606 - as a runtime does it
        self._left = False

    def type(self, keys: bytes) -> None:
        os.write(self.terminal, keys)

    def say(self, text: str) -> None:
        """Paste a text and press Enter."""
        self.type(b"\x1b[200~" + text.encode() + b"\x1b[201~")
        self.type(b"\r")

    def screen(self) -> str:
        with contextlib.suppress(OSError):
            while select.select([self.terminal], [], [], 0)[0]:
                self.shown += os.read(self.terminal, 65536)
        return ESCAPES.sub("", self.shown.decode(errors="replace"))

    def told(self, kind: str) -> list[dict[str, Any]]:
        self.screen()  # whoever does not read the terminal stops the player in its next write
        transcript = self.desk.directory / "transcript.jsonl"
        entries = []
        for line in transcript.read_bytes().splitlines() if transcript.exists() else []:
            with contextlib.suppress(ValueError):
                entries.append(json.loads(line))
        return [entry for entry in entries if isinstance(entry, dict) and entry["type"] == kind]

    def seen(self) -> AgentSeen:
        self.screen()
        process = ProcessSeen(Presence.ALIVE, datetime.now(UTC), "test", pid=self.pid)
        return self.agent.observe(self.desk, {}, process, None, datetime.now(UTC)).seen

    def until(self, condition: Callable[[], object]) -> object:
        return eventually(condition)

    def turns(self, number: int) -> None:
        eventually(
            lambda: len(self.told("turn_ended")) >= number,
            why=f"{number} turns; the screen: {self.screen()[-2000:]}",
        )

    def ended(self) -> int:
        """Wait for its end and return the exit code (negative: the signal)."""

        def status() -> tuple[int, int] | None:
            self.screen()
            pid, code = os.waitpid(self.pid, os.WNOHANG)
            return (pid, code) if pid else None

        answer = eventually(status)
        assert isinstance(answer, tuple)
        self._left = True
        os.close(self.terminal)
        return os.waitstatus_to_exitcode(answer[1])

    def leave(self) -> None:
        if not self._left:
            children = psutil.Process(self.pid).children(recursive=True)
            os.kill(self.pid, signal.SIGKILL)
            self.ended()
            for child in children:  # a test that failed must not leave them behind
                with contextlib.suppress(psutil.NoSuchProcess):
                    child.kill()


@pytest.fixture
def seats(tmp_path: Path) -> Iterator[Callable[..., Seat]]:
    """Makes seats at one repository with a remote."""
    git(tmp_path, "init", "-q", "--bare", "-b", "main", "origin.git")
    git(tmp_path, "clone", "-q", str(tmp_path / "origin.git"), "work")
    (tmp_path / "work" / "README").write_text("hello\n")
    git(tmp_path / "work", "add", "-A")
    git(tmp_path / "work", "commit", "-q", "-m", "First")
    git(tmp_path / "work", "push", "-q", "origin", "HEAD:main")
    git(tmp_path / "work", "checkout", "-q", "-b", "issue-1")
    (tmp_path / "desk").mkdir(mode=0o700)
    made: list[Seat] = []

    def make(story: object = None, **options: Any) -> Seat:
        made.append(Seat(tmp_path, story, **options))
        return made[-1]

    yield make
    for seat in made:
        seat.leave()


def one(*steps: object) -> list[dict[str, object]]:
    return [{"on": "any", "steps": list(steps)}]


def a_moment() -> None:
    """Long enough for what must not happen to happen; there is nothing to wait for."""
    deadline = time.monotonic() + 0.5
    eventually(lambda: time.monotonic() > deadline)


def main_moves_on(root: Path, file: str, content: str) -> None:
    git(root, "clone", "-q", str(root / "origin.git"), "other")
    (root / "other" / file).write_text(content)
    git(root / "other", "add", "-A")
    git(root / "other", "commit", "-q", "-m", "Meanwhile")
    git(root / "other", "push", "-q", "origin", "HEAD:main")


def test_the_default_story_ends_with_a_pushed_branch(seats: Callable[..., Seat]) -> None:
    seat = seats()
    seat.start(seat.agent.launch(seat.desk, "Do it: $(touch pwned)\nsecond line"))
    seat.turns(1)
    assert "Do it: $(touch pwned)\nsecond line" in git(
        seat.root / "origin.git", "show", "issue-1:app-1.md"
    )
    assert git(seat.work, "status", "--porcelain") == ""
    assert (
        seat.agent.received(
            seat.desk, "Do it: $(touch pwned)\nsecond line", datetime(2020, 1, 1, tzinfo=UTC)
        )
        is Answer.YES
    )
    seen = seat.seen()
    assert (seen.activity, seen.ready, seen.turns, seen.prompts) == (Activity.READY, True, 1, 1)
    assert seen.usage is not None


def test_incident_26_a_pasted_text_of_many_lines_is_one_prompt(seats: Callable[..., Seat]) -> None:
    seat = seats(one({"say": "ok"}), typed=True)
    command = seat.agent.launch(seat.desk, "typed later")
    assert not command.carries
    seat.start(command)
    seat.until(lambda: seat.agent.is_ready_for_text(seat.screen()))
    text = "\n".join(f"line {number} with 'quotes' and $(touch x);" for number in range(2000))
    seat.say(text)
    seat.turns(1)
    assert [entry["text"] for entry in seat.told("prompt")] == [text]


def test_incident_30_cleared_words_are_not_sent(seats: Callable[..., Seat]) -> None:
    seat = seats(one({"say": "ok"}), typed=True)
    seat.start(seat.agent.launch(seat.desk, ""))
    seat.until(lambda: seat.seen().ready)
    seat.type(b"old words" + CTRL_U + b"new words\r")
    seat.turns(1)
    assert [entry["text"] for entry in seat.told("prompt")] == ["new words"]


@pytest.mark.parametrize("key", [CTRL_C, ESCAPE])
@pytest.mark.parametrize(
    "step",
    [{"think": 3600}, {"run": ["sleep", "3600"]}, {"ask": "Well?"}],
    ids=["think", "run", "ask"],
)
def test_a_key_interrupts_the_turn_and_the_next_prompt_is_played(
    seats: Callable[..., Seat], key: bytes, step: object
) -> None:
    seat = seats(
        [{"on": "prompt", "steps": [step]}, {"on": "message", "steps": [{"say": "ok"}]}], speed=1
    )
    seat.start(seat.agent.launch(seat.desk, "go"))
    seat.until(lambda: seat.told("turn_started"))
    seat.until(
        lambda: seat.told("activity") or seat.told("waiting") or psutil.Process(seat.pid).children()
    )
    seat.type(key)
    seat.turns(1)
    assert seat.told("turn_ended")[0]["interrupted"]
    assert psutil.Process(seat.pid).children() == []
    seat.say("again")
    seat.turns(2)
    assert not seat.told("turn_ended")[1]["interrupted"]


ONCE = {"run": ["sh", "-c", "test -e flag || sleep 3600"]}
"""Takes for ever, until the file is there."""


@pytest.mark.parametrize("again", [False, True])
def test_a_turn_that_was_interrupted_goes_on_with_words_that_no_turn_is_for(
    seats: Callable[..., Seat], again: bool
) -> None:
    first, last = ({"edit": {"file": "f", "append": text}} for text in ("x", "{prompt}"))
    seat = seats([{"on": "prompt", "times": 1, "steps": [first, ONCE, last]}])
    seat.start(seat.agent.launch(seat.desk, "go"))
    for turns in (1, 2):  # also one that was interrupted once more
        seat.until(lambda: psutil.Process(seat.pid).children())
        seat.type(ESCAPE)
        seat.turns(turns)
        assert seat.told("turn_ended")[-1]["interrupted"]
        if turns == 1:
            seat.say("go on where you were")
    (seat.work / "flag").touch()
    if again:
        seat.leave()
        seat.start(seat.agent.resume(seat.desk, "go on, please"))
    else:
        seat.say("go on where you were")
    seat.turns(3)
    assert seat.told("turn_ended")[-1]["ok"]
    assert (seat.work / "f").read_text() == "xgo"
    seat.say("and now?")
    seat.turns(4)
    assert seat.seen().detail.endswith("waits for none any more")
    assert (seat.work / "f").read_text() == "xgo", "what is over does not go on"


def test_a_turn_goes_on_behind_the_window_of_its_plan_that_was_used_up(
    seats: Callable[..., Seat],
) -> None:
    seat = seats([{"on": "prompt", "steps": ["window", {"edit": {"file": "f", "content": "x"}}]}])
    seat.start(seat.agent.launch(seat.desk, "go"))
    seat.turns(1)
    assert "used up" in seat.seen().detail
    seat.say("There is some again")
    seat.turns(2)
    assert (seat.work / "f").read_text() == "x"


def test_words_that_no_turn_is_for_are_answered_with_what_the_story_waits_for(
    seats: Callable[..., Seat],
) -> None:
    ended = {"on": "message", "times": 1, "steps": [{"say": "ok"}]}
    named = {"on": "message", "when": "paint it", "steps": [{"say": "ok"}]}
    prompt, red = {"on": "prompt", "steps": [{"say": "ok"}]}, {"on": "ci_failed", "steps": []}
    seat = seats([prompt, ended, red, named])
    seat.start(seat.agent.launch(seat.desk, "go"))
    seat.turns(1)
    seat.say("one")
    seat.turns(2)
    assert seat.seen().detail == "ok"
    seat.say("two")
    seat.turns(3)
    waits = "has no turn for the last words; it waits for ci_failed, message (/paint it/)"
    assert waits in seat.seen().detail
    assert "My story has no turn for these words; it waits for ci_failed" in seat.screen()
    assert seat.seen().activity is Activity.READY


def test_a_question_waits_for_its_answer(seats: Callable[..., Seat]) -> None:
    seat = seats(str(EXAMPLES / "asks-a-question.yaml"))
    seat.start(seat.agent.launch(seat.desk, "paint"))
    seat.until(lambda: seat.seen().activity is Activity.WAITING_INPUT)
    assert seat.seen().question == "Which colour shall it be?"
    assert not seat.agent.is_ready_for_text(seat.screen())
    seat.say("2")
    seat.turns(1)
    assert git(seat.root / "origin.git", "show", "issue-1:colour.txt") == "green\n"
    assert seat.seen().summary == "It is green now."


def test_what_is_typed_during_a_turn_is_played_after_it(seats: Callable[..., Seat]) -> None:
    seat = seats(one({"think": 25}))
    seat.start(seat.agent.launch(seat.desk, "one"))
    seat.until(lambda: seat.told("turn_started"))
    seat.say("two")
    seat.say("three")
    seat.turns(3)
    assert [entry["text"] for entry in seat.told("prompt")] == ["one", "two", "three"]


def test_a_red_check_is_healed_by_the_second_attempt(seats: Callable[..., Seat]) -> None:
    seat = seats(str(EXAMPLES / "fix-after-red-ci.yaml"))
    seat.start(seat.agent.launch(seat.desk, "go"))
    seat.turns(1)
    assert git(seat.root / "origin.git", "show", "issue-1:answer.txt") == "41\n"
    seat.say("CI failed on issue-1: test\nexpected 42")
    seat.turns(2)
    assert git(seat.root / "origin.git", "show", "issue-1:answer.txt") == "42\n"


def test_a_conflict_with_the_base_is_settled_by_a_merge(seats: Callable[..., Seat]) -> None:
    seat = seats(str(EXAMPLES / "review-and-conflict.yaml"))
    seat.start(seat.agent.launch(seat.desk, "go"))
    seat.turns(1)
    main_moves_on(seat.root, "greeting.txt", "a greeting of others\n")
    seat.say("The branch conflicts with main: greeting.txt")
    seat.turns(2)
    assert seat.told("error") == []
    assert (
        git(seat.root / "origin.git", "show", "issue-1:greeting.txt") == "Hello from everybody.\n"
    )
    assert git(seat.root / "origin.git", "merge-base", "--is-ancestor", "main", "issue-1") == ""


@pytest.mark.parametrize(("otherwise", "expected"), [("ours", "mine\n"), ("theirs", "theirs\n")])
def test_a_rebase_settles_conflicts_and_is_pushed_by_force(
    seats: Callable[..., Seat], otherwise: str, expected: str
) -> None:
    first = [{"edit": {"file": "f", "content": "mine\n"}}, {"commit": "Mine"}, "push"]
    seat = seats(
        [
            {"on": "prompt", "steps": first},
            {"on": "message", "steps": [{"rebase": {"otherwise": otherwise}}, {"push": True}]},
        ]
    )
    seat.start(seat.agent.launch(seat.desk, "go"))
    seat.turns(1)
    main_moves_on(seat.root, "f", "theirs\n")
    seat.say("conflict")
    seat.turns(2)
    assert seat.told("error") == []
    assert git(seat.root / "origin.git", "show", "issue-1:f") == expected
    assert git(seat.root / "origin.git", "merge-base", "--is-ancestor", "main", "issue-1") == ""


def test_a_step_that_fails_is_told_and_ends_the_turn(seats: Callable[..., Seat]) -> None:
    seat = seats(one({"edit": {"file": "f", "content": "x"}}, {"run": ["false"]}, {"delete": "f"}))
    seat.start(seat.agent.launch(seat.desk, "go"))
    seat.turns(1)
    assert seat.told("turn_ended")[0]["ok"] is False
    assert "false" in seat.seen().detail
    assert (seat.work / "f").exists()


@pytest.mark.parametrize(
    ("step", "code"),
    [
        ("crash", -signal.SIGKILL),
        ({"crash": 7}, 7),
        ({"crash": {"signal": 11}}, -signal.SIGSEGV),
        ("exit", 0),
        ({"exit": 3}, 3),
    ],
)
def test_it_ends_as_its_story_says(seats: Callable[..., Seat], step: object, code: int) -> None:
    seat = seats(one(step))
    seat.start(seat.agent.launch(seat.desk, "go"))
    assert seat.ended() == code
    assert [entry["code"] for entry in seat.told("exit")] == ([code] if "exit" in str(step) else [])


def test_ctrl_d_and_a_closed_terminal_end_it(seats: Callable[..., Seat]) -> None:
    seat = seats(one({"say": "ok"}))
    seat.start(seat.agent.launch(seat.desk, "go"))
    seat.turns(1)
    seat.type(CTRL_D)
    assert seat.ended() == 0


def test_who_hangs_lives_and_takes_nothing(seats: Callable[..., Seat]) -> None:
    seat = seats(one("hang"))
    seat.start(seat.agent.launch(seat.desk, "go"))
    seat.until(lambda: seat.told("turn_started"))
    seat.say("are you there?")
    a_moment()
    assert len(seat.told("prompt")) == 1
    assert (
        seat.agent.received(seat.desk, "are you there?", datetime(2020, 1, 1, tzinfo=UTC))
        is Answer.NO
    )
    os.kill(seat.pid, signal.SIGTERM)
    assert seat.ended() == 128 + signal.SIGTERM


def test_no_turn_is_played_twice_for_the_same_prompt(seats: Callable[..., Seat]) -> None:
    first = {"on": "prompt", "steps": [{"edit": {"file": "f", "append": "x"}}, "crash"]}
    seat = seats([first, {"on": "message", "steps": [{"say": "ok"}]}])
    seat.start(seat.agent.launch(seat.desk, "go"))
    assert seat.ended() == -signal.SIGKILL
    seat.start(seat.agent.launch(seat.desk, "go"))
    seat.until(lambda: len(seat.told("ready")) == 2)
    seat.until(lambda: seat.agent.is_ready_for_text(seat.screen()))
    seat.type(CTRL_D)
    assert seat.ended() == 0
    assert [entry["text"] for entry in seat.told("prompt")] == ["go"]
    seat.start(seat.agent.resume(seat.desk, "go on"))
    seat.turns(1)
    assert (seat.work / "f").read_text() == "x"
    assert [entry["turn"] for entry in seat.told("turn_started")] == [0, 1]


def test_a_prompt_that_was_taken_but_not_begun_is_played_after_a_restart(
    seats: Callable[..., Seat],
) -> None:
    second = {"on": "message", "steps": [{"edit": {"file": "f", "append": "{prompt}"}}]}
    seat = seats([{"on": "prompt", "steps": [{"think": 3600}]}, second], speed=1)
    seat.start(seat.agent.launch(seat.desk, "go"))
    seat.until(lambda: seat.told("turn_started"))
    seat.say("next")
    seat.until(lambda: len(seat.told("prompt")) == 2)
    seat.leave()
    seat.start(seat.agent.resume(seat.desk, None))
    seat.turns(1)
    assert (seat.work / "f").read_text() == "next"


def test_noise_does_not_hide_what_it_tells(seats: Callable[..., Seat]) -> None:
    burn = {"burn": {"input": 5, "cost": 0.5, "lines": 4}}
    seat = seats(
        one({"junk": 5000}, {"junk": {"bytes": 5000, "transcript": True}}, {"flood": 300}, burn)
    )
    seat.start(seat.agent.launch(seat.desk, "go"))
    seat.turns(1)
    seen = seat.seen()
    assert seen.turns == 1
    assert seen.usage is not None
    assert (seen.usage.input_tokens, str(seen.usage.cost_usd)) == (5, "0.5")


def test_incident_40_a_process_it_leaves_behind_belongs_to_nobody_but_is_told(
    seats: Callable[..., Seat],
) -> None:
    seat = seats(one({"background": 300}, "exit"))
    seat.start(seat.agent.launch(seat.desk, "go"))
    assert seat.ended() == 0
    left = psutil.Process(seat.told("background")[0]["pid"])
    try:
        assert left.is_running()
        assert os.getsid(left.pid) != seat.pid
    finally:
        left.kill()


def test_an_api_error_blocks_and_passes(seats: Callable[..., Seat]) -> None:
    seat = seats(one({"error": {"text": "529 overloaded", "seconds": 3600}}), speed=1)
    seat.start(seat.agent.launch(seat.desk, "go"))
    seat.until(lambda: seat.seen().activity is Activity.BLOCKED)
    assert seat.seen().detail == "529 overloaded"


def test_at_rest_it_does_nothing_and_is_small(seats: Callable[..., Seat]) -> None:
    seat = seats(one({"run": ["true"]}))
    seat.start(seat.agent.launch(seat.desk, "go"))
    seat.turns(1)
    process = psutil.Process(seat.pid)
    seat.until(lambda: process.status() == psutil.STATUS_SLEEPING)
    before = process.num_ctx_switches()
    a_moment()
    assert process.num_ctx_switches() == before
    assert process.memory_full_info().uss < 10 << 20


def test_the_terminal_is_given_back_as_it_was(seats: Callable[..., Seat]) -> None:
    seat = seats(one("exit"))
    seat.start(seat.agent.launch(seat.desk, "go"))
    seat.ended()
    assert seat.shown.count(b"\x1b[?2004h") == seat.shown.count(b"\x1b[?2004l") == 1


def _names(entries: Sequence[dict[str, Any]]) -> list[str]:
    return [entry["id"] for entry in entries]


def test_every_turn_names_the_prompt_it_answers(seats: Callable[..., Seat]) -> None:
    seat = seats()
    seat.start(seat.agent.launch(seat.desk, "one"))
    seat.turns(1)
    seat.say("two")
    seat.turns(2)
    assert (
        _names(seat.told("prompt"))
        == _names(seat.told("turn_started"))
        == _names(seat.told("turn_ended"))
    )
