"""peewee, which declares tables and makes the text of statements, for each database we know.

Statements are run by the drivers themselves. peewee would load every driver it finds when it is
imported, and that of PostgreSQL takes twice the memory of peewee: so it finds none. Whoever needs
peewee takes it from here.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

_DRIVERS = ("psycopg2cffi", "psycopg2", "psycopg", "pymysql", "MySQLdb")


def _without_drivers() -> Any:
    hidden = [name for name in _DRIVERS if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type] # None: there is no such module
    try:
        return importlib.import_module("peewee")
    finally:
        for name in hidden:
            del sys.modules[name]


peewee: Any = _without_drivers()


class _Postgres(peewee.PostgresqlDatabase):  # type: ignore[misc] # peewee has no types
    """Texts are compared by their bytes, as SQLite does it, whatever the
    locale of the database is.
    """

    field_types = peewee.PostgresqlDatabase.field_types | {"TEXT": 'TEXT COLLATE "C"'}


SQLITE = peewee.SqliteDatabase(None)
POSTGRES = _Postgres(None)


def text_of(query: Any, database: Any) -> tuple[str, list[Any]]:
    """A query as text and its parameters, in the words of SQLITE or POSTGRES."""
    statement, parameters = database.get_sql_context().sql(query).query()
    return statement, list(parameters)
