"""Every point where something can go wrong, as ``ennio.model.failpoints`` declares them.

``<slot>.<method>``   a method of a plugin slot's interface that acts on the world, or is asked for
                      what it shows
``commit.<table>``    the commit of a transaction that wrote to a table; every table is one
``ledger.<name>``     a transfer or an entry of a batch, inside of the transaction that posts it
``told.<event>``      the commit of a transaction that holds an event of this type
``migration.<n>``     a step of the migrations
``fan-out``           the telling of committed events to those who follow the log
``relay.<name>``      what is asked of the server of NATS
``order.<name>``      what a person asks of the house, between the deed and the answer
``conflicts.<name>``  what compares branches with each other
``meter.<name>``      what is done for a session that goes past the metering proxy
``node.<name>``       the way to the daemon of another machine, and what goes by it
``ssh.<name>``        the connections to other machines
``request.<name>``    what GitHub is asked, by method and path, or by operation

A story must pass each of them, unless its declaration says why none does.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from functools import cache

from ennio.model.failpoints import DECLARED, FailPoint
from ennio.store.declaring import name_of
from ennio.store.migrations import MIGRATIONS
from ennio.store.tables import TABLES
from tests.faults.plan import KILLS, POSSIBLE, WRITTEN, Fault, Order, When

FAN_OUT = "fan-out"
_KINDS = (
    "agent",
    "answer_link",
    "notifier",
    "plugin",
    "relay",
    "runtime",
    "forge",
    "tracker",
    "workspace",
    "commit",
    "ledger",
    "told",
    FAN_OUT,
    "order",
    "retention",
    "meter",
    "conflicts",
    "node",
    "ssh",
    "request",
)
_MODULES = (
    "ennio.boot",
    "ennio.machine.ssh.login",
    "ennio.node.link",
    "ennio.plugins.forge.github",
    "ennio.plugins.tracker.github",
)
_READS = ("request.get.", "request.query.")

GITHUB = ("forge.", "tracker.", "request.")
"""What is played on the stand-in of GitHub; the slots among them on the local forge too."""
ONLY_ON_GITHUB = (
    *(
        f"forge.{method}"
        for method in ("close", "open", "pulls", "ready", "remark", "reply", "resolve")
    ),
    "tracker.issues",
    "order.send_review",
    "commit.review_orders",
    *(
        f"told.{kind}"
        for kind in (
            "ci_fix_failed",
            "pr_closed",
            "review_changes_requested",
            "review_comments_sent",
        )
    ),
)
"""What the story on the local forge does not pass, and the other one does."""
OF_RETENTION = (
    "retention.round",
    "commit.pruned",
    "commit.house_events",
    "told.disk_low",
    "told.disk_freed",
    "told.place_lost",
)
"""What is passed where something is old, somebody is away, and the disk fills."""
OF_RELOAD = ("told.config_refused", "told.config_accepted")
"""What is passed where the file becomes wrong under a supervisor, and good again."""


OF_METERING = ("meter.keep", "meter.lead", "meter.begin")
"""What is passed where an agent goes past the metering proxy; what it counted is written where all
usage is.
"""


OF_NODES = (
    "ssh.connect",
    "node.ask",
    "node.call",
    "node.connect",
    "node.deploy",
    "node.disconnect",
    "node.tunnel",
)
"""What is passed on the way to another machine."""


@cache
def tables() -> tuple[str, ...]:
    """The tables of a database of this version."""
    return tuple(sorted(name_of(table) for table in TABLES))


@cache
def declared() -> tuple[FailPoint, ...]:
    """Every point there is in a story, by kind and name: those of the whole
    package, and of every table.
    """
    for module in _MODULES:
        importlib.import_module(module)
    found = {f"commit.{table}": FailPoint(f"commit.{table}") for table in tables()} | DECLARED
    return tuple(
        sorted(
            found.values(),
            key=lambda point: (_KINDS.index(point.name.partition(".")[0]), point.name),
        )
    )


def migrations() -> tuple[str, ...]:
    """The points of the migrations."""
    return tuple(f"migration.{step.number}" for step in MIGRATIONS)


def to_pass() -> Iterable[str]:
    """What one story or the other must pass."""
    return (point.name for point in declared() if not point.because)


def of_the_story() -> list[str]:
    """Every point the story on the local forge must pass."""
    elsewhere = (*ONLY_ON_GITHUB, *OF_RETENTION, *OF_METERING, *OF_NODES, *OF_RELOAD)
    return [name for name in to_pass() if name not in elsewhere and not name.startswith("request.")]


def on_github() -> list[str]:
    """Every point the story on GitHub must pass."""
    return [name for name in to_pass() if name.startswith(GITHUB) or name in ONLY_ON_GITHUB]


def of_retention() -> list[str]:
    """Every point the story of what is no longer kept must pass."""
    return [name for name in to_pass() if name in OF_RETENTION]


def of_metering() -> list[str]:
    """Every point the story of an agent past the proxy must pass."""
    return [name for name in to_pass() if name in OF_METERING]


def faults(point: str, when: When) -> tuple[Fault, ...]:
    """What can go wrong on this side of this point."""
    if point == FAN_OUT:
        return KILLS
    if point.startswith(_READS):
        return tuple(
            fault for fault in POSSIBLE[when] if fault not in KILLS
        )  # nothing is done there, before or after
    full = (
        (Fault.FULL,)
        if when is When.BEFORE and (point.startswith(WRITTEN) or _files(point))
        else ()
    )
    if not point.startswith((*WRITTEN, "migration.")):
        return (*POSSIBLE[when], *full)
    return (
        *(fault for fault in POSSIBLE[when] if fault is not Fault.HANG),
        *full,
    )  # a commit is waited for by all


def _files(point: str) -> bool:
    return any(one.name == point and one.files for one in declared())


def every(names: list[str]) -> list[Order]:
    """Every fault on both sides of every one of these points."""
    return [
        Order(name, when, fault) for name in names for when in When for fault in faults(name, when)
    ]


def once(names: list[str]) -> list[Order]:
    """Both sides of every point once, with one fault after the other in turn."""
    sides = [(name, when) for name in names for when in When]
    return [
        Order(name, when, faults(name, when)[number // 2 % len(faults(name, when))])
        for number, (name, when) in enumerate(sides)
    ]
