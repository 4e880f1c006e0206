"""The courier's decisions, case by case, at a stub terminal with a stub agent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ennio.actors.courier import Arrival, Courier, shows
from ennio.config.model import AgentConfig
from ennio.errors import NotFound, Unreachable
from ennio.model import RuntimeHandle
from ennio.plugins.agent.interface import Desk
from ennio.plugins.agent.stub import StubAgent
from ennio.plugins.runtime.interface import Key, Launch
from ennio.plugins.runtime.stub import StubRuntime

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TEXT = "Play the second movement"


class Bench:
    """One terminal, one agent; ``marked`` counts how often typing was announced."""

    def __init__(self, root: Path, *, tells: bool = True) -> None:
        self.agent = StubAgent(tells=tells)
        self.runtime = StubRuntime()
        self.handle = self.runtime.start(Launch("p-1", ("cat",), root, {}, root))
        self.marked = 0
        desk = Desk("p-1", "play", root, root, "0", AgentConfig())
        self.courier = Courier(self.runtime, self.agent, desk, self.handle)

    def mark(self) -> None:
        assert not self.runtime.presses, "announced before anything is typed"
        self.marked += 1

    def on_enter(self, what: object) -> None:
        press = self.runtime.press

        def pressing(handle: RuntimeHandle, key: Key) -> None:
            press(handle, key)
            if key is Key.ENTER and callable(what):
                what()

        self.runtime.press = pressing  # type: ignore[method-assign]

    @property
    def enters(self) -> int:
        return sum(1 for _, key in self.runtime.presses if key is Key.ENTER)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_text_the_agent_takes_is_delivered(bench: Bench) -> None:
    bench.on_enter(lambda: bench.agent.took("p-1", NOW, TEXT))
    done = bench.courier.deliver(TEXT, lambda: NOW, bench.mark)
    assert (done.arrival, bench.marked, bench.enters) == (Arrival.DELIVERED, 1, 1)
    assert bench.runtime.pastes == [("p-1", TEXT)]


@pytest.mark.parametrize("gone", [False, True])
def test_without_a_place_to_type_nothing_is_typed_or_announced(bench: Bench, gone: bool) -> None:
    bench.agent.typable = False
    if gone:
        bench.runtime.vanish("p-1")
    done = bench.courier.deliver(TEXT, lambda: NOW, bench.mark)
    assert (done.arrival, bench.marked, bench.runtime.pastes) == (Arrival.NOT_NOW, 0, [])


def test_enter_is_pressed_twice_at_most_and_the_rest_is_doubt(bench: Bench) -> None:
    done = bench.courier.deliver(TEXT, lambda: NOW, bench.mark)
    assert (done.arrival, bench.enters, len(bench.runtime.pastes)) == (Arrival.UNSURE, 2, 1)


def test_a_paste_that_is_folded_is_through_once_the_screen_rests(bench: Bench) -> None:
    shown = iter(["> ", "> [12 li", *["> [12 lines]"] * 40])
    looks = bench.runtime.screens
    paste, seen = bench.runtime.paste, []

    def pasting(handle: RuntimeHandle, text: str) -> None:
        paste(handle, text)

        def folded(handle_ids: Sequence[str]) -> Mapping[str, str]:
            seen.append(next(shown))
            return {handle.id: seen[-1]}

        bench.runtime.screens = folded  # type: ignore[method-assign]

    def entered() -> None:
        bench.runtime.screens = looks  # type: ignore[method-assign]
        bench.agent.took("p-1", NOW, TEXT)

    bench.runtime.paste = pasting  # type: ignore[method-assign]
    bench.on_enter(entered)
    assert bench.courier.deliver(TEXT, lambda: NOW, bench.mark).arrival is Arrival.DELIVERED
    # up to the third that is the same as the one before it, and the one look before Enter
    assert seen == ["> ", "> [12 li", *["> [12 lines]"] * 5]


def test_a_text_that_left_the_place_to_type_is_not_entered_again(bench: Bench) -> None:
    bench.on_enter(lambda: bench.runtime.show("p-1", "working ..."))
    done = bench.courier.deliver(TEXT, lambda: NOW, bench.mark)
    assert (done.arrival, bench.enters) == (Arrival.UNSURE, 1)


@pytest.mark.parametrize(("moves", "arrival"), [(True, Arrival.DELIVERED), (False, Arrival.UNSURE)])
def test_of_an_agent_that_does_not_tell_the_screen_must_serve(tmp_path: Path, moves: bool, arrival: Arrival) -> None:
    bench = Bench(tmp_path, tells=False)
    bench.on_enter(lambda: moves and bench.runtime.show("p-1", f"> {TEXT}\nthinking"))
    assert bench.courier.deliver(TEXT, lambda: NOW, bench.mark).arrival is arrival
    assert bench.enters == 1


def test_trouble_while_typing_is_raised(bench: Bench) -> None:
    bench.runtime.unreachable = "gone for lunch"
    with pytest.raises(Unreachable):
        bench.courier.deliver(TEXT, lambda: NOW, bench.mark)
    assert bench.marked == 0


def test_a_terminal_that_ended_is_said(bench: Bench) -> None:
    bench.runtime.finish("p-1", exit_code=0)
    with pytest.raises(NotFound):
        bench.courier.deliver(TEXT, lambda: NOW, bench.mark)


# took, told, alive, on the screen -> arrival, Enters
SETTLED = {
    "the agent says so": ("took", True, True, False, Arrival.DELIVERED, 0),
    "the agent says so and has ended": ("took", True, False, False, Arrival.DELIVERED, 0),
    "it ended before": ("", True, False, False, Arrival.MISSING, 0),
    "neither taken nor on the screen": ("", True, True, False, Arrival.MISSING, 0),
    "typed but not entered": ("on enter", True, True, True, Arrival.DELIVERED, 1),
    "it does not tell, and it is there": ("", False, True, True, Arrival.DELIVERED, 0),
    "it does not tell, and it is not there": ("", False, True, False, Arrival.MISSING, 0),
    "it does not tell and has ended": ("", False, False, True, Arrival.MISSING, 0),
}


@pytest.mark.parametrize("case", SETTLED)
def test_a_doubt_is_settled_by_looking(tmp_path: Path, case: str) -> None:
    took, tells, alive, shown, arrival, enters = SETTLED[case]
    bench = Bench(tmp_path, tells=tells)
    if took == "took":
        bench.agent.took("p-1", NOW, TEXT)
    if took == "on enter":
        bench.on_enter(lambda: bench.agent.took("p-1", NOW, TEXT))
    bench.runtime.show("p-1", f"> {TEXT}" if shown else ">")
    done = bench.courier.settle(TEXT, NOW, alive=alive)
    assert (done.arrival, bench.enters, bench.runtime.pastes) == (arrival, enters, [])


def test_incident_27_a_doubt_is_not_settled_by_enter_in_a_dialog(bench: Bench) -> None:
    bench.runtime.show("p-1", f"> {TEXT}\nDo you want to proceed? 1. Yes")
    bench.agent.typable = False
    done = bench.courier.settle(TEXT, NOW, alive=True)
    assert (done.arrival, bench.enters) == (Arrival.UNSURE, 0)


@pytest.mark.parametrize(
    ("screen", "text", "found"),
    [
        ("> Play the sec\nond movement", TEXT, True),
        ("> Play the second", TEXT, False),
        ("> " + "x" * 30 + "\n" + "x" * 40, "y" * 500 + "x" * 70, True),
        ("", TEXT, False),
        (None, TEXT, False),
        ("anything", "  ", False),
    ],
)
def test_the_end_of_a_text_is_found_however_the_terminal_broke_it(screen: str | None, text: str, found: bool) -> None:
    assert shows(screen, text) is found
