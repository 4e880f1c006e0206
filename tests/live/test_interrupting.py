"""An interrupt leaves the line of a program as it was, whatever that does with Escape: real
programs at a real tmux.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ennio.config.model import AgentConfig
from ennio.hosts.delivery import Arrival, Delivery, Words
from ennio.hosts.interrupting import Interrupting
from ennio.hosts.message_delivery import MessageDelivery
from ennio.hosts.typed_log import TypedLog
from ennio.machine.local import LocalMachine
from ennio.model.clock import SystemClock
from ennio.plugins.agent.aider import Aider
from ennio.plugins.agent.command import CommandAgent
from ennio.plugins.agent.interface import AgentContext
from ennio.plugins.runtime.interface import Key, WatchableRuntime
from tests.conftest import eventually, need
from tests.contract.runtime_bench import Bench, process_bench, tmux_bench

READ = 'IFS= read -r{} -p "> " line && printf "%s\\n" "$line" >> took'
PYTHON = "while True:\n line = input('> ')\n with open('took', 'a') as out: print(line, file=out)"
AIDER = """
import sys, time
last = 0.0
while True:
    try:
        input("diff> ")
        time.sleep(60)
    except KeyboardInterrupt:
        if time.monotonic() - last < 2:
            sys.exit()
        time.sleep(0.3)
        last = time.monotonic()
        print("^C again to exit")
"""
PROGRAMS = {
    "cat": ("sh", "-c", "printf '> '; exec cat > took"),
    "read": ("bash", "-c", f"while {READ.format('')}; do :; done"),
    "readline": ("bash", "-c", f"while {READ.format('e')}; do :; done"),
    "input": (sys.executable, "-c", PYTHON),
    # what comes while it is at work is kept by the terminal until it reads on
    "busy": (
        "bash",
        "-c",
        f"while {READ.format('')}; do for at in 1 2 3; do echo $at; sleep 0.5; done; done",
    ),
    "busy readline": ("bash", "-c", f"while {READ.format('e')}; do sleep 1.5; done"),
}


class Chair:
    """A program in a terminal, and what it has read."""

    def __init__(self, bench: Bench, argv: tuple[str, ...]) -> None:
        settings = {"argv": list(argv), "interactive": True}
        self.config = AgentConfig(passthrough=settings)
        self.agent, self.runtime = CommandAgent(self.config), bench.runtime
        self.handle = bench.runtime.start(bench.launch(*argv))
        self.root = bench.root
        desk = AgentContext(
            "p", "p", self.root, self.root, "0", self.config, machine=LocalMachine()
        )
        log = TypedLog(LocalMachine(), self.root / "typed.jsonl")
        log.launched(1)
        self.delivery = MessageDelivery(
            self.runtime, self.agent, desk, self.handle, log, SystemClock()
        )
        self.reads()

    def line(self) -> str:
        """What stands in its last line."""
        rows = self.runtime.screens([self.handle.id]).get(self.handle.id, "").split("\n")
        return rows[-1].rstrip()

    def reads(self) -> None:
        eventually(lambda: self.line() == ">", why="it reads a line")

    def interrupt(self) -> None:
        Interrupting(self.runtime, self.agent, self.handle).interrupt()

    def deliver(self, text: str) -> Delivery:
        return self.delivery.deliver(Words(f"m {text}", text, SystemClock().now()))

    def taken(self) -> list[str]:
        file = self.root / "took"
        return file.read_text().splitlines() if file.exists() else []

    def types(self, text: str) -> None:
        """A person does."""
        typing: WatchableRuntime = self.runtime  # type: ignore[assignment]
        typing.type(self.handle, text.encode(), paste=False)


@pytest.fixture(params=["tmux", "process"])
def seat(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[str], Chair]]:
    for program in ("bash", "cat"):
        need(program)
    made = (tmux_bench if request.param == "tmux" else process_bench)(tmp_path)
    bench = next(made)
    yield lambda program: Chair(bench, PROGRAMS[program])
    next(made, None)


@pytest.mark.parametrize("program", ["cat", "read", "readline", "input"])
def test_after_an_interrupt_words_arrive_as_they_are(
    seat: Callable[[str], Chair], program: str
) -> None:
    chair = seat(program)
    chair.interrupt()
    eventually(lambda: chair.line() == ">", why="nothing of the key is left")
    eventually(lambda: chair.deliver("Go on").arrival is Arrival.DELIVERED)
    eventually(lambda: chair.taken() == ["Go on"], why=f"it took {chair.taken()}")


@pytest.mark.parametrize("program", ["busy", "busy readline"])
def test_an_interrupt_of_a_program_at_work_stands_before_no_words(
    seat: Callable[[str], Chair], program: str
) -> None:
    chair = seat(program)
    eventually(lambda: chair.deliver("First").arrival is Arrival.DELIVERED)
    eventually(lambda: chair.taken() == ["First"])
    chair.interrupt()
    chair.reads()
    eventually(lambda: chair.deliver("Second").arrival is Arrival.DELIVERED)
    eventually(lambda: chair.taken() == ["First", "Second"], why=f"it took {chair.taken()}")


@pytest.mark.parametrize("program", ["cat", "read", "readline", "input"])
def test_what_a_person_has_begun_to_type_stays_where_it_is_interrupted(
    seat: Callable[[str], Chair], program: str
) -> None:
    chair = seat(program)
    chair.types("please do")
    eventually(lambda: chair.line() == "> please do")
    chair.interrupt()
    eventually(lambda: chair.line() == "> please do", why=f"the line is {chair.line()!r}")
    assert chair.deliver("Go on").by_person


def test_an_escape_that_was_left_there_by_others_is_cleared(seat: Callable[[str], Chair]) -> None:
    chair = seat("read")
    chair.runtime.press(chair.handle, Key.ESCAPE)
    eventually(lambda: chair.line() == "> ^[")
    eventually(lambda: chair.deliver("Go on").arrival is Arrival.DELIVERED)
    eventually(lambda: chair.taken() == ["Go on"], why=f"it took {chair.taken()}")


def test_who_interrupts_again_at_once_does_not_end_what_two_interrupts_would(
    tmp_path: Path,
) -> None:
    """Aider ends by two Ctrl-C within two seconds."""
    need("tmux")
    made = tmux_bench(tmp_path)
    bench = next(made)
    handle = bench.runtime.start(bench.launch(sys.executable, "-c", AIDER))

    def screen() -> str:
        return bench.runtime.screens([handle.id])[handle.id].strip()

    eventually(lambda: screen() == "diff>")
    bench.runtime.type(handle, b"go\r", paste=False)  # type: ignore[attr-defined]
    eventually(lambda: screen() == "diff> go")
    for _ in range(4):
        Interrupting(bench.runtime, Aider(), handle).interrupt()
    assert screen().endswith("\ndiff>")
    assert not bench.runtime.survey()[handle.id].dead
    assert screen().count("^C again to exit") == 1
    next(made, None)
