"""A store and its relay in a process of their own, made cooperative from the first
line as the supervisor's is.

As a program (``python -m tests.nats.house FOLDER SETTINGS``) it does what each line of its input
says, and answers by a line.
"""

from __future__ import annotations

if __name__ == "__main__":
    from gevent import monkey

    monkey.patch_all()

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


class House:
    """The process, and what it can be told."""

    def __init__(self, folder: Path, settings: dict[str, Any]) -> None:
        self.folder, self.settings = folder, settings
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start it."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.nats.house", str(self.folder), json.dumps(self.settings)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        assert self.ask("ping") is True

    def kill(self) -> None:
        """Let it end as by a power cut."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self.end()

    def end(self) -> None:
        """Let it end; fine if it has."""
        if self._process is not None:
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            with suppress(BrokenPipeError):
                self._process.stdin.close()
            self._process.wait(20)
            self._process.stdout.close()
            self._process = None

    def ask(self, what: str, *words: Any) -> Any:
        """Have it do something, and give its answer."""
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([what, *words]) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the house has ended"
        return json.loads(line)

    def write(self, count: int, project: str = "shop", **data: Any) -> list[str]:
        """Write so many events; their ids."""
        return list(self.ask("write", count, project, data))

    @property
    def state(self) -> dict[str, Any]:
        """How its relay is doing."""
        return dict(self.ask("state"))

    def is_connected(self) -> bool:
        """Whether it is connected, and behind with nothing."""
        return bool(self.state["state"] == "connected")


@contextmanager
def house(folder: Path, url: str, **settings: Any) -> Iterator[House]:
    """A house until the end of the block."""
    made = House(folder, {"nats_url": url, **settings})
    made.start()
    try:
        yield made
    finally:
        made.end()


def main(folder: Path, settings: dict[str, Any]) -> None:
    """Run until the input ends."""
    import gevent
    from gevent.fileobject import FileObject

    from ennio.actors.dependencies import Dependencies
    from ennio.actors.messages import GetRelayState, Ping
    from ennio.actors.registry import RELAY, ActorRegistry
    from ennio.actors.relay import RelayActor
    from ennio.config.model import Config
    from ennio.hosts.plugin_host import PluginHost
    from ennio.machine.home import Home
    from ennio.model.clock import SystemClock
    from ennio.model.events import Draft, EventType
    from ennio.nats import connection
    from ennio.nats.settings import NatsSettings
    from ennio.plugins.registry import Registry
    from ennio.store import open_store

    connection.LIMIT = 3.0
    clock, home = SystemClock(), Home(folder / "home")
    store = open_store("sqlite:ennio.db", folder, clock)
    for key in [key for key in settings if key.endswith("_file")]:
        settings[key] = Path(settings[key])
    config = Config(source=folder / "ennio.yaml", directory=folder, **settings)
    plugins = Registry(home, clock)
    host = PluginHost(plugins, home, clock)
    deps = Dependencies(config, home, clock, store, plugins, ActorRegistry(), host)
    if store.cursors.get(RELAY) is None:
        store.cursors.move(RELAY, 0)
    nats = NatsSettings.of(config)
    assert nats is not None
    relay = RelayActor.start(deps, RELAY, None, nats)
    longest = [0.0]

    def beat() -> None:
        before = time.monotonic()
        while True:
            gevent.sleep(0.01)
            now = time.monotonic()
            longest[0], before = max(longest[0], now - before), now

    gevent.spawn(beat)

    def write(count: int, project: str, data: dict[str, Any]) -> list[str]:
        ids = []
        for _ in range(count):
            with store.transaction() as tx:
                tx.emit("", project, Draft(EventType.CONFIG_REFUSED, "something", data=data))
            ids.append(store.events.after(store.events.last_seq() - 1)[0].id)
            gevent.sleep(0)
        return ids

    def answer(what: str, words: list[Any]) -> Any:
        match what:
            case "write":
                return write(*words)
            case "state":
                return asdict(relay.ask(GetRelayState(), timeout=10))
            case (
                "stall"
            ):  # the longest that nobody else came to do anything, since this was last asked
                found, longest[0] = longest[0], 0.0
                return found
        return relay.ask(Ping(), timeout=10)

    for line in FileObject(sys.stdin, "r"):
        what, *words = json.loads(line)
        print(json.dumps(answer(what, words)), flush=True)
    relay.stop(timeout=10)
    store.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]))
