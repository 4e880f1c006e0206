"""What a scraper reads, held against the parser that scrapers use."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import falcon.testing
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_families
from prometheus_client.parser import text_string_to_metric_families as families

from ennio.http.app import create_app
from ennio.http.exposition import exposition
from ennio.model.events import EventType
from ennio.model.histogram import Histogram
from ennio.store.totals import LIFE_BOUNDS
from tests.http.api import TOKEN
from tests.http.small_orchestrator import SmallOrchestrator

DOCUMENTED = {
    "ennio_sessions_spawned_total": "counter",
    "ennio_sessions_killed_total": "counter",
    "ennio_sessions_completed_total": "counter",
    "ennio_events_total": "counter",
    "ennio_plugin_calls_total": "counter",
    "ennio_cost_usd_total": "counter",
    "ennio_reactions_triggered_total": "counter",
    "ennio_reactions_escalated_total": "counter",
    "ennio_usage_differences_total": "counter",
    "ennio_usage_unknown_total": "counter",
    "ennio_sessions_active": "gauge",
    "ennio_session_duration_seconds": "histogram",
    "ennio_plugin_call_duration_seconds": "histogram",
}


@pytest.fixture
def scrape(orchestrator: SmallOrchestrator) -> Any:
    client = falcon.testing.TestClient(
        create_app(orchestrator, TOKEN), headers={"Host": "localhost:3000"}
    )

    def ask(path: str = "/metrics", **headers: str) -> Any:
        return client.simulate_get(path, headers={"Authorization": f"Bearer {TOKEN}"} | headers)

    return ask


def _samples(text: str) -> dict[str, float]:
    return {
        sample.name + (str(sorted(sample.labels.items())) if sample.labels else ""): sample.value
        for family in families(text)
        for sample in family.samples
    }


def test_every_documented_name_is_there_with_its_type(
    scrape: Any, orchestrator: SmallOrchestrator, session_id: str
) -> None:
    orchestrator.deps.plugins.runtime("stub").survey()
    answer = scrape()
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    text = answer.text
    kinds = {
        line.split()[2]: line.split()[3] for line in text.splitlines() if line.startswith("# TYPE")
    }
    assert {name: kinds.get(name) for name in DOCUMENTED} == DOCUMENTED
    found = _samples(text)
    assert found["ennio_sessions_spawned_total"] == 1
    assert found["ennio_sessions_active"] == 1
    assert found["ennio_events_total"] == sum(orchestrator.store.events.counts().values())
    assert found["ennio_plugin_calls_total[('plugin', 'stub'), ('slot', 'runtime')]"] == 1
    assert found["ennio_ready"] == 0, "a house without actors can do nothing"
    assert scrape("/api/v1/metrics").text.splitlines()[0] == text.splitlines()[0]


def test_a_scraper_that_knows_open_metrics_gets_them(scrape: Any, session_id: str) -> None:
    answer = scrape(Accept="application/openmetrics-text;version=1.0.0")
    assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
    assert {"ennio_events", "ennio_sessions_active"} <= {
        each.name for each in open_families(answer.text)
    }


def test_the_number_of_series_does_not_grow_with_sessions(
    scrape: Any, orchestrator: SmallOrchestrator, session_id: str
) -> None:
    before = set(_samples(scrape().text))
    for number in range(5):
        orchestrator.tell(session_id, f"told {number}", EventType.REACTION_TRIGGERED)
    after = _samples(scrape().text)
    assert set(after) == before
    assert after["ennio_reactions_triggered_total"] == 5
    assert session_id not in scrape().text


def test_nobody_scrapes_without_a_token(scrape: Any) -> None:
    assert scrape(Authorization="Bearer wrong").status_code == 401
    assert scrape("/api/v1/metrics", Authorization="Bearer wrong").status_code == 401


def test_the_buckets_of_lives_are_cumulative(scrape: Any, orchestrator: SmallOrchestrator) -> None:
    told = replace(
        orchestrator.supervisor.metrics(), lives=Histogram.of(LIFE_BOUNDS, (60.0, 61.0, 10.0**9))
    )
    _, body = exposition(told, "")
    found = [
        value
        for name, value in _samples(body.decode()).items()
        if name.startswith("ennio_session_duration_seconds_bucket")
    ]
    assert found == [1.0] + [2.0] * (len(LIFE_BOUNDS) - 1) + [3.0]
