"""Every point where something can go wrong, found by walking what the house is built from.

``<slot>.<method>``   every method of every plugin slot's interface
``commit.<table>``    the commit of a transaction that wrote to a table
``told.<event>``      the commit of a transaction that holds an event of this type
``migration.<n>``     a step of the migrations
``fan-out``           the telling of committed events to those who follow the log

A method, table, event or migration that is new is a new point by itself: the story must pass it, or it
must be excused here with a reason.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType

from ennio.clock import ManualClock
from ennio.events import EventType
from ennio.plugins.agent import interface as agent
from ennio.plugins.notifier import interface as notifier
from ennio.plugins.runtime import interface as runtime
from ennio.plugins.scm import interface as scm
from ennio.plugins.terminal import interface as terminal
from ennio.plugins.tracker import interface as tracker
from ennio.plugins.workspace import interface as workspace
from ennio.store import open_store
from ennio.store.migrations import MIGRATIONS
from tests.faults.plan import KILLS, POSSIBLE, Fault, Order, When

SLOTS: Mapping[str, ModuleType] = {
    "agent": agent,
    "notifier": notifier,
    "runtime": runtime,
    "scm": scm,
    "terminal": terminal,
    "tracker": tracker,
    "workspace": workspace,
}
FAN_OUT = "fan-out"

_ASKED = "only asked by a person's request, which is answered with the error; nothing follows from it"
EXCUSED: Mapping[str, str] = {
    "agent.version": _ASKED,
    "runtime.attach_command": _ASKED,
    "runtime.output": "the scripted agent tells what it took, so its scrollback is not asked",
    "runtime.version": _ASKED,
    "scm.check": _ASKED,
    "scm.close": "a person's order, which is answered with the error",
    "scm.nudge": "sets a mark in memory; a forge that sends webhooks has it",
    "scm.open": "this forge opens pull requests by itself, in its survey; a person's order is answered with the error",
    "scm.pulls": _ASKED,
    "scm.ready": "a person's order, which is answered with the error",
    "scm.reply": "a person's order, which is answered with the error",
    "scm.resolve": "a person's order, which is answered with the error",
    "terminal.command": _ASKED,
    "tracker.close": "the tracker calls it itself when it is told of a merge",
    "tracker.comment": "the tracker calls it itself when it is told of a step",
    "tracker.issues": _ASKED,
    "workspace.standing": _ASKED,
    "commit.forge_issues": "the issue of the story lies in a file; a row is written by a person's order only",
    "commit.house_events": "an event of no session; there is none without nodes, and it is written like those of sessions",
    "commit.schema_migrations": "written before the story begins: test_migrations.py",
    **{
        f"told.{kind}": "no part of the story; its transaction is one of those that are passed, and it is written like the others"
        for kind in (
            "pr_closed",
            "ci_fix_failed",
            "review_changes_requested",
            "review_comments_sent",
            "merge_conflicts",
            "reaction_escalated",
            "node_connected",
            "node_disconnected",
            "node_launched",
            "node_health_check",
            "session_adopted",
            "message_failed",
            "config_accepted",
            "config_refused",
            "signal_lost",
            "signal_regained",
        )
    },
}


def methods(slot: str) -> tuple[str, ...]:
    """The methods of a slot's interface: those of the protocol that is named like it."""
    kind = getattr(SLOTS[slot], slot.capitalize())
    return tuple(sorted(name for name, what in vars(kind).items() if inspect.isfunction(what) and not name.startswith("_")))


def tables() -> tuple[str, ...]:
    """The tables of a database of this version."""
    store = open_store("sqlite::memory:", Path(), ManualClock())
    try:
        found = store._connection.sql("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'").fetchall()
    finally:
        store.close()
    return tuple(sorted(name for (name,) in found))


def calls() -> Iterator[str]:
    """The points of plugins."""
    yield from (f"{slot}.{method}" for slot in SLOTS for method in methods(slot))


def commits() -> Iterator[str]:
    """The points of the store."""
    yield from (f"commit.{table}" for table in tables())
    yield from (f"told.{kind.value}" for kind in EventType)


def migrations() -> tuple[str, ...]:
    """The points of the migrations."""
    return tuple(f"migration.{step.number}" for step in MIGRATIONS)


def of_the_story() -> list[str]:
    """Every point the story must pass."""
    return [point for point in (*calls(), *commits(), FAN_OUT) if point not in EXCUSED]


def faults(point: str, when: When) -> tuple[Fault, ...]:
    """What can go wrong on this side of this point."""
    if point == FAN_OUT:
        return KILLS
    if not point.startswith(("commit.", "told.", "migration.")):
        return POSSIBLE[when]
    return tuple(fault for fault in POSSIBLE[when] if fault is not Fault.HANG)  # a commit is waited for by all


def every(names: list[str]) -> list[Order]:
    """Every fault on both sides of every one of these points."""
    return [Order(name, when, fault) for name in names for when in When for fault in faults(name, when)]


def once(names: list[str]) -> list[Order]:
    """Both sides of every point once, with one fault after the other in turn."""
    sides = [(name, when) for name in names for when in When]
    return [Order(name, when, faults(name, when)[number // 2 % len(faults(name, when))]) for number, (name, when) in enumerate(sides)]
