"""Which step a database is at: ``python -m ennio.store.schema_version``, with its resolved address
on stdin, for it may hold a password.

Prints one JSON document. Only looks: nothing is made, migrated or locked, and a supervisor may work
on it meanwhile.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ennio.config import database
from ennio.model.errors import EnnioError, Refused
from ennio.store.dialect import InWords
from ennio.store.migrations import MIGRATIONS, NEWEST
from ennio.store.opening import DOCUMENTED

_MOST_RECENT = "SELECT COALESCE(MAX(version), 0) FROM schema_migrations"
_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table'"


def look(url: str) -> dict[str, Any]:
    """``schema`` is the step it is at: None where there is no database yet, 0 for one of v0.1;
    ``steps`` are those to come. Raises EnnioError where it cannot be looked at.
    """
    schema = _of_server(url) if database.served(url) else _of_file(database.file(url))
    behind = MIGRATIONS[schema:] if schema is not None else ()
    return {
        "database": database.shown(url),
        "schema": schema,
        "newest": NEWEST,
        "steps": [step.name for step in behind],
    }


def _of_file(file: Path | None) -> int | None:
    if file is None or not file.exists():
        return None
    try:
        # read-only: an older database must stay as it is, and a newer one is not ours to touch
        with closing(sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True)) as opened:
            tables = {name for (name,) in opened.execute(_TABLES)}
            if not tables:
                return None
            columns = {row[1] for row in opened.execute("PRAGMA table_info(sessions)")}
            if not columns >= DOCUMENTED:
                raise Refused(f"{file} is the database of another program")
            if "schema_migrations" not in tables:
                return 0
            return int(opened.execute(_MOST_RECENT).fetchone()[0])
    except sqlite3.Error as error:
        raise EnnioError(f"{file} cannot be read: {error}") from error


def _of_server(url: str) -> int | None:
    from ennio.store.postgres import Postgres  # noqa: PLC0415 - whoever has SQLite needs no other driver

    server = Postgres(url)
    try:
        with InWords(server):
            if server.read("SELECT to_regclass('schema_migrations')::text", ())[0][0] is None:
                return None
            return int(server.read(_MOST_RECENT, ())[0][0])
    finally:
        server.close()


def main() -> int:
    """Look, and say so; ends with the exit code of what stood in the way."""
    try:
        print(json.dumps(look(sys.stdin.read().strip())))
    except EnnioError as error:
        print(json.dumps({"error": str(error)}))
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
