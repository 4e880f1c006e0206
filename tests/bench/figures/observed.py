"""What it costs to be watched: durable transitions with all of it on, beside the same without.

On means: a scraper that comes with every second of the processor (the usual one comes every
fifteen by the clock), spans that are sent to a receiver, one for what an agent used with every
twentieth transition, as often as in the demo, and the log in JSON; every twentieth transition is an
entry of it, as it is one in text of the bare counterpart.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from ennio import tracing
from ennio.actors.dependencies import Dependencies
from ennio.actors.metrics import MetricsReader
from ennio.actors.registry import ActorRegistry
from ennio.config.model import Config
from ennio.hosts.plugin_host import PluginHost
from ennio.http.exposition import exposition
from ennio.logs import Formatter, JsonFormatter, redact
from ennio.machine.home import Home
from ennio.model.clock import SystemClock
from ennio.plugins.registry import Registry
from ennio.store import Store
from tests.bench.figure import Figure, Group, Run, Wanted
from tests.bench.figures.commits import transitions_in, with_session
from tests.bench.timing import beside
from tests.otlp import receiving_elsewhere

OFTEN = 20
USED = {"gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 10}
log = logging.getLogger("ennio.logs")


def measure(run: Run) -> Iterator[Figure]:
    """Both in the same file, by turns."""
    seconds, numbers = (0.3 if run.quick else 1.0), count()
    run.say("what it costs to be watched ...")
    store = with_session(f"sqlite:{run.root / 'watched.db'}")
    reader, transition = MetricsReader(_dependencies(store, run.root)), transitions_in(store)
    with _logging(run.root / "watched.log") as handler, receiving_elsewhere() as url:

        def watched() -> float:
            handler.setFormatter(JsonFormatter(redact))
            os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = url
            tracing.begin(os.environ)
            try:
                return of_processor(seen(transition, reader), numbers, seconds, tracing.end)
            finally:
                del os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"]

        def alone() -> float:
            handler.setFormatter(Formatter(redact))
            return of_processor(seen(transition, None), numbers, seconds)

        value, baseline = beside(run.times(3, 21), watched, alone)
    wanted = Wanted("ratio", 0.97, most=False)
    yield Figure("watched.transitions", value, "per s of processor", baseline, wanted)


def of_processor(
    deed: Callable[[int], None],
    numbers: Iterator[int],
    seconds: float,
    end: Callable[[], None] = lambda: None,
) -> float:
    """How often a deed is done in a second of the processor's time, with all that is left to do at
    the end of it: three in a hundred are less than what other programs take or leave.
    """
    begun, done = time.process_time(), 0
    while time.process_time() - begun < seconds:
        deed(next(numbers))
        done += 1
    end()
    return done / (time.process_time() - begun)


def seen(transition: Callable[[int], None], reader: MetricsReader | None) -> Callable[[int], None]:
    """The transition, and what is told of it."""
    scraped = time.process_time()

    def done(number: int) -> None:
        nonlocal scraped
        transition(number)
        if number % OFTEN == 0:
            tracing.usage("bench", "s-1", "model", USED)
            log.warning("changed", extra={"session": "s-1", "number": number})
        if reader is not None and time.process_time() - scraped > 1.0:
            scraped = time.process_time()
            exposition(reader.read(None), "")

    return done


@contextmanager
def _logging(file: Path) -> Iterator[logging.Handler]:
    handler = logging.FileHandler(file)
    log.addHandler(handler)
    log.propagate = False
    try:
        yield handler
    finally:
        log.removeHandler(handler)
        handler.close()


def _dependencies(store: Store, root: Path) -> Dependencies:
    home, clock = Home(root / "home"), SystemClock()
    plugins = Registry(home, clock)
    config = Config(source=root / "ennio.yaml", directory=root)
    host = PluginHost(plugins, home, clock)
    return Dependencies(config, home, clock, store, plugins, ActorRegistry(), host)


GROUP = Group(("watched.transitions",), measure)
