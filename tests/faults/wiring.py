"""Boots a house whose plugins and store pass the points; what it is built from is exchanged before it is built."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from types import ModuleType
from typing import Any

from ennio import boot as house
from ennio.actors import courier, merger, notifier, tracker
from ennio.actors.orchestrator import Orchestrator
from ennio.plugins.github.client import Client
from ennio.plugins.notifier.interface import Notification
from ennio.plugins.quota import budget
from ennio.plugins.registry import Registry
from ennio.plugins.scm.github import pace, watching
from ennio.plugins.web import Answer, Transport
from ennio.policy import merging
from ennio.store import migrations, opening, store
from ennio.store.announcer import Announcer
from ennio.store.connection import Connection
from tests.faults import points
from tests.faults.clocks import OnOurClock, ShiftedClock
from tests.faults.plan import Fuse, When

_WRITES = re.compile(r'\s*(?:INSERT(?: OR \w+)? INTO|REPLACE INTO|UPDATE|DELETE FROM)\s+"?(\w+)"?', re.IGNORECASE)


SHORTER: tuple[tuple[ModuleType, str, Any], ...] = (
    (courier, "PASTE_SETTLES", 0.3),
    (merging, "FIRST_PAUSE", 1.0),
    (merger, "THOUGHT", 1.0),
    (merging, "_LONGEST", dict.fromkeys(merging.Remedy, 2.0)),
    (notifier, "RETRY_AFTER", 1.0),
    (tracker, "FIRST_PAUSE", 0.5),
    (budget, "_BREAK", 2.0),
    (pace, "GAP", 0.2),
    (watching, "GAP", 0.2),
)
"""Seconds the house waits before it tries again, or for something that may not come: nothing but the length of a story hangs on them."""


class Wired:
    """A plugin with a point on both sides of each method of its slot."""

    def __init__(self, slot: str, plugin: Any, fuse: Fuse) -> None:
        self._slot, self._plugin, self._fuse = slot, plugin, fuse
        self._methods = frozenset(points.methods(slot))

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._plugin, name)
        if name not in self._methods:
            return value
        return lambda *args, **kwargs: self._fuse.through(f"{self._slot}.{name}", value, *args, **kwargs)


class Paper:
    """A channel to a person: a file with a line for each notification."""

    def __init__(self, name: str, file: Path) -> None:
        self.name, self._file = name, file

    def notify(self, notification: Notification) -> None:
        """See ``Notifier.notify``."""
        with self._file.open("a") as paper:
            paper.write(json.dumps({"id": notification.id, "message": notification.message}) + "\n")


def boot(config_file: Path) -> Any:
    """Start the house as ``ennio.boot`` does, from parts that pass the points."""
    fuse = Fuse.of_environment()
    _exchange_plugins(fuse)
    _exchange_store(fuse)
    _exchange_orders(fuse)
    _exchange_requests(fuse)
    for module, name, wait in SHORTER:
        assert type(getattr(module, name)) is type(wait)
        setattr(module, name, wait)
    setattr(house, "SystemClock", lambda: ShiftedClock(fuse.home))  # noqa: B010 - of another module
    return house.boot(config_file)


def _exchange_plugins(fuse: Fuse) -> None:
    class Plugins(Registry):
        def _get(self, slot: str, name: str, whose: str, context: Any) -> Any:
            key = (slot, name, whose)
            if key not in self._made:
                own = slot == "notifier" and name == "stub"
                made = Paper(whose, fuse.home / "paper.jsonl") if own else super()._get(slot, name, whose, context)
                if slot == "agent" and name == "scripted":
                    made = OnOurClock(made, fuse.home)
                self._made[key] = Wired(slot, made, fuse)
            return self._made[key]

    house.Registry = Plugins  # type: ignore[misc]


def _exchange_orders(fuse: Fuse) -> None:
    for name in points.orders():
        setattr(Orchestrator, name, _passing(fuse, f"order.{name}", vars(Orchestrator)[name]))


def _passing(fuse: Fuse, point: str, deed: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(deed)
    def passing(*args: Any, **kwargs: Any) -> Any:
        return fuse.through(point, deed, *args, **kwargs)

    return passing


class Line:
    """The connections of a client of GitHub; a request that fails here fails as on a bad line."""

    def __init__(self, web: Transport, fuse: Fuse) -> None:
        self._web, self._fuse = web, fuse

    def request(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        """See ``Transport.request``."""
        point = f"request.{points.question(method, url, body)}"
        answer: Answer = self._fuse.through(point, self._web.request, method, url, body, headers)
        return answer


def _exchange_requests(fuse: Fuse) -> None:
    begin = Client.__init__

    def __init__(client: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807
        begin(client, *args, **kwargs)
        client._web = Line(client._web, fuse)

    setattr(Client, "__init__", __init__)  # noqa: B010 - of another module


def _exchange_store(fuse: Fuse) -> None:
    opening.Connection = _connection(fuse)  # type: ignore[misc]
    opening.migrate = lambda sql, *args: migrations.migrate(_migrating(sql, fuse), *args)
    store.Announcer = _announcer(fuse)  # type: ignore[misc]


def _connection(fuse: Fuse) -> type[Connection]:
    class Passing(Connection):
        """Passes the points of every table it wrote to, and of every event, around the commit."""

        written: list[str] = []  # noqa: RUF012 - one connection in a process

        def _begin(self) -> None:
            super()._begin()
            self.written = []

        def _execute(self, statement: str, parameters: Sequence[Any]) -> Any:
            found = _WRITES.match(statement)
            if found is None:
                return super()._execute(statement, parameters)
            names = [f"commit.{found[1]}"]
            if found[1] in ("events", "house_events"):
                names += [f"told.{value}" for value in parameters if value in _EVENTS]
            if self._depth:
                self.written += names
                return super()._execute(statement, parameters)
            with _around(fuse, names):  # a statement of its own is a transaction of its own
                return super()._execute(statement, parameters)

        def _commit(self) -> None:
            try:
                _pass(fuse, self.written, When.BEFORE)
            except BaseException:
                self._roll_back()
                raise
            super()._commit()
            _pass(fuse, self.written, When.AFTER)

    return Passing


_EVENTS = frozenset(kind.value for kind in points.EventType)


def _pass(fuse: Fuse, names: Sequence[str], when: When) -> None:
    for name in dict.fromkeys(names):
        fuse.passing(name, when)


@contextmanager
def _around(fuse: Fuse, names: Sequence[str]) -> Any:
    _pass(fuse, names, When.BEFORE)
    yield
    _pass(fuse, names, When.AFTER)


def _migrating(sql: Any, fuse: Fuse) -> Any:
    def run(statement: str, parameters: Sequence[Any] = ()) -> Any:
        if not statement.startswith("INSERT INTO schema_migrations"):
            return sql(statement, parameters)
        return fuse.through(f"migration.{parameters[0]}", sql, statement, parameters)

    return run


def _announcer(fuse: Fuse) -> type[Announcer]:
    class Passing(Announcer):
        def announce(self) -> None:
            """Tell, with a point on both sides."""
            fuse.through(points.FAN_OUT, super().announce) if self._batches else super().announce()

    return Passing
