"""Boots a house whose plugins and store pass the points; what it is built from is
exchanged before it is built.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from ennio import boot as house
from ennio.actors import orchestrator
from ennio.hosts.plugin_host import PluginHost
from ennio.model.events import EventType
from ennio.plugins.notifier.interface import Notification
from ennio.plugins.registry import Registry
from ennio.store import migrations, opening
from ennio.store.connection import Connection
from tests.faults.clocks import OnOurClock, ShiftedClock
from tests.faults.fuse import Fuse
from tests.faults.plan import FREE_DISK, When

_WRITES = re.compile(
    r'\s*(?:INSERT(?: OR \w+)? INTO|REPLACE INTO|UPDATE|DELETE FROM)\s+"?(\w+)"?', re.IGNORECASE
)


class Paper:
    """A channel to a person: a file with a line for each notification, and the links that came
    with it.
    """

    takes_answers = True

    def __init__(self, name: str, file: Path) -> None:
        self.name, self._file = name, file

    def notify(self, notification: Notification) -> None:
        """See ``Notifier.notify``."""
        answers = {one.label: one.link for one in notification.answers}
        self._write(id=notification.id, message=notification.message, answers=answers)

    def withdraw(self, notification: Notification, _receipt: str | None) -> None:
        """See ``RevocableNotifier.withdraw``."""
        self._write(id=notification.id, withdrawn=True)

    def _write(self, **line: object) -> None:
        with self._file.open("a") as paper:
            paper.write(json.dumps(line) + "\n")


def boot(config_file: Path, port: int, fuse: Fuse) -> Any:
    """Start the house as ``ennio.boot`` does, from parts that pass the points."""
    _exchange_plugins(fuse)
    _exchange_store(fuse)
    _watch_orders(fuse)
    fuse.watch.begin()
    _exchange_disk(fuse)
    _exchange(house, "SystemClock", lambda: ShiftedClock(fuse.home))
    return house.boot(config_file, port)


def _exchange(module: ModuleType, name: str, by: object) -> None:
    """Put something else into a name of a module; one that is no longer there
    would be exchanged in vain.
    """
    assert name in vars(module), f"{module.__name__} has no {name}"
    setattr(module, name, by)


def _exchange_disk(fuse: Fuse) -> None:
    """As much is free as a file of the house says, where it is there."""
    said = fuse.home / FREE_DISK

    class Measured(PluginHost):
        def free_disk(self) -> int:
            return int(said.read_text()) if said.exists() else super().free_disk()

    _exchange(house, "PluginHost", Measured)


def _exchange_plugins(fuse: Fuse) -> None:
    class Plugins(Registry):
        def _build(self, slot: str, name: str, whose: str, context: Any) -> Any:
            if (slot, name) == ("notifier", "stub"):
                return Paper(whose, fuse.home / "paper.jsonl")
            made = super()._build(slot, name, whose, context)
            return OnOurClock(made, fuse.home) if (slot, name) == ("agent", "scripted") else made

    _exchange(house, "Registry", Plugins)


def _watch_orders(fuse: Fuse) -> None:
    """What is asked of the house and no point must change nothing."""
    for kind in orchestrator.APIS.values():
        for name, what in vars(kind).items():
            if (
                inspect.isfunction(what)
                and not name.startswith("_")
                and not hasattr(what, "__wrapped__")
            ):
                setattr(kind, name, fuse.watch.watching(f"order.{name}", what))


def _exchange_store(fuse: Fuse) -> None:
    _exchange(opening, "Connection", _connection(fuse))
    _exchange(
        opening, "migrate", lambda sql, *args: migrations.migrate(_migrating(sql, fuse), *args)
    )


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
            fuse.watch.noted(f"writes to {found[1]}")
            names = [f"commit.{found[1]}"]
            if found[1] in ("events", "house_events"):
                names += [f"told.{value}" for value in parameters if value in _EVENTS]
            if not self._depth:
                # a statement of its own is a transaction of its own
                with self._in_words:
                    _pass(fuse, names, When.BEFORE)
            cursor = super()._execute(statement, parameters)
            if not cursor.rowcount and " RETURNING " not in statement:
                return cursor  # nothing was written
            if self._depth:
                self.written += names
            else:
                _pass(fuse, names, When.AFTER)
            return cursor

        def _commit(self) -> None:
            try:
                with self._in_words:
                    _pass(fuse, self.written, When.BEFORE)
            except BaseException:
                self._roll_back()
                raise
            super()._commit()
            _pass(fuse, self.written, When.AFTER)

    return Passing


_EVENTS = frozenset(kind.value for kind in EventType)


def _pass(fuse: Fuse, names: Sequence[str], when: When) -> None:
    for name in dict.fromkeys(names):
        fuse.passing(name, when)


def _migrating(sql: Any, fuse: Fuse) -> Any:
    def run(statement: str, parameters: Sequence[Any] = ()) -> Any:
        if not statement.startswith("INSERT INTO schema_migrations"):
            return sql(statement, parameters)
        return fuse.through(f"migration.{parameters[0]}", sql, statement, parameters)

    return run
