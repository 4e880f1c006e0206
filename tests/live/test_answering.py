"""A question is answered as soon as it comes up, while that takes no keys yet and something moves
beside it: a program that draws Claude Code's dialog, at a real tmux.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ennio.config.model import AgentConfig
from ennio.hosts import answering
from ennio.hosts.answering import Answering
from ennio.machine.local import LocalMachine
from ennio.model.errors import Refused
from ennio.plugins.agent.claude_code import ClaudeCode
from ennio.plugins.agent.interface import AgentContext
from tests.conftest import eventually
from tests.contract.runtime_bench import Bench, tmux_bench

DIALOG = """
import os, select, sys, time, tty
tty.setraw(0)
deaf, changes = float(sys.argv[1]), float(sys.argv[2])
begun, mark, asked = time.monotonic(), 1, "touch first"
while True:
    now = time.monotonic() - begun
    if now > changes:
        asked = "touch second"
    work = "\\u25cf" if int(now * 4) % 2 else " "
    choices = ["Yes", "No"]
    drawn = [f"{work} A step", "", "\\u2500" * 60, " Bash command", "", f"   {asked}", "",
             " Do you want to proceed?"]
    for n, choice in enumerate(choices, 1):
        drawn.append(f" {chr(0x276f) if n == mark else chr(32)} {n}. {choice}")
    drawn += ["", " Esc to cancel"]
    sys.stdout.write("\\x1b[H" + "".join(f"{line}\\x1b[K\\r\\n" for line in drawn))
    sys.stdout.flush()
    if not select.select([0], [], [], 0.05)[0]:
        continue
    keys = os.read(0, 100)
    if time.monotonic() - begun < deaf:
        continue
    mark += b"B" in keys
    if b"\\r" in keys:
        with open("took", "a") as took:
            took.write(f"{choices[mark - 1]} to {asked}\\n")
        sys.stdout.write("\\x1b[2J")
        sys.stdout.flush()
        time.sleep(60)
"""
NEVER = 60.0


class Asked:
    """The dialog, as it has just come up."""

    def __init__(self, bench: Bench, deaf: float, changes: float) -> None:
        runtime, config = bench.runtime, AgentConfig()
        handle = runtime.start(bench.launch(sys.executable, "-c", DIALOG, str(deaf), str(changes)))
        desk = AgentContext("p", "p", bench.root, bench.root, "0", config, machine=LocalMachine())
        self.file = bench.root / "took"
        self.answer = Answering(runtime, ClaudeCode(config), desk, handle).answer
        eventually(lambda: "Esc to cancel" in runtime.screens([handle.id]).get(handle.id, ""))

    def took(self) -> str:
        return self.file.read_text().strip() if self.file.exists() else ""


Asks = Callable[[float, float], Asked]


@pytest.fixture
def asks(tmp_path: Path) -> Iterator[Asks]:
    made = tmux_bench(tmp_path)
    bench = next(made)
    yield lambda deaf, changes: Asked(bench, deaf, changes)
    next(made, None)


@pytest.mark.parametrize(("answer", "meant"), [("yes", "Yes"), ("no", "No")])
def test_a_question_that_takes_no_keys_as_it_comes_up_gets_its_answer(
    asks: Asks, answer: str, meant: str
) -> None:
    asked = asks(0.3, NEVER)
    asked.answer(answer)
    eventually(lambda: asked.took() == f"{meant} to touch first", why=f"it took {asked.took()!r}")


def test_an_answer_that_is_lost_is_not_called_given_because_something_moves_beside_it(
    asks: Asks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering, "ANSWERED", 10)
    asked = asks(NEVER, NEVER)
    with pytest.raises(Refused, match="nothing moved on the screen"):
        asked.answer("yes")


def test_a_question_that_comes_in_the_place_of_another_does_not_get_its_answer(
    asks: Asks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering, "STANDS", 40)
    asked = asks(0.0, 2.0)
    with pytest.raises(Refused, match="another question stands on the screen"):
        asked.answer("yes")
    assert asked.took() == ""
