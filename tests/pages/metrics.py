"""The table of the metrics, from what a scraper is shown."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.parser import text_string_to_metric_families

from ennio.actors.metrics import Numbers
from ennio.http.exposition import exposition
from ennio.model.histogram import Histogram
from ennio.plugins.observed import CallStatistics
from ennio.policy.degradation import Degradation
from ennio.policy.ledger.spending import Spending
from ennio.store.totals import LIFE_BOUNDS
from tests.pages.markdown import table

SAMPLE = Numbers(
    events={},
    completed=0,
    active=0,
    lives=Histogram.of(LIFE_BOUNDS),
    spent=Spending(),
    queue=0,
    ready=True,
    degraded=(Degradation("part", "name", "detail", blocks=False),),
    calls={("slot", "plugin"): CallStatistics()},
)


def metrics() -> Iterator[str]:
    """Every family, in the order in which it is told."""
    _, body = exposition(SAMPLE, "")
    yield from table(
        ("Name", "Kind", "Labels", "Means"),
        (
            (f"`{_name(family)}`", family.type, _labels(family), family.documentation)
            for family in text_string_to_metric_families(body.decode())
        ),
    )


def _name(family: object) -> str:
    name, kind = str(getattr(family, "name", "")), getattr(family, "type", "")
    return f"{name}_total" if kind == "counter" else name


def _labels(family: object) -> str:
    named = {label for sample in getattr(family, "samples", ()) for label in sample.labels} - {"le"}
    return ", ".join(f"`{label}`" for label in sorted(named))
