"""Every point where something can go wrong, found by walking what the house is built from.

``<slot>.<method>``   every method of every plugin slot's interface
``commit.<table>``    the commit of a transaction that wrote to a table
``told.<event>``      the commit of a transaction that holds an event of this type
``migration.<n>``     a step of the migrations
``fan-out``           the telling of committed events to those who follow the log
``order.<name>``      what a person asks of the house, between the deed and the answer
``request.<name>``    what GitHub is asked, by method and path, or by mutation

A method, table, event, migration, order or request that is new is a new point by itself: the story must pass it, or it
must be excused here with a reason.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from urllib.parse import urlsplit

from ennio.actors.orchestrator import Orchestrator
from ennio.model.clock import ManualClock
from ennio.model.events import EventType
from ennio.plugins.agent import interface as agent
from ennio.plugins.notifier import interface as notifier
from ennio.plugins.runtime import interface as runtime
from ennio.plugins.scm import interface as scm
from ennio.plugins.scm.github import questions
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
_OPERATION = re.compile(r"\b(query|mutation) ([A-Z]\w+)\(")
_READS = ("request.get.", "request.query.")

GITHUB = ("scm.", "tracker.", "request.")
"""What is played on the stand-in of GitHub; the slots among them on the local forge too."""

_ASKED = "only asked by a person's request, which is answered with the error; nothing follows from it"
_HANDED_ON = ("add_issue", "close_pull", "merge", "open_pull", "ready_pull", "reply", "resolve", "review")
_ONE_ROW = "writes one row, as the orders that are played, and may be given again"
EXCUSED: Mapping[str, str] = {
    "agent.version": _ASKED,
    "agent.clearing": "presses keys only where words were left standing: test_courier.py",
    "agent.region": "asked only to put back what a person had begun to type: test_mail.py",
    "agent.takes_text": "asked on its own only of agents with a protocol; the place to type is a point, agent.box, as typing is",
    "agent.tell": "the scripted agent has no protocol of its own; a doubt is settled by what the agent took, as with words typed",
    "runtime.attach_command": _ASKED,
    "runtime.output": "the scripted agent tells what it took, so its scrollback is not asked",
    "runtime.version": _ASKED,
    "scm.check": _ASKED,
    "scm.nudge": "sets a mark in memory; a webhook does it, which may be lost as any",
    "terminal.command": _ASKED,
    "tracker.close": "the tracker calls it itself when it is told of a merge: request.patch.issues",
    "tracker.comment": "the tracker calls it itself when it is told of a step: request.post.issues.comments",
    "workspace.remote": _ASKED,
    "workspace.standing": _ASKED,
    "commit.forge_issues": "the issue of the story lies in a file; a row is written by a person's order only",
    "commit.house_events": "an event of no session; there is none without nodes, and it is written like those of sessions",
    "commit.schema_migrations": "written before the story begins: test_migrations.py",
    "request.post.pulls.reviews": "a person's order like their remark, whose request is played",
    "request.post.pulls.comments": "a person's order like their remark, whose request is played",
    "request.post.actions.runs.rerun-failed-jobs": "a person's order; to run checks once more changes nothing",
    "request.query.More": "the rest of a long list; those of the story are short",
    "request.mutation.Settle": "settles a remark as request.mutation.Resolve does a thread",
    "request.mutation.AutoMerge": "the branch of the story requires nothing",
    "request.mutation.NoAutoMerge": "the branch of the story requires nothing",
    "request.get.pulls.files": "a person reads what it changes; nothing follows",
    "request.put.pulls.update-branch": "no base of the story wants its pull requests up to date: tests/github/test_hindrances.py",
    "request.mutation.Enqueue": "the repository of the story has no merge queue",
    "told.merge_forced": "a person's order, written before the merge and not after it: test_landing.py",
    "order.interrupt": "presses a key; nothing is written and nothing follows",
    "order.look": "a hint that may be lost",
    "order.webhook": "a hint that may be lost; a delivery that was not answered is sent again, and known by its number",
    "order.rerun_checks": "to run checks once more changes nothing",
    "order.preserved_restore": "makes one ref, which may be ordered again; what is saved stays",
    "order.shutdown": "ends the process: tests/e2e",
    "order.crash": "a rehearsal: test_machine.py",
    **dict.fromkeys(("order.hold", "order.move", "order.set_priority"), _ONE_ROW),
    **{f"order.{name}": "hands on to the forge or the tracker, where it is played, and writes nothing" for name in _HANDED_ON},
    **{
        f"order.{name}": _ASKED
        for name in ("preview", "rings", "output", "attach", "issues", "status", "pulses", "wait_for_events")
    },
    **{
        f"order.{name}": _ASKED
        for name in ("pulls", "pull", "files", "diff", "preserved", "preserved_contents")
    },
    **{
        f"told.{kind}": "no part of a story; its transaction is one of those that are passed, and it is written like the others"
        for kind in (
            "merge_conflicts",
            "base_pushed",
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
ONLY_ON_GITHUB = (
    *(f"scm.{method}" for method in ("close", "open", "pulls", "ready", "reply", "resolve")),
    "tracker.issues",
    *(f"told.{kind}" for kind in ("ci_fix_failed", "pr_closed", "review_changes_requested", "review_comments_sent")),
)
"""What the story on the local forge does not pass, and the other one does."""


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


def orders() -> tuple[str, ...]:
    """What can be asked of the house."""
    return tuple(name for name, what in vars(Orchestrator).items() if inspect.isfunction(what) and not name.startswith("_"))


def question(method: str, url: str, body: bytes | None = None) -> str:
    """The name of a request to GitHub: ``put.pulls.merge``, ``query.Survey``, ``mutation.Reply``."""
    path = re.sub(r"/heads/.*", "", urlsplit(url).path)
    if path.endswith("/graphql"):
        return ".".join(_OPERATION.findall(json.loads(body or b"{}")["query"])[0])
    _, repository, rest = path.partition("/repos/")
    if not repository:
        return f"{method.lower()}.elsewhere"
    words = [word for word in rest.split("/")[2:] if not word.isdecimal()]
    return ".".join([method.lower(), *(words or ["repository"])])


def requests() -> tuple[str, ...]:
    """What GitHub is asked: every GraphQL operation of ours, and every path that the stand-in knows."""
    from tests.github.standin.rest import Rest  # a supervisor need not load the schemas' programs

    routes = Rest(None, "").routes  # type: ignore[arg-type] # it is not asked anything
    paths = [(method, pattern.replace("(?:[^/]+/[^/]+)", "acme/shop").replace(r"(\d+)", "1")) for method, pattern, _ in routes]
    asked = map(".".join, _OPERATION.findall(inspect.getsource(questions)))
    return tuple(dict.fromkeys(["get.elsewhere", *(question(method, path) for method, path in paths), *asked]))


def all_of_them() -> list[str]:
    """Every point there is in a story."""
    named = (*(f"order.{name}" for name in orders()), *(f"request.{name}" for name in requests()))
    return [*calls(), *commits(), FAN_OUT, *named]


def of_the_story() -> list[str]:
    """Every point the story on the local forge must pass."""
    return [point for point in all_of_them() if point not in EXCUSED and point not in ONLY_ON_GITHUB and not point.startswith("request.")]


def on_github() -> list[str]:
    """Every point the story on GitHub must pass."""
    return [point for point in all_of_them() if point not in EXCUSED and (point.startswith(GITHUB) or point in ONLY_ON_GITHUB)]


def faults(point: str, when: When) -> tuple[Fault, ...]:
    """What can go wrong on this side of this point."""
    if point == FAN_OUT:
        return KILLS
    if point.startswith(_READS):
        return tuple(fault for fault in POSSIBLE[when] if fault not in KILLS)  # nothing is done there, before or after
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
