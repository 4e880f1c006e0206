"""Pollers: one question for everybody, never two at once, slower while the source is in trouble."""

from __future__ import annotations

from typing import Any

import gevent
import pytest

from ennio.actors.actor import wound_up
from ennio.actors.messages import LookNow, Wake
from ennio.actors.poller import Pace
from ennio.actors.registry import forge_name, runtime_name
from ennio.config.model import Poll
from ennio.model.errors import Unreachable
from ennio.model.facts import Presence
from ennio.model.session import SessionStatus
from tests.actors.ground import Play, Stage
from tests.conftest import eventually

FORGE = forge_name("play")


def test_looks_never_overlap_and_many_orders_make_one(stage: Stage) -> None:
    stage.working()
    under_way, most, looks = [0], [0], [0]

    def slowly() -> None:
        looks[0] += 1
        under_way[0] += 1
        most[0] = max(most[0], under_way[0])
        gevent.sleep(0.2)
        under_way[0] -= 1

    eventually(lambda: stage.orchestrator.supervisor.health()[FORGE].looks > 0)
    stage.forge.before["survey"] = slowly
    eventually(lambda: under_way[0] == 1)
    for _ in range(500):
        stage.deps.actors.tell(FORGE, LookNow())
        stage.deps.actors.tell(FORGE, Wake())
    at = looks[0]
    eventually(lambda: looks[0] > at, why="an order given during a look is not lost")
    assert looks[0] - at <= 2, "a thousand orders during one look make one look more"
    assert most[0] == 1


def test_an_order_to_look_given_during_a_look_is_not_lost(play: Play) -> None:
    play.settings["poll"] = Poll(0.02, 0.02, 600.0)
    with play.opened() as stage:
        stage.working()
        eventually(lambda: stage.forge.surveys > 0)
        let_go: list[bool] = []
        stage.forge.before["survey"] = lambda: eventually(lambda: let_go) and None
        stage.deps.actors.tell(FORGE, LookNow())
        before = stage.forge.surveys
        eventually(lambda: stage.forge.surveys > before)
        stage.deps.actors.tell(FORGE, LookNow())
        stage.orchestrator.supervisor.health()
        let_go.append(True)
        eventually(lambda: stage.forge.surveys >= before + 2)


def test_a_steady_stream_of_orders_does_not_put_the_look_off(stage: Stage) -> None:
    stage.working()
    eventually(lambda: stage.forge.surveys > 0)
    before, tired = stage.forge.surveys, []
    expedite = gevent.spawn(_expedite, stage, tired)
    eventually(
        lambda: stage.forge.surveys >= before + 3,
        why="somebody who is always in a hurry is not served never",
    )
    tired.append(True)
    expedite.join()


def _expedite(stage: Stage, tired: list[bool]) -> None:
    while not tired:
        stage.deps.actors.tell(FORGE, LookNow())
        gevent.sleep(0.002)


def test_a_slow_forge_keeps_nobody_waiting(stage: Stage) -> None:
    session_id = stage.working()
    before = stage.forge.surveys
    stage.forge.before["survey"] = lambda: gevent.sleep(600)
    eventually(lambda: stage.forge.surveys > before)
    assert FORGE in stage.orchestrator.supervisor.health(), "the poller answers while it looks"
    stage.runtime.finish(session_id, exit_code=1)
    stage.until(session_id, SessionStatus.EXITED)


def test_a_source_in_trouble_is_asked_less_and_less_often() -> None:
    pace = Pace(2.0)
    waits = []
    for failures in range(10):
        pace.failures = failures
        waits.append(pace.wait())
    assert waits[:5] == [2.0, 4.0, 8.0, 16.0, 32.0]
    assert set(waits[5:]) == {60.0}
    assert Pace(120.0, failures=9).wait() == 120.0, "never more often than it was configured"


