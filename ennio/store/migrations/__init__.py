"""The numbered steps that make a database what the store needs.

Steps 1 to 5 are the schema of Ennio v0.1, harmless where it stands already; later ones add tables
and nullable columns. A step that has run is never changed: what comes after gets a new number.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ennio.model.failpoints import declare
from ennio.store.migrations import documented, forge, orchestra
from ennio.store.migrations.numbering import number_events
from ennio.store.migrations.renaming import rename_lifecycle

Sql = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Migration:
    """One step: its statements, then what only a program can do (given a function that runs SQL)."""

    number: int
    name: str
    statements: tuple[str, ...]
    then: Callable[[Sql], None] | None = None


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
)
declare("commit.schema_migrations", because="written before a story begins: the tests of migrations")
NEWEST = MIGRATIONS[-1].number

RECORD = """CREATE TABLE IF NOT EXISTS schema_migrations (
    version INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    applied_at TEXT NOT NULL)"""


def migrate(sql: Sql, version: int, mark: str, applied_at: str) -> int:
    """Take every step after ``version`` and return the newest. ``mark`` is the driver's placeholder.

    Runs inside the caller's transaction, so a step that fails leaves nothing behind.
    """
    sql(RECORD)
    for migration in MIGRATIONS[version:]:
        for statement in migration.statements:
            sql(statement)
        if migration.then is not None:
            migration.then(sql)
        sql(f"INSERT INTO schema_migrations VALUES ({mark}, {mark}, {mark})", (migration.number, migration.name, applied_at))  # noqa: S608
    return NEWEST
