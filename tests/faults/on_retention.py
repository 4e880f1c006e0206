"""A story without sessions: what is old goes, whoever follows the log and is away loses its place, and
the disk fills until a person makes room.

The log has old events and as many new ones as stay however full the disk is; the relay, whose server
is not there, has come to an early one. The person makes room once the notice has reached them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ennio.actors.registry import RELAY
from ennio.machine.files import write_atomically
from ennio.machine.home import private
from ennio.model.clock import ManualClock, SystemClock
from ennio.model.events import Draft, EventType
from ennio.policy.degradation import GIB, LITTLE_DISK
from ennio.policy.retention import LEAST
from ennio.store import open_store
from tests.e2e.house import Ground, configure, free_port, ground_at, project, repository
from tests.faults.account import close, paper
from tests.faults.plan import FREE_DISK, Order, happened
from tests.faults.teller import SETTINGS, Teller, Wired, on_paper
from tests.postgres import chosen

OLD, NEW = 450, LEAST + 450
AWAY_AT = 7
WORDS = "x" * 1500  # so that the database takes more than it may


@dataclass(slots=True, kw_only=True)
class Keeper(Teller):
    """Makes room once they are told that there is none."""

    def _next(self) -> None:
        """See ``Teller._next``."""
        if any("only 1.0 GiB" in line.get("message", "") for line in on_paper(self.house.ground)):
            write_atomically(self.house.ground.home / FREE_DISK, str(50 * GIB))

    def _over(self) -> bool:
        """See ``Teller._over``; what goes is gone, and both were told."""
        rows = self.house.ground.rows
        told = rows(
            "select reaction from notifications where reaction = 'place-lost' or (reaction = "
            "'disk-low' and withdrawn_at is not null)"
        )
        (oldest,) = rows("select min(seq) as seq from event_log where event_type = 'base_pushed'")
        gone = oldest["seq"] is not None and oldest["seq"] > OLD + NEW - LEAST
        return gone and len(told) == 2 and super(Keeper, self)._over()


@contextmanager
def told(root: Path, orders: tuple[Order, ...] = ()) -> Iterator[tuple[Wired, Keeper]]:
    """A house in which the story begins, with these orders; swept however it ends."""
    with ground_at(root, database=chosen()) as ground:
        repository(ground)
        configure(
            ground,
            project(ground),
            **SETTINGS,
            nats_url=f"nats://127.0.0.1:{free_port()}",  # nobody is there
            retention={"events_after": "90d", "disk": "64KiB"},
        )
        plant(ground)
        private(ground.home)
        (ground.home / FREE_DISK).write_text(str(LITTLE_DISK // 2))
        house = Wired(ground, orders=orders)
        house.begin()
        try:
            yield house, Keeper(house=house)
        finally:
            with suppress(OSError, ValueError):
                house.kill_everything()


def plant(ground: Ground) -> None:
    """Old events and new ones, and a relay that has come to an early one."""
    long_ago = ManualClock(datetime.now(UTC) - timedelta(days=100))
    for clock, many in ((long_ago, OLD), (SystemClock(), NEW)):
        store = open_store(ground.database or "sqlite:ennio.db", ground.clone, clock)
        with store.transaction() as tx:
            for _ in range(many):
                tx.emit("", "score", Draft(EventType.BASE_PUSHED, WORDS))
        store.cursors.move(RELAY, AWAY_AT)
        store.close()


def settle(house: Wired) -> None:
    """Hold the account, and end the house. Raises AssertionError with all that is wrong."""
    close(house, [*_account(house.ground)])


def _account(ground: Ground) -> Iterator[str]:
    (left,) = ground.rows(  # in one statement: more may go between two
        "select count(*) as many, max(seq) as last, (select amount from pruned where name = "
        "'event:base_pushed') as counted from event_log where event_type = 'base_pushed'"
    )
    if left["many"] + int(left["counted"]) != OLD + NEW:
        yield f"{left['many']} are left and {left['counted']} are counted of {OLD + NEW}"
    if left["last"] != OLD + NEW:
        yield f"of the newest some are gone: the last is {left['last']}"
    (at,) = ground.rows("select seq from cursors where name = 'nats'")
    if at["seq"] != AWAY_AT:
        yield f"the relay has come to {at['seq']}"
    for kind in ("place_lost", "disk_low", "disk_freed"):
        (many,) = ground.rows(
            f"select count(*) as many from house_events where event_type = '{kind}'"  # noqa: S608
        )
        if many["many"] != 1:
            yield f"{kind} was told {many['many']} times"
    for words in ("nats loses its place", "only 1.0 GiB"):
        if len({line["id"] for line in paper(ground) if words in line["message"]}) != 1:
            yield f"a person was told of {words!r} {paper(ground)}"


def play(root: Path, plan: tuple[Order, ...], _runtime: str = "") -> tuple[str, ...]:
    """Tell it while this goes wrong, and hold the account; the orders that were carried out."""
    with told(root, plan) as (house, keeper):
        keeper.play()
        settle(house)
        return tuple(happened(house.ground.home))