def test_trouble_is_shown_told_as_unknown_and_forgotten_when_it_is_over(stage: Stage) -> None:
    session_id = stage.working()
    stage.look()
    stage.runtime.unreachable = "the socket is gone"
    eventually(lambda: not stage.orchestrator.supervisor.health()[runtime_name("stub")].ok)
    health = stage.orchestrator.supervisor.status()["sources"][runtime_name("stub")]
    assert (health["ok"], health["detail"]) == (False, "the socket is gone")
    facts = eventually(
        lambda: (
            (f := stage.deps.store.facts.get(session_id).process)
            and f.presence is Presence.UNKNOWN
            and f
        )
    )
    assert facts.detail == "the socket is gone"  # type: ignore[attr-defined]
    stage.runtime.unreachable = ""
    eventually(lambda: stage.orchestrator.supervisor.health()[runtime_name("stub")].ok)


def test_incident_33_two_hundred_sessions_are_one_survey_a_tick(play: Play) -> None:
    play.settings["poll"] = Poll(0.2, 0.2, 0.2)
    with play.opened() as stage:
        for number in range(200):
            stage.spawn(f"number {number}", branch=f"b{number}")
        eventually(lambda: len(stage.runtime.launches) == 200, within=60)
        eventually(lambda: stage.orchestrator.supervisor.health()[FORGE].watched == 200)
        stage.look()
        for name, count in (
            (runtime_name("stub"), lambda: stage.runtime.surveys),
            (FORGE, lambda: stage.forge.surveys),
        ):
            looks, surveys = stage.orchestrator.supervisor.health()[name].looks, count()
            eventually(
                lambda name=name, wanted=looks + 4: (
                    stage.orchestrator.supervisor.health()[name].looks >= wanted
                )
            )
            # one may be under way at either end
            assert (
                abs(
                    (count() - surveys)
                    - (stage.orchestrator.supervisor.health()[name].looks - looks)
                )
                <= 1
            )


def test_incident_24_a_nudge_that_came_too_soon_after_a_look_does_not_wait_for_the_next_poll(
    play: Play,
) -> None:
    play.settings["poll"] = Poll(0.02, 0.02, 600)
    with play.opened() as stage:
        stage.working()
        stage.forge.next_due = lambda: 0.05  # type: ignore[attr-defined]
        before = stage.forge.surveys
        stage.deps.actors.tell(FORGE, LookNow())
        eventually(lambda: stage.forge.surveys >= before + 3)


def test_who_is_cleaned_up_is_watched_no_more(stage: Stage) -> None:
    session_id = stage.working()
    stage.orchestrator.sessions.kill(session_id)
    eventually(lambda: session_id in stage.runtime.stopped)
    stage.orchestrator.workspaces.cleanup(session_id, None, dry_run=False, force=True)
    eventually(
        lambda: all(
            health.watched == 0 for health in stage.orchestrator.supervisor.health().values()
        )
    )


@pytest.mark.parametrize("error", [Unreachable("503"), None])
def test_unchanged_news_are_not_told_again(
    stage: Stage, error: Unreachable | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = stage.working()
    stage.pull(session_id)
    stage.forge.trouble = error
    stage.look()
    stage.quiet()
    told: list[object] = []
    real = stage.deps.actors.tell
    poller = stage.deps.actors

    def tell(name: str, message: object) -> bool:
        if type(message).__name__ == "ForgeObserved":
            told.append(message)
        return real(name, message)

    monkeypatch.setattr(poller, "tell", tell)
    before = stage.forge.surveys
    eventually(lambda: stage.forge.surveys >= before + 3)
    assert not told


def test_a_stop_during_a_look_shows_no_traceback(
    play: Play, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    looking: list[int] = []

    def survey() -> dict[str, Any]:
        looking.append(1)
        try:
            gevent.sleep(600)
        finally:
            raise RuntimeError("its pipe was closed under it")

    with play.opened() as stage:
        stage.working()
        monkeypatch.setattr(stage.runtime, "survey", survey)
        eventually(lambda: looking)
    assert wound_up(5)
    said = capfd.readouterr()
    assert "Traceback" not in said.err + said.out
