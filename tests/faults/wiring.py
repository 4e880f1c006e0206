"""Boots a house whose plugins and store pass the points; what it is built from is exchanged before it is built."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ennio import boot as house
from ennio.clock import SystemClock
from ennio.plugins.notifier.interface import Notification
from ennio.plugins.registry import Registry
from ennio.store import migrations, opening, store
from ennio.store.announcer import Announcer
from ennio.store.connection import Connection
from tests.faults import points
from tests.faults.plan import Fuse, When

_WRITES = re.compile(r'\s*(?:INSERT(?: OR \w+)? INTO|REPLACE INTO|UPDATE|DELETE FROM)\s+"?(\w+)"?', re.IGNORECASE)


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


SHIFTED = """
import runpy, sys, time
place, real = sys.argv[1], time.time
def wrong():
    try:
        with open(place) as file:
            return real() + float(file.read())
    except (FileNotFoundError, ValueError):
        return real()
time.time = wrong
sys.argv = sys.argv[2:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


class OnOurClock:
    """The scripted agent, whose player goes by the same wrong clock as the house: it is the machine's."""

    def __init__(self, agent: Any, shift: Path) -> None:
        self._agent, self._shift = agent, shift

    def __getattr__(self, name: str) -> Any:
        return getattr(self._agent, name)

    def launch(self, desk: Any, prompt: str) -> Any:
        """See ``Agent.launch``."""
        return self._wrapped(self._agent.launch(desk, prompt))

    def resume(self, desk: Any, message: str | None) -> Any:
        """See ``Agent.resume``."""
        return self._wrapped(self._agent.resume(desk, message))

    def _wrapped(self, command: Any) -> Any:
        python, *words = command.argv
        player = words.index(next(word for word in words if word.endswith(".py")))
        return replace(command, argv=(python, *words[:player], "-c", SHIFTED, str(self._shift), *words[player:]))


class Paper:
    """A channel to a person: a file with a line for each notification."""

    def __init__(self, name: str, file: Path) -> None:
        self.name, self._file = name, file

    def notify(self, notification: Notification) -> None:
        """See ``Notifier.notify``."""
        with self._file.open("a") as paper:
            paper.write(json.dumps({"id": notification.id, "message": notification.message}) + "\n")


class ShiftedClock(SystemClock):
    """The machine's clock, put wrong by the seconds that stand in a file of the house, if there is one."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def now(self) -> datetime:
        """The wrong time."""
        try:
            return super().now() + timedelta(seconds=float(self._file.read_text()))
        except (FileNotFoundError, ValueError):
            return super().now()


def boot(config_file: Path) -> Any:
    """Start the house as ``ennio.boot`` does, from parts that pass the points."""
    fuse = Fuse.of_environment()
    _exchange_plugins(fuse)
    _exchange_store(fuse)
    setattr(house, "SystemClock", lambda: ShiftedClock(fuse.home / "shift"))  # noqa: B010 - of another module
    return house.boot(config_file)


def _exchange_plugins(fuse: Fuse) -> None:
    class Plugins(Registry):
        def _get(self, slot: str, name: str, whose: str, context: Any) -> Any:
            key = (slot, name, whose)
            if key not in self._made:
                own = slot == "notifier" and name == "stub"
                made = Paper(whose, fuse.home / "paper.jsonl") if own else super()._get(slot, name, whose, context)
                if slot == "agent" and name == "scripted":
                    made = OnOurClock(made, fuse.home / "shift")
                self._made[key] = Wired(slot, made, fuse)
            return self._made[key]

    house.Registry = Plugins  # type: ignore[misc]


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


