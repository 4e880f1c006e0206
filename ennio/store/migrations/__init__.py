"""The numbered steps that make a database what the store needs.

Steps 1 to 5 are the schema of Ennio v0.1, harmless where it stands already; later ones add tables
and nullable columns. A step that has run is never changed: what comes after gets a new number, and
``ennio.store.tables`` declares what it leads to.

A new database of SQLite takes all of them. One of PostgreSQL is made as it is declared, and takes
those that come later; so steps up to 15 are for SQLite alone, and the statements of later ones are
understood by both, but for the names of types and the mark of a parameter (``in_words_of``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ennio.model.failpoints import declare
from ennio.store import tables
from ennio.store.ledger_rules import ledger_rules
from ennio.store.migrations import (
    answer_links,
    blocked,
    budgets,
    conflicts,
    deliveries,
    documented,
    following,
    forecasts,
    forge,
    hosts,
    idempotency,
    ledger,
    orchestra,
    retention,
    reviews,
    states,
    turns,
)
from ennio.store.migrations.numbering import number_events
from ennio.store.migrations.renaming import PRESENCE, rename_lifecycle
from ennio.store.statements import POSTGRES, SQLITE

Sql = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Migration:
    """One step: its statements, then what only a program can do (given a function that runs SQL).

    ``rules`` gives the statements that come last, for those that each database says in its own way.
    """

    number: int
    name: str
    statements: tuple[str, ...]
    then: Callable[[Sql], None] | None = None
    rules: Callable[[Any], Iterator[str]] | None = None


MIGRATIONS: tuple[Migration, ...] = (
    Migration(1, "sessions", documented.SESSIONS),
    Migration(2, "events", documented.EVENTS),
    Migration(3, "projects", documented.PROJECTS),
    Migration(4, "session metrics", documented.SESSION_METRICS),
    Migration(5, "indices", documented.INDICES),
    Migration(6, "a numbered log of events", orchestra.EVENT_LOG, number_events),
    Migration(7, "all of a session", orchestra.WHOLE_SESSIONS),
    Migration(8, "what is known and remembered of a session", orchestra.KNOWLEDGE),
    Migration(9, "messages, reactions, merges, notifications, queue", orchestra.EFFECTS),
    Migration(10, "the local forge", forge.FORGE),
    Migration(11, "merges that are held back", orchestra.HELD_MERGES),
    Migration(12, "why there is no signal", orchestra.NO_SIGNAL),
    Migration(13, "messages that wait, over all sessions", orchestra.WAITING_MESSAGES),
    Migration(14, "the lifecycle's state by its new names", (), rename_lifecycle),
    Migration(15, "pull requests that a push merged", forge.MERGED_BY_PUSH),
    Migration(16, "requests that may be sent again", idempotency.IDEMPOTENCY_KEYS),
    Migration(17, "cursors of those who follow the log", following.CURSORS),
    Migration(18, "what was seen by its new names", PRESENCE),
    Migration(
        19,
        "a row for each channel of a notification",
        deliveries.DELIVERIES,
        deliveries.notices_by_channel,
    ),
    Migration(20, "nothing of channels beside them", deliveries.PLAIN_NOTIFICATIONS),
    Migration(21, "a delivery for each merge", (), deliveries.merges_by_project),
    Migration(22, "nothing of deliveries beside merges", deliveries.PLAIN_MERGES),
    Migration(23, "the machine a session is on", hosts.SESSION_HOST),
    Migration(24, "messages that a command line carried", orchestra.CARRIED_MESSAGES),
    Migration(25, "what reactions to a whole project remember", orchestra.PROJECT_REACTIONS),
    Migration(26, "tries of deliveries that were broken off", deliveries.BROKEN_OFF),
    Migration(27, "what was told of checks, and of which head", (), states.split_lifecycle),
    Migration(28, "what is kept of each agent", states.AGENTS),
    Migration(29, "merges by ids of their own", states.MERGE_IDS),
    Migration(30, "a delivery for each message", states.MESSAGES_BY_SESSION),
    Migration(31, "notices whose cause is gone, and those told together", deliveries.RESOLVED),
    Migration(32, "numbers of what is no longer kept", retention.PRUNED),
    Migration(33, "what reactions saw, and in which words", (), states.split_items),
    Migration(34, "the books", ledger.LEDGER, ledger.open_the_books, ledger_rules),
    Migration(35, "forecasts", forecasts.FORECASTS, forecasts.take_in_the_past),
    Migration(36, "links that answer a question", answer_links.ANSWER_LINKS),
    Migration(37, "budgets that hold", budgets.BUDGETS),
    Migration(38, "since when it is a person's turn", turns.TURNS),
    Migration(39, "conflicts that are expected", conflicts.CONFLICTS),
    Migration(40, "how much branches change", conflicts.BRANCH_DIFFS),
    Migration(41, "reviews that are to be on pull requests", reviews.REVIEW_ORDERS),
    Migration(42, "since when the queue waits for a person", blocked.BLOCKED),
    Migration(43, "searches of the web in the books", ledger.WEB_SEARCHES),
)
declare(
    "commit.schema_migrations", because="written before a story begins: the tests of migrations"
)
NEWEST = MIGRATIONS[-1].number

RECORD = """CREATE TABLE IF NOT EXISTS schema_migrations (
    version INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    applied_at TEXT NOT NULL)"""
_AS_DECLARED = "as declared"
_WORD = re.compile(r"\b(?:TEXT|INTEGER|REAL)\b|\?")


def migrate(sql: Sql, version: int, database: Any, applied_at: str) -> int:
    """Take every step after ``version`` and return the newest; ``database`` is the one of
    ``statements`` to be spoken to.

    Runs inside the caller's transaction, so a step that fails leaves nothing behind.
    """
    if database is POSTGRES:
        steps = _made(sql, applied_at) if version == 0 else MIGRATIONS[version:]
    else:
        sql(RECORD)
        steps = MIGRATIONS[version:]
    for migration in steps:
        for statement in migration.statements:
            sql(in_words_of(database, statement))
        if migration.then is not None:
            migration.then(
                lambda statement, *values: sql(in_words_of(database, statement), *values)
            )
        for rule in migration.rules(database) if migration.rules is not None else ():
            sql(rule)
        _record(sql, database, migration.number, migration.name, applied_at)
    return NEWEST


def _made(sql: Sql, applied_at: str) -> tuple[Migration, ...]:
    """Make a new database as it is declared; no step is left to take."""
    for statement in tables.creation(POSTGRES):
        sql(statement)
    _record(sql, POSTGRES, NEWEST, _AS_DECLARED, applied_at)
    return ()


def in_words_of(database: Any, statement: str) -> str:
    """A statement of a step, which is written for SQLite, for this database."""
    if database is SQLITE:
        return statement
    # its driver takes a plain % for the beginning of a mark
    return _WORD.sub(lambda found: _POSTGRES_WORDS[found[0]], statement.replace("%", "%%"))


_POSTGRES_WORDS = {
    "TEXT": 'TEXT COLLATE "C"',
    "INTEGER": "BIGINT",
    "REAL": "DOUBLE PRECISION",
    "?": POSTGRES.param,
}


def _record(sql: Sql, database: Any, number: int, name: str, applied_at: str) -> None:
    mark = database.param
    sql(
        f"INSERT INTO schema_migrations VALUES ({mark}, {mark}, {mark})",  # noqa: S608
        (number, name, applied_at),
    )
