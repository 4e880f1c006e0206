"""Money that nobody knows, or knows a part of only, on every face that shows money."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from ennio.actors.live_rows import LiveRows
from ennio.actors.orchestrator import CostKey, Selection
from ennio.board.row import Row
from ennio.board.style import Style
from ennio.cli.detail_view import detail_lines
from ennio.cli.verbs import cost
from ennio.http.exposition import exposition
from ennio.model.codec import shown
from ennio.model.session import Activity, Usage
from ennio.policy.reactions.summary import summary
from tests.actors.ground import Stage
from tests.conftest import eventually

_WHOLE = tuple(by for by in CostKey if by is not CostKey.MODEL)
PLAIN = Style(on=False)
UNKNOWN = (Usage(1200, 30, None, "unheard-of"),)
PARTLY = (Usage(1200, 30, Decimal("0.12"), "m"), Usage(2400, 60, None, "unheard-of"))
FREE_AND_UNKNOWN = (Usage(1200, 30, Decimal(0), "m"), Usage(2400, 60, None, "unheard-of"))


def _used(stage: Stage, tellings: tuple[Usage, ...]) -> str:
    session_id: str = stage.working()
    for told in tellings:
        stage.says(session_id, Activity.ACTIVE, ready=True, usage=told)
        eventually(
            lambda told=told: (
                stage.deps.store.metrics.get(session_id).total_tokens_in == told.input_tokens
            )
        )
    stage.quiet()
    return session_id


def _documents(stage: Stage, session_id: str) -> Iterator[tuple[str, Any]]:
    """What the API answers, and what is told on NATS and in events."""
    sessions, costs = stage.orchestrator.sessions, stage.orchestrator.costs
    yield "a session", sessions.detail(session_id)
    yield "sessions", sessions.list()
    yield "its metrics", costs.metrics(session_id)
    for by in _WHOLE:
        yield f"costs by {by}", costs.report(by, Selection())
    yield "accounts", [one for one in costs.accounts() if one.unpriced_requests]
    yield "events", stage.deps.store.events.after(0)


def _texts(stage: Stage, session_id: str) -> Iterator[tuple[str, str]]:
    """What a person reads."""
    session = shown(stage.orchestrator.sessions.detail(session_id))
    now = stage.clock.now() + timedelta(seconds=1)
    yield "session info", "\n".join(detail_lines(session, now, PLAIN))
    yield "notice", "\n".join(summary("agent-stuck", stage.session(session_id), "works"))
    for by in _WHOLE:
        report = shown(stage.orchestrator.costs.report(by, Selection()))
        yield f"cost by {by}", "\n".join(cost._table(report, None))


def _moneys(document: Any, name: str = "") -> Iterator[tuple[str, str | None]]:
    if isinstance(document, Mapping):
        for key, value in document.items():
            yield from _moneys(value, key)
    elif isinstance(document, list):
        for value in document:
            yield from _moneys(value, name)
    elif "usd" in name:
        yield name, document


@pytest.mark.parametrize(
    ("tellings", "known"),
    [(UNKNOWN, None), (PARTLY, Decimal("0.12")), (FREE_AND_UNKNOWN, None)],
    ids=["nothing is known", "a part is known", "the known part is nothing"],
)
def test_no_face_shows_a_zero_for_what_is_unknown(
    stage: Stage, tellings: tuple[Usage, ...], known: Decimal | None
) -> None:
    session_id = _used(stage, tellings)
    for face, document in _documents(stage, session_id):
        told = [
            None if value is None else abs(Decimal(value))
            for name, value in _moneys(json.loads(json.dumps(shown(document))))
            if name not in ("listed_usd", "debits_usd", "credits_usd")
        ]
        assert face == "events" or told, f"{face} shows no money"
        assert set(told) <= {known}, face
    for face, text in _texts(stage, session_id):
        assert "?" in text, face
        assert not re.search(r"\$0(\.0+)?(?![\d.])", text), f"{face}: {text}"
        if known is not None:
            assert "$0.12" in text, face


def test_what_was_free_is_a_zero_beside_what_is_unknown(stage: Stage) -> None:
    _used(stage, FREE_AND_UNKNOWN)
    costs = stage.orchestrator.costs
    rows = costs.report(CostKey.MODEL, Selection()).rows
    assert {row.key: row.billed_usd for row in rows} == {"m": Decimal(0), "unheard-of": None}
    points = costs.spend(None, None).points
    assert {one.model: one.billed_usd for one in points} == {"m": Decimal(0), "unheard-of": None}


def test_what_is_told_of_a_session_that_changes_has_no_zero_for_what_is_unknown(
    stage: Stage,
) -> None:
    session_id = _used(stage, UNKNOWN)
    rows = LiveRows(stage.deps)
    rows.written(stage.session(session_id))
    told = [json.loads(message.payload) for message in rows.taken()]
    (numbers,) = (one for one in told if "estimated_cost_usd" in one)
    assert (numbers["estimated_cost_usd"], numbers["unpriced_requests"]) == (None, 1)
    (shown_row,) = (one["usage"] for one in told if "usage" in one)
    assert (shown_row["cost_usd"], shown_row["unpriced"]) == (None, 1)


def test_a_row_of_the_board_shows_a_mark_for_what_nobody_knows(stage: Stage) -> None:
    session = shown(stage.orchestrator.sessions.detail(_used(stage, UNKNOWN)))
    assert Row.of(session).cost == "?"


def test_a_scraper_gets_no_sample_of_what_is_unknown_and_is_told_that_it_is(stage: Stage) -> None:
    def scraped() -> list[str]:
        _, body = exposition(stage.orchestrator.supervisor.metrics(), "")
        found = (line for line in body.decode().splitlines() if not line.startswith("#"))
        return [line for line in found if "usd" in line or "unpriced" in line]

    assert scraped() == [
        "ennio_cost_usd_total 0.0",
        "ennio_plan_usd_total 0.0",
        "ennio_requests_unpriced 0.0",
    ], "nothing was used: that is known"
    _used(stage, UNKNOWN)
    assert scraped() == ["ennio_plan_usd_total 0.0", "ennio_requests_unpriced 1.0"]
    _used(stage, PARTLY)
    assert scraped() == [
        "ennio_cost_usd_total 0.12",
        "ennio_plan_usd_total 0.0",
        "ennio_requests_unpriced 2.0",
    ]


def test_comma_separated_values_are_empty_where_nothing_is_known(stage: Stage) -> None:
    session_id = _used(stage, UNKNOWN)
    titles, line = cost._csv(shown(stage.orchestrator.costs.report(CostKey.SESSION, Selection())))
    found = dict(zip(titles.split(","), line.split(","), strict=True))
    assert (found["session"], found["unpriced_requests"]) == (session_id, "1")
    assert (found["cost_usd"], found["billed_usd"]) == ("", "")
