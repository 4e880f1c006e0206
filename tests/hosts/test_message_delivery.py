"""The delivery's decisions, case by case, at a stub terminal with a stub agent."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ennio.config.model import AgentConfig
from ennio.hosts import message_delivery, typing_place
from ennio.hosts.delivery import Arrival, Delivery, Words
from ennio.hosts.message_delivery import MessageDelivery, shows
from ennio.hosts.typed_log import TypedLog, Typing
from ennio.machine.local import LocalMachine
from ennio.model.clock import ManualClock
from ennio.model.errors import NotFound, Unreachable
from ennio.model.session import RuntimeHandle
from ennio.plugins.agent.command import CommandAgent
from ennio.plugins.agent.interface import AgentContext
from ennio.plugins.agent.stub import StubAgent
from ennio.plugins.runtime.interface import Key, LaunchSpec
from ennio.plugins.runtime.stub import StubRuntime
from ennio.policy.prompt import begun_again

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TEXT = "Play the second movement"


class Waits:
    """The time of who delivers: waiting takes none, since nothing else happens meanwhile."""

    def __init__(self) -> None:
        self._now = 0.0

    def monotonic(self) -> float:
        return self._now

    def sleep(self, pause: float) -> None:
        self._now += pause


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> Waits:
    time = Waits()
    for module in (message_delivery, typing_place):
        monkeypatch.setattr(module, "time", time)
    return time


class Behind(LocalMachine):
    """A machine whose clock may be behind."""

    @property
    def slack(self) -> float:
        return 1.5


class Announced(TypedLog):
    """What is kept of what was typed; it is written before a key is pressed."""

    def __init__(self, bench: Bench, path: Path) -> None:
        super().__init__(LocalMachine(), path)
        self._bench = bench

    def note(self, message_id: str, typing: Typing, at: datetime) -> None:
        if typing is Typing.BEGUN:
            assert not self._bench.runtime.pastes, "announced before anything is typed"
            self._bench.marked += 1
        super().note(message_id, typing, at)


def words(text: str) -> Words:
    return Words("m-1", text, NOW)


class Bench:
    """One terminal, one agent; ``marked`` counts how often typing was announced."""

    def __init__(self, root: Path, *, tells: bool = True) -> None:
        self.agent = StubAgent(reports_activity=tells)
        self.runtime = StubRuntime()
        self.handle = self.runtime.start(LaunchSpec("p-1", ("cat",), root, {}, root))
        self.marked = 0
        desk = AgentContext("p-1", "play", root, root, "0", AgentConfig(), machine=LocalMachine())
        log = Announced(self, root / "typed.jsonl")
        self.message_delivery = MessageDelivery(
            self.runtime, self.agent, desk, self.handle, log, ManualClock(NOW)
        )

    def deliver(self, text: str, sent: tuple[str, ...] = (), aside: str | None = None) -> Delivery:
        return self.message_delivery.deliver(Words("m-1", text, NOW, sent, aside))

    def settle(self, *, alive: bool) -> Delivery:
        return self.message_delivery.settle(words(TEXT), alive=alive, entered=False)

    def on_enter(self, what: object) -> None:
        press = self.runtime.press

        def pressing(handle: RuntimeHandle, key: Key) -> None:
            press(handle, key)
            if key is Key.ENTER and callable(what):
                what()

        self.runtime.press = pressing  # type: ignore[method-assign]

    def instead_of_the_paste(self, screen: str) -> None:
        """What is pasted makes the terminal show this."""
        paste = self.runtime.paste

        def pasting(handle: RuntimeHandle, text: str) -> None:
            paste(handle, text)
            self.runtime.show(handle.id, screen)

        self.runtime.paste = pasting  # type: ignore[method-assign]

    @property
    def enters(self) -> int:
        return sum(1 for _, key in self.runtime.presses if key is Key.ENTER)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_an_agent_that_remembers_nothing_is_told_its_first_words_with_the_first_message(
    bench: Bench, tmp_path: Path
) -> None:
    whole, log = begun_again("Build it", TEXT), TypedLog(LocalMachine(), tmp_path / "anew.jsonl")
    delivery = replace(bench.message_delivery, typed=log, prompt=lambda: "Build it")
    log.launched(2, "")
    bench.on_enter(lambda: bench.agent.took("p-1", NOW, bench.runtime.pastes[-1][1]))
    assert delivery.deliver(words(TEXT)).arrival is Arrival.DELIVERED
    assert delivery.deliver(words(TEXT)).detail == "it was taken before"
    bench.runtime.show("p-1", f"> {whole}")  # what Escape put back
    assert delivery.deliver(Words("m-2", "More", NOW, (TEXT,))).arrival is Arrival.DELIVERED
    assert [text for _, text in bench.runtime.pastes] == [whole, "More"]


def test_words_of_a_command_line_below_the_first_ones_were_taken(bench: Bench) -> None:
    delivery = replace(bench.message_delivery, prompt=lambda: "Build it")
    delivery.typed.launched(2, "m-1")
    assert delivery.received(words(TEXT)).arrival is Arrival.UNSURE
    bench.agent.took("p-1", NOW, begun_again("Build it", TEXT))
    assert delivery.received(words(TEXT)).arrival is Arrival.DELIVERED
    assert delivery.received(Words("m-2", "More", NOW)).arrival is Arrival.UNSURE


def test_the_first_words_go_with_the_message_that_arrived_first(tmp_path: Path) -> None:
    log = TypedLog(LocalMachine(), tmp_path / "typed.jsonl")
    log.launched(1)
    assert not log.begins_anew
    assert not log.goes_with_the_first("a")
    log.launched(2, "")
    assert log.begins_anew
    assert log.goes_with_the_first("a")
    log.note("a", Typing.BEGUN, NOW)
    assert (log.goes_with_the_first("a"), log.goes_with_the_first("b")) == (True, False)
    log.note("a", Typing.MISSING, NOW)
    assert (log.goes_with_the_first("a"), log.goes_with_the_first("b")) == (True, True)
    log.launched(3, "c")
    assert (log.goes_with_the_first("a"), log.goes_with_the_first("c")) == (False, True)
    log.launched(4)
    assert not log.begins_anew


def test_a_text_the_agent_takes_is_delivered(bench: Bench) -> None:
    bench.on_enter(lambda: bench.agent.took("p-1", NOW, TEXT))
    done = bench.deliver(TEXT)
    assert (done.arrival, bench.marked, bench.enters) == (Arrival.DELIVERED, 1, 1)
    assert bench.runtime.pastes == [("p-1", TEXT)]


@pytest.mark.parametrize(("before", "taken"), [(1.4, True), (60, False)])
def test_what_an_agent_on_a_clock_that_is_behind_takes_is_delivered(
    bench: Bench, before: float, taken: bool
) -> None:
    delivery = bench.message_delivery
    there = replace(delivery, context=replace(delivery.context, machine=Behind()))
    at = NOW - timedelta(seconds=before)
    bench.on_enter(lambda: bench.agent.took("p-1", at, TEXT))
    assert (there.deliver(words(TEXT)).arrival is Arrival.DELIVERED) is taken


@pytest.mark.parametrize("gone", [False, True])
def test_without_a_place_to_type_nothing_is_typed_or_announced(bench: Bench, gone: bool) -> None:
    bench.agent.typable = False
    if gone:
        bench.runtime.vanish("p-1")
    done = bench.deliver(TEXT)
    assert (done.arrival, bench.marked, bench.runtime.pastes) == (Arrival.NOT_NOW, 0, [])


def test_enter_is_pressed_twice_at_most_and_the_rest_is_doubt(bench: Bench) -> None:
    done = bench.deliver(TEXT)
    assert (done.arrival, bench.enters, len(bench.runtime.pastes)) == (Arrival.UNSURE, 2, 1)


LONG = "\n".join(f"line {number}" for number in range(12))


@pytest.mark.parametrize(
    ("mark", "enters"),
    [
        (f"[12 lines, {len(LONG)} characters]", 1),
        (f"[Pasted Content {len(LONG)} chars]", 1),
        ("[Pasted text #3 +11 lines]", 1),
        ("[Pasted text #3]", 1),
        ("[Pasted text #3 +12 lines]", 0),
        (f"[Pasted Content {len(LONG) + 1} chars]", 0),
        (f"mine [Pasted Content {len(LONG)} chars]", 0),
    ],
)
def test_a_paste_that_is_folded_is_entered_by_a_mark_of_exactly_its_size(
    bench: Bench, mark: str, enters: int
) -> None:
    bench.instead_of_the_paste(f"> {mark}")
    bench.on_enter(lambda: bench.agent.took("p-1", NOW, LONG))
    assert bench.deliver(LONG).arrival is (Arrival.DELIVERED if enters else Arrival.UNSURE)
    assert bench.enters == enters


def test_a_text_that_left_the_place_to_type_is_not_entered_again(bench: Bench) -> None:
    bench.on_enter(lambda: bench.runtime.show("p-1", "working ..."))
    done = bench.deliver(TEXT)
    assert (done.arrival, bench.enters) == (Arrival.UNSURE, 1)


@pytest.mark.parametrize(("moves", "arrival"), [(True, Arrival.DELIVERED), (False, Arrival.UNSURE)])
def test_of_an_agent_that_does_not_tell_the_screen_must_serve(
    tmp_path: Path, moves: bool, arrival: Arrival, waits: Waits
) -> None:
    bench = Bench(tmp_path, tells=False)
    bench.on_enter(lambda: moves and bench.runtime.show("p-1", f"> {TEXT}\nthinking"))
    assert bench.deliver(TEXT).arrival is arrival
    assert bench.enters == 1
    waited = waits.monotonic() >= message_delivery.ENTER_SETTLES / 2
    assert waited is not moves, "what has moved is not waited for"


def test_trouble_while_typing_is_raised(bench: Bench) -> None:
    bench.runtime.unreachable = "gone for lunch"
    with pytest.raises(Unreachable):
        bench.deliver(TEXT)
    assert bench.marked == 0


def test_a_terminal_that_ended_is_said(bench: Bench) -> None:
    bench.runtime.finish("p-1", exit_code=0)
    with pytest.raises(NotFound):
        bench.deliver(TEXT)


PLACE, HALF = "> ", "> please do not"
TYPED, AMONG, ABOVE, SENT = (
    f"> {TEXT}",
    f"> {TEXT} and mine",
    f"> {TEXT}\nplaying\n> mine",
    f"> {TEXT}\nplaying\n> ",
)

# took, told, alive, screen -> arrival, Enters
SETTLED = {
    "the agent says so": ("took", True, True, PLACE, Arrival.DELIVERED, 0),
    "the agent says so and has ended": ("took", True, False, PLACE, Arrival.DELIVERED, 0),
    "it ended before": ("", True, False, TYPED, Arrival.MISSING, 0),
    "neither taken nor in the place to type": ("", True, True, PLACE, Arrival.MISSING, 0),
    "not taken, and a person's words stand there": ("", True, True, HALF, Arrival.MISSING, 0),
    "not taken, and it stands above a person's words": ("", True, True, ABOVE, Arrival.MISSING, 0),
    "typed but not entered": ("on enter", True, True, TYPED, Arrival.DELIVERED, 1),
    "typed, and a person typed on": ("on enter", True, True, AMONG, Arrival.UNSURE, 0),
    "it does not tell, and it was entered": ("", False, True, SENT, Arrival.DELIVERED, 0),
    "it does not tell, and it stands above a person's words": (
        "",
        False,
        True,
        ABOVE,
        Arrival.DELIVERED,
        0,
    ),
    "it does not tell, and it is typed but not entered": (
        "goes on",
        False,
        True,
        TYPED,
        Arrival.DELIVERED,
        1,
    ),
    "it does not tell, and a person typed on": ("goes on", False, True, AMONG, Arrival.UNSURE, 0),
    "it does not tell, and it is not there": ("", False, True, PLACE, Arrival.MISSING, 0),
    "it does not tell and has ended": ("", False, False, TYPED, Arrival.MISSING, 0),
}


@pytest.mark.parametrize("case", SETTLED)
def test_a_doubt_is_settled_by_looking_at_the_place_to_type(tmp_path: Path, case: str) -> None:
    took, tells, alive, screen, arrival, enters = SETTLED[case]
    bench = Bench(tmp_path, tells=tells)
    if took == "took":
        bench.agent.took("p-1", NOW, TEXT)
    if took == "on enter":
        bench.on_enter(lambda: bench.agent.took("p-1", NOW, TEXT))
    if took == "goes on":
        bench.on_enter(lambda: bench.runtime.show("p-1", SENT))
    bench.runtime.show("p-1", screen)
    done = bench.settle(alive=alive)
    assert (done.arrival, bench.enters, bench.runtime.pastes) == (arrival, enters, [])


def test_an_agent_whose_file_cannot_be_read_is_settled_by_its_place_to_type(bench: Bench) -> None:
    bench.agent.deaf("p-1")
    bench.on_enter(lambda: bench.runtime.show("p-1", SENT))
    bench.runtime.show("p-1", TYPED)
    assert (bench.settle(alive=True).arrival, bench.enters) == (
        Arrival.DELIVERED,
        1,
    )


def test_incident_27_a_doubt_is_not_settled_by_enter_in_a_dialog(bench: Bench) -> None:
    bench.runtime.show("p-1", f"> {TEXT}\nDo you want to proceed? 1. Yes")
    bench.agent.typable = False
    done = bench.settle(alive=True)
    assert (done.arrival, bench.enters) == (Arrival.UNSURE, 0)


def test_what_a_person_has_begun_to_type_is_neither_sent_nor_touched(bench: Bench) -> None:
    bench.runtime.show("p-1", HALF)
    done = bench.deliver(TEXT)
    assert (done.arrival, done.draft, bench.marked) == (Arrival.NOT_NOW, "please do not", 0)
    assert "waits for the person at the terminal" in done.detail
    assert (bench.runtime.presses, bench.runtime.pastes) == ([], [])


@pytest.mark.parametrize(
    ("screen", "why"),
    [(HALF, "waits for the person at the terminal"), ("working\n", "no place to type")],
)
def test_a_half_typed_line_is_the_reason_also_where_the_place_to_type_is_not_known(
    bench: Bench, screen: str, why: str
) -> None:
    command = CommandAgent(AgentConfig(passthrough={"argv": ["cat"], "interactive": True}))
    bench.runtime.show("p-1", screen)
    done = replace(bench.message_delivery, agent=command).deliver(words(TEXT))
    assert done.arrival is Arrival.NOT_NOW
    assert why in done.detail
    assert (bench.runtime.presses, bench.runtime.pastes) == ([], [])


@pytest.mark.parametrize("cleared", [True, False])
@pytest.mark.parametrize("line", ["> ^[", "> ^[[200~", "> ^C", "> Play the sec", "> ^[Play the"])
def test_what_we_typed_ourselves_is_never_waited_for(
    bench: Bench, tmp_path: Path, line: str, cleared: bool
) -> None:
    command = CommandAgent(AgentConfig(passthrough={"argv": ["cat"], "interactive": True}))
    log = TypedLog(LocalMachine(), tmp_path / "half.jsonl")
    delivery = replace(bench.message_delivery, agent=command, typed=log)
    log.launched(1)
    log.note("m-1", Typing.BEGUN, NOW)
    bench.runtime.show("p-1", f"hello\n{line}")
    if not cleared:  # what the terminal only drew stays where it is
        press = bench.runtime.press
        drawn = line.endswith(("^[", "^[[200~", "^C"))
        bench.runtime.press = (  # type: ignore[method-assign]
            lambda handle, key: None if drawn and key is Key.CLEAR else press(handle, key)
        )
    bench.on_enter(lambda: bench.runtime.show("p-1", f"hello\n> {TEXT}\nplaying"))
    assert delivery.obstacle(words(TEXT)) is None
    assert delivery.deliver(words(TEXT)).arrival is Arrival.DELIVERED
    assert (bench.runtime.pastes, bench.enters) == ([("p-1", TEXT)], 1)


def test_half_of_what_another_message_says_is_a_persons(bench: Bench) -> None:
    command = CommandAgent(AgentConfig(passthrough={"argv": ["cat"], "interactive": True}))
    bench.runtime.show("p-1", "hello\n> Play the sec")
    done = replace(bench.message_delivery, agent=command).deliver(words(TEXT))
    assert (done.arrival, done.by_person) == (Arrival.NOT_NOW, True)
    assert (bench.runtime.presses, bench.runtime.pastes) == ([], [])


@pytest.mark.parametrize("moves", [False, True])
def test_a_screen_whose_place_to_type_is_not_known_is_typed_to_once_it_rests(
    bench: Bench, waits: Waits, monkeypatch: pytest.MonkeyPatch, moves: bool
) -> None:
    command = CommandAgent(AgentConfig(passthrough={"argv": ["cat"], "interactive": True}))
    bench.runtime.show("p-1", "hello\n❯ ")
    if moves:
        monkeypatch.setattr(waits, "sleep", lambda _: bench.runtime.show("p-1", "hello\nloads > "))
    found = replace(bench.message_delivery, agent=command).obstacle(words(TEXT))
    assert (found is not None and found.detail == typing_place.MOVES) is moves


def test_words_a_person_types_between_two_enters_are_not_sent(bench: Bench) -> None:
    """The first Enter went unanswered, and then somebody began to type: the
    second would have been theirs.
    """
    bench.on_enter(lambda: bench.runtime.show("p-1", ABOVE))
    done = bench.deliver(TEXT)
    assert (done.arrival, bench.enters) == (Arrival.UNSURE, 1)


def test_words_a_person_types_while_ours_are_pasted_are_not_sent(bench: Bench) -> None:
    bench.instead_of_the_paste(AMONG)
    done = bench.deliver(TEXT)
    assert (done.arrival, bench.enters) == (Arrival.UNSURE, 0)


def test_what_escape_put_back_of_our_words_is_taken_away(bench: Bench) -> None:
    bench.runtime.show("p-1", "> what was sent before")
    bench.on_enter(lambda: bench.agent.took("p-1", NOW, TEXT))
    sent = ("the last", "what was sent before")
    assert bench.deliver(TEXT, sent=sent).arrival is Arrival.DELIVERED
    assert bench.runtime.pastes == [("p-1", TEXT)]


@pytest.mark.parametrize(
    ("screen", "taken"),
    [
        ("> please do not", True),
        ("> see [Image #1] here", False),
        (f"> [Pasted Content {len(LONG)} chars]", False),
    ],
)
def test_what_may_be_put_aside_is_told_and_what_cannot_be_typed_again_stays(
    bench: Bench, screen: str, taken: bool
) -> None:
    bench.runtime.show("p-1", screen)
    bench.on_enter(lambda: bench.agent.took("p-1", NOW, TEXT))
    draft = screen.removeprefix("> ")
    done = bench.deliver(TEXT, aside=draft)
    assert (done.aside, done.arrival) == (taken, Arrival.DELIVERED if taken else Arrival.NOT_NOW)
    if taken:
        bench.runtime.show("p-1", PLACE)
        assert bench.message_delivery.put_back(draft)
        assert (bench.runtime.screens(["p-1"])["p-1"], bench.enters) == (screen, 1)


def test_a_person_who_reads_back_in_the_terminal_is_waited_for(bench: Bench) -> None:
    views = bench.runtime.views
    bench.runtime.views = lambda names: {
        name: replace(view, scrolled=True) for name, view in views(names).items()
    }  # type: ignore[method-assign]
    done = bench.deliver(TEXT)
    assert (done.arrival, bench.marked) == (Arrival.NOT_NOW, 0)
    assert "copy mode" in done.detail
    assert bench.settle(alive=True).arrival is Arrival.UNSURE


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
def test_the_end_of_a_text_is_found_however_the_terminal_broke_it(
    screen: str | None, text: str, found: bool
) -> None:
    assert shows(screen, text) is found
