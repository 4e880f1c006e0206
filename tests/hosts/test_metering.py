"""What a host makes of what its proxy counted and of what an agent tells of the same."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ennio.config.money import Budget, BudgetScope
from ennio.hosts.metering import KEY, HostMeter, SessionMeter
from ennio.hosts.session_files import SessionFiles
from ennio.machine.home import Home
from ennio.machine.local import LocalMachine
from ennio.model.facts import AgentSeen
from ennio.model.usage import Billing, MeterNews, RequestUsage, Tokens
from ennio.plugins.agent.interface import Reading
from ennio.policy.budgets.applied import AppliedBudget
from ennio.policy.budgets.headroom import Headroom, SessionHeadroom
from ennio.policy.budgets.standing import standing
from ennio.policy.budgets.windows import WHOLE
from ennio.proxy import headroom, journal
from ennio.proxy.apis import Measured
from ennio.proxy.journal import Begun, Ended

T0 = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Place:
    """A session of a host without a proxy that runs: its journal is written here."""

    def __init__(self, root: Path) -> None:
        self.meter = HostMeter(root, {})
        self.meter.directory.make()
        self.files = SessionFiles(LocalMachine(), Home(root), "s-1")
        self.cursor: Mapping[str, str] = {}
        self.chosen = False
        self.told: tuple[MeterNews, ...] = ()
        self.seen = AgentSeen(T0, "test")

    def begins(self, number: int, second: float, *, metered: bool) -> None:
        at = T0 + timedelta(seconds=second)
        self.chosen = self.meter.begins(self.files, number, at, metered=metered)

    def passes(self, name: str, second: float, launch: int, given: int | None, **more: int) -> None:
        """A request that ended at that second."""
        at = (T0 + timedelta(seconds=second)).timestamp()
        directory = self.meter.directory
        journal.note(directory, "s-1", Begun(name, launch, "messages", at))
        used = Measured(model="m", input_tokens=given, output_tokens=None if given is None else 5)
        ended = Ended(name, launch, "messages", at, more.get("status", 200), True, used)
        journal.note(directory, "s-1", ended)

    def look(self, *told: RequestUsage, second: float = 0.0) -> dict[str, RequestUsage]:
        """One look; what is to be posted."""
        meter = self.meter.of(self.files)
        assert isinstance(meter, SessionMeter)
        reading = Reading(self.seen, {"own": "1"}, requests=told, billing=Billing.PLAN)
        now = T0 + timedelta(seconds=second)
        read, self.told = meter.read(reading, self.cursor, now)
        self.cursor, self.seen = read.cursor, read.seen
        return {one.id: one for one in read.requests or ()}


def told(name: str, second: float, given: int = 10) -> RequestUsage:
    """A request as an agent writes it down."""
    return RequestUsage(name, T0 + timedelta(seconds=second), Tokens(given, 5), "m")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_what_is_left_holds_no_longer_where_more_cannot_be_written(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    budget = AppliedBudget(Budget(BudgetScope.GLOBAL, limit_tokens=1), "")
    before = Headroom((standing(budget, WHOLE, {}),))
    place.meter.limit(before)
    with monkeypatch.context() as at_once:
        at_once.setattr(headroom, "write_atomically", full)
        with pytest.raises(OSError, match="No space"):
            place.meter.limit(replace(before, sessions={"s-1": SessionHeadroom(0, None, ())}))
    assert not place.meter.directory.headroom.exists()
    place.meter.limit(before)
    assert headroom.read(place.meter.directory) == before


def test_of_a_session_that_never_went_past_the_proxy_nothing_is_kept(place: Place) -> None:
    place.begins(1, 0, metered=False)
    assert place.meter.of(place.files) is None
    assert not place.files.folder.exists()


def test_what_passed_is_posted_and_what_the_agent_tells_of_it_is_not(place: Place) -> None:
    place.begins(1, 0, metered=True)
    place.passes("a", 5, 1, 10)
    found = place.look(told("msg", 5))
    assert set(found) == {"a"}
    assert (found["a"].tokens, found["a"].launch, found["a"].billing) == (
        Tokens(10, 5),
        1,
        Billing.PLAN,
    )
    assert place.look(told("msg", 5)) == {}, "nor when it is told again"


def test_switched_on_and_off_between_launches_each_request_counts_by_its_launch(
    place: Place,
) -> None:
    place.begins(1, 0, metered=True)
    place.passes("a", 5, 1, 10)
    place.begins(2, 100, metered=False)
    # what was told of the first launch is read only now
    assert set(place.look(told("first", 5), told("second", 105))) == {"a", "second"}
    place.begins(3, 200, metered=True)
    place.passes("b", 205, 3, 20)
    assert set(place.look(told("late", 150), told("third", 205, 20))) == {"late", "b"}


def test_a_launch_that_is_begun_again_after_a_crash_keeps_its_time_and_its_choice(
    place: Place,
) -> None:
    place.begins(1, 0, metered=True)
    again = Place(place.files.folder.parents[1])
    again.begins(1, 50, metered=False)
    assert again.chosen
    again.passes("a", 5, 1, 10)
    assert set(again.look(told("msg", 5))) == {"a"}


def test_an_answer_that_does_not_say_what_it_used_is_unknown_and_an_error_is_nothing(
    place: Place,
) -> None:
    place.begins(1, 0, metered=True)
    place.passes("a", 5, 1, None)
    place.passes("b", 6, 1, None, status=429)
    found = place.look()
    assert [(one.id, one.unmeasured) for one in found.values()] == [("a", True)]
    assert place.seen.counted is not None
    assert (place.seen.counted.requests, place.seen.counted.unknown) == (1, 1)


def test_a_request_whose_proxy_is_gone_is_unknown_and_told_of_once(place: Place) -> None:
    place.begins(1, 0, metered=True)
    cut = Begun("a", 1, "messages", T0.timestamp(), 4_000_000)
    journal.note(place.meter.directory, "s-1", cut)
    found = place.look()
    assert [(one.id, one.unmeasured) for one in found.values()] == [("a", True)]
    assert place.told == (MeterNews.CUT_OFF,)
    assert (place.look(), place.told) == ({}, ())


def test_a_difference_that_lasts_is_told_once_for_a_launch(place: Place) -> None:
    place.begins(1, 0, metered=True)
    place.passes("a", 5, 1, 10)
    place.passes("title", 6, 1, 3)
    place.look(told("msg", 5), second=7)
    assert place.told == (), "an agent may write a moment later"
    place.look(second=17)
    assert place.told == (MeterNews.DIFFERS,)
    assert place.seen.counted is not None
    assert place.seen.counted.differs
    place.passes("b", 20, 1, 10)
    place.look(second=60)
    assert place.told == ()
    place.begins(2, 100, metered=True)
    place.passes("c", 105, 2, 10)
    place.look(told("more", 105), second=200)
    assert place.told == ()
    assert not place.seen.counted.differs or place.seen.counted.launch == 2


def test_an_agent_that_tells_nothing_is_not_compared(place: Place) -> None:
    place.begins(1, 0, metered=True)
    place.passes("a", 5, 1, 10)
    meter = place.meter.of(place.files)
    assert meter is not None
    read, news = meter.read(Reading(place.seen, {}), {}, T0 + timedelta(hours=1))
    assert (news, read.seen.counted is not None and read.seen.counted.told) == ((), None)


def test_answers_that_the_agent_tells_again_as_they_grow_are_one(place: Place) -> None:
    place.begins(1, 0, metered=True)
    for number in range(50):
        place.passes(f"p{number}", number, 1, 10)
        place.look(told(f"m{number}", number, 4))
        place.look(told(f"m{number}", number))
    counted = place.seen.counted
    assert counted is not None
    assert (counted.requests, counted.told_requests, counted.differs) == (50, 50, False)
    assert len(place.cursor[KEY]) < 4000
