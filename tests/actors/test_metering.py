"""A session's numbers are written with the events they follow from, and survive the actor."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from ennio.model.pulls import CheckState
from ennio.model.session import Activity, SessionStatus, Usage
from ennio.store.ledger import Selection
from tests.actors.ground import Stage
from tests.conftest import eventually


def test_a_session_is_metered_from_its_spawn_to_its_merge(stage: Stage) -> None:
    session_id = stage.working()
    stage.says(session_id, Activity.ACTIVE, ready=True, usage=Usage(1200, 30, Decimal("0.12")))
    stage.clock.advance(60)
    number = stage.pull(session_id)
    stage.forge.checks(number, CheckState.FAILING)
    stage.until(session_id, SessionStatus.CI_FAILED, SessionStatus.CI_FIX_SENT)
    found = stage.deps.store.metrics.get(session_id)
    assert (found.ci_runs, found.ci_failures, found.time_to_merge_secs) == (1, 1, None)
    assert found.time_to_first_pr_secs is not None
    assert found.time_to_first_pr_secs >= 60
    eventually(
        lambda: stage.deps.store.metrics.get(session_id).estimated_cost_usd == Decimal("0.12")
    )
    stage.crash_session(session_id)
    stage.look()
    again = stage.deps.store.metrics.get(session_id)
    assert (again.ci_runs, again.ci_failures, again.total_tokens_in) == (1, 1, 1200)
    spent = stage.deps.store.ledger.spent(Selection(session_id=session_id))
    assert (spent.requests, spent.billed) == (1, Decimal("0.12"))


def test_incident_39_a_session_that_is_read_again_after_a_crash_is_charged_once(
    stage: Stage,
) -> None:
    session_id = stage.working()
    told = Usage(1200, 30, Decimal("0.12"))
    stage.says(session_id, Activity.ACTIVE, ready=True, usage=told)
    ledger = stage.deps.store.ledger
    eventually(lambda: ledger.spent(Selection(session_id=session_id)).requests == 1)
    stage.crash_session(session_id)
    stage.says(session_id, Activity.READY, ready=True, usage=told)
    more = replace(told, input_tokens=1500, cost_usd=Decimal("0.15"))
    stage.says(session_id, Activity.ACTIVE, ready=True, usage=more)
    eventually(lambda: ledger.spent(Selection(session_id=session_id)).billed == Decimal("0.15"))
    assert ledger.spent(Selection(session_id=session_id)).tokens.given == 1500
    shown = stage.deps.store.sessions.need(session_id).usage
    assert shown is not None
    assert (shown.input_tokens, shown.cost_usd) == (1500, Decimal("0.15"))
