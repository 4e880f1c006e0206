"""The numbers in the text formats of Prometheus. Names and label sets are fixed: no session,
project or address is a label.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import choose_encoder

from ennio.model.events import EventType

if TYPE_CHECKING:
    from ennio.actors.orchestrator import Numbers

_PLUGIN = ("slot", "plugin")


class _Numbers:
    """What prometheus_client collects."""

    def __init__(self, numbers: Numbers) -> None:
        self._numbers = numbers

    def collect(self) -> Iterator[Any]:
        """Every family."""
        yield from _sessions(self._numbers)
        yield from _events(self._numbers)
        yield from _plugins(self._numbers)
        yield from _condition(self._numbers)


def exposition(numbers: Numbers, accept: str) -> tuple[str, bytes]:
    """Media type and body for a scraper that accepts these."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Numbers(numbers))
    encode, media = choose_encoder(accept)
    return media, encode(registry)


def _sessions(numbers: Numbers) -> Iterator[Any]:
    spawned, killed = (
        numbers.events_of(kind) for kind in (EventType.SESSION_SPAWNED, EventType.SESSION_KILLED)
    )
    yield _counter("ennio_sessions_spawned", "Sessions whose agent was started.", spawned)
    yield _counter("ennio_sessions_killed", "Sessions that were killed.", killed)
    yield _counter(
        "ennio_sessions_completed", "Sessions that were merged or are done.", numbers.completed
    )
    yield _gauge("ennio_sessions_active", "Sessions that have not ended.", numbers.active)
    yield _gauge("ennio_queue_length", "Sessions that wait for a place.", numbers.queue)
    lives = HistogramMetricFamily(
        "ennio_session_duration_seconds", "From spawn to end of sessions that have ended for good."
    )
    told = numbers.lives
    lives.add_metric([], _buckets(told.bounds, told.within), told.total)
    yield lives
    yield from _money(numbers)


def _money(numbers: Numbers) -> Iterator[Any]:
    """A total of which nothing is known has no sample, and so no zero."""
    spent = numbers.spent
    for name, words, known in (
        ("ennio_cost_usd", "What all sessions were billed, as far as known.", spent.known_billed),
        ("ennio_plan_usd", "What plans gave at list price, as far as known.", spent.known_listed),
    ):
        family = CounterMetricFamily(name, words)
        if known is not None:
            family.add_metric([], float(known))
        yield family
    yield _gauge("ennio_requests_unpriced", "Requests whose money nobody knows.", spent.unpriced)


def _events(numbers: Numbers) -> Iterator[Any]:
    yield _counter("ennio_events", "Events in the log.", sum(numbers.events.values()))
    triggered = numbers.events_of(EventType.REACTION_TRIGGERED)
    escalated = numbers.events_of(EventType.REACTION_ESCALATED)
    yield _counter("ennio_reactions_triggered", "Reactions that did something.", triggered)
    yield _counter("ennio_reactions_escalated", "Reactions that called a person.", escalated)
    yield _counter(
        "ennio_usage_differences",
        "Launches whose agent tells of other usage than the metering proxy counted.",
        numbers.events_of(EventType.USAGE_DIFFERS),
    )
    yield _counter(
        "ennio_usage_unknown",
        "Times that requests were cut off with the metering proxy: their usage nobody knows.",
        numbers.events_of(EventType.USAGE_UNKNOWN),
    )


def _plugins(numbers: Numbers) -> Iterator[Any]:
    calls = CounterMetricFamily("ennio_plugin_calls", "Calls of plugins.", labels=_PLUGIN)
    failed = CounterMetricFamily(
        "ennio_plugin_errors", "Calls of plugins that raised.", labels=_PLUGIN
    )
    took = HistogramMetricFamily(
        "ennio_plugin_call_duration_seconds", "How long calls of plugins took.", labels=_PLUGIN
    )
    for labels, told in numbers.calls.items():
        calls.add_metric(labels, told.calls)
        failed.add_metric(labels, told.failed)
        took.add_metric(labels, _buckets(told.bounds, told.within), told.seconds)
    yield from (calls, failed, took)


def _condition(numbers: Numbers) -> Iterator[Any]:
    yield _gauge("ennio_ready", "Whether the supervisor can do its work.", int(numbers.ready))
    degraded = GaugeMetricFamily("ennio_degraded", "What is not well, by part.", labels=("part",))
    for part, many in sorted(Counter(each.part for each in numbers.degraded).items()):
        degraded.add_metric([part], many)
    yield degraded


def _counter(name: str, words: str, value: float) -> Any:
    return CounterMetricFamily(name, words, value=value)


def _gauge(name: str, words: str, value: float) -> Any:
    return GaugeMetricFamily(name, words, value=value)


def _buckets(bounds: Sequence[float], within: Sequence[int]) -> list[tuple[str, float]]:
    """Cumulative, as Prometheus has them."""
    sums = [sum(within[: at + 1]) for at in range(len(within))]
    return [
        *((f"{float(most):g}", many) for most, many in zip(bounds, sums, strict=False)),
        ("+Inf", sums[-1]),
    ]
