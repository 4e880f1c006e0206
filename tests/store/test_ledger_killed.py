"""Who posts is killed with kill -9, wherever it is just then: in the middle of a batch, between an
entry and its transfer, before the commit or after it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from ennio.config.money import PriceOverride
from ennio.model.clock import SystemClock
from ennio.model.session import Session, SessionStatus
from ennio.model.usage import RequestUsage, Tokens
from ennio.policy.ledger.posting import Occasion, entries_of
from ennio.policy.ledger.prices import PriceBook
from ennio.store import Store, open_store
from ennio.store.ledger import Selection
from tests.store.test_ledger import OUT_OF_BALANCE

pytestmark = pytest.mark.real

AT = datetime(2026, 11, 30, tzinfo=UTC)
OF = Occasion("s-1", "shop", "agent", 1, AT)
BATCH = 7
EACH = Decimal("0.00011")
BOOK = PriceBook((PriceOverride("mine", Decimal(1), Decimal(2)),))


def post_on(store: Store) -> None:
    """Post batch after batch from where the cursor stands, as a session does: both or neither."""
    while True:
        batch = read_to(store)
        with store.transaction():
            store.agents.save_read_to("s-1", {"batch": str(batch + 1)})
            for number in range(batch * BATCH, (batch + 1) * BATCH):
                told = RequestUsage(f"r{number}", AT, Tokens(90, 10), "mine")
                store.ledger.post(entries_of(told, (), BOOK.cost, OF))
        print(batch, flush=True)


def read_to(store: Store) -> int:
    """How many batches were read."""
    return int(store.agents.get("s-1").read_to.get("batch", "0"))


def test_who_is_killed_while_posting_leaves_balanced_books_and_loses_and_doubles_nothing(
    url: str, tmp_path: Path
) -> None:
    with closing(open_store(url, tmp_path, SystemClock())) as store:
        session = Session("s-1", "shop", SessionStatus.WORKING, AT, AT, "")
        store.sessions.insert(session)
    for kill in range(4):
        _posts_and_is_killed(url, after=kill)
        with closing(open_store(url, tmp_path, SystemClock())) as store:
            many = read_to(store) * BATCH
            assert many > kill * BATCH, "the next one goes on from there"
            spent = store.ledger.spent(Selection())
            assert (store.ledger.count(), spent.requests, spent.billed) == (many, many, many * EACH)
            assert store._connection.sql(OUT_OF_BALANCE).fetchall() == []


def _posts_and_is_killed(url: str, after: int) -> None:
    """Let another process post so many batches, and kill it while it goes on."""
    code = "import sys; from tests.store import test_ledger_killed as t; t.main(sys.argv[1])"
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", code, url], stdout=subprocess.PIPE, cwd=root, env=dict(os.environ)
    ) as process:
        assert process.stdout is not None
        for _ in range(after + 1):
            assert process.stdout.readline(), "it posts"
        os.kill(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL


def main(url: str) -> None:
    """What is killed."""
    post_on(open_store(url, Path(), SystemClock()))
