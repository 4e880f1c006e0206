"""A program: ``write`` fills a log, ``relay`` has the relay publish it, ``bare`` publishes the same
events as pynats does it. Prints events per second.
"""

from __future__ import annotations

if __name__ == "__main__":
    import sys

    if sys.argv[1] == "relay":
        from gevent import monkey

        monkey.patch_all()

import json
import sys
import time
import warnings
from pathlib import Path
from typing import Any

BATCH = 500


def _store(folder: Path) -> Any:
    from ennio.model.clock import SystemClock
    from ennio.store import open_store

    return open_store("sqlite:ennio.db", folder, SystemClock())


def write(folder: Path, events: int) -> float:
    """Fill the log."""
    from ennio.model.events import Draft, EventType

    store, begun = _store(folder), time.perf_counter()
    data = {"number": 7, "url": "https://example.org/pull/7", "head": "0" * 40}
    for number in range(events // 100):
        with store.transaction() as tx:
            for _ in range(100):
                words = f"checks of batch {number} have begun, and two of them are over"
                tx.emit("", "shop", Draft(EventType.CONFIG_REFUSED, words, data=data))
    store.close()
    return events / (time.perf_counter() - begun)


def relay(url: str, folder: Path, events: int) -> float:
    """Have the relay work off the log, from its beginning."""
    import gevent

    from ennio import lasting
    from ennio.actors.dependencies import Dependencies
    from ennio.actors.registry import RELAY, ActorRegistry
    from ennio.actors.relay import RelayActor
    from ennio.config.model import Config
    from ennio.hosts.plugin_host import PluginHost
    from ennio.machine.home import Home
    from ennio.model.clock import SystemClock
    from ennio.nats.settings import NatsSettings
    from ennio.plugins.registry import Registry

    clock, home, store = SystemClock(), Home(folder / "home"), _store(folder)
    config = Config(source=folder / "ennio.yaml", directory=folder, nats_url=url)
    plugins = Registry(home, clock)
    host = PluginHost(plugins, home, clock)
    deps = Dependencies(config, home, clock, store, plugins, ActorRegistry(), host)
    last = store.events.last_seq()
    store.cursors.move(RELAY, last)
    actor = RelayActor.start(deps, RELAY, None, NatsSettings(url))
    while actor.proxy().health.get().looks or not _is_connected(actor):
        gevent.sleep(0.01)
    store.cursors.move(RELAY, last - events)
    lasting.end()  # as the supervisor does once it has begun
    begun = time.perf_counter()
    from ennio.actors.messages import Wake

    actor.tell(Wake())
    while (store.cursors.get(RELAY) or 0) < last:
        gevent.sleep(0.005)
    took = time.perf_counter() - begun
    actor.stop(timeout=10)
    store.close()
    return events / took


def _is_connected(actor: Any) -> bool:
    from ennio.actors.messages import GetRelayState

    return bool(actor.ask(GetRelayState(), timeout=10).state == "connected")


def bare(url: str, folder: Path, events: int) -> float:
    """Publish as many events, each as pynats publishes, with a ping after each batch."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pynats import NATSClient

    from ennio.model.subjects import ROOT

    store = _store(folder)
    first = store.events.last_seq() - events
    told = [event.encode() for event in store.events.after(first, limit=events)]
    store.close()
    subject = f"{ROOT}.sessions.shop.config_refused"
    with NATSClient(url) as client:
        begun = time.perf_counter()
        for start in range(0, events, BATCH):
            for payload in told[start : start + BATCH]:
                client.publish(subject, payload=payload)
            client.ping()
        return events / (time.perf_counter() - begun)


def main(what: str, url: str, folder: Path, events: int) -> None:
    """Measure one of them."""
    if what == "write":
        found = write(folder, events)
    else:
        found = relay(url, folder, events) if what == "relay" else bare(url, folder, events)
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]))
