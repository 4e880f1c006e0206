"""How tables are declared: columns, keys and indices, of which each
database is given its own words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ennio.store.statements import POSTGRES, peewee

_NOW = {
    False: "(datetime('now'))",
    True: "(to_char(now() AT TIME ZONE 'utc', 'YYYY-MM-DD HH24:MI:SS'))",
}


class DeclaredTable(peewee.Model):  # type: ignore[misc] # peewee has no types
    """The base of all."""


class _Now(peewee.Node):  # type: ignore[misc] # peewee has no types
    """``DEFAULT`` the present time, as the documented tables write it."""

    def __sql__(self, ctx: Any) -> Any:
        return ctx.literal(f"DEFAULT {_NOW[ctx.state.param == POSTGRES.param]}")


def text_column(
    default: str | None = None, *, null: bool = False, primary_key: bool = False
) -> Any:
    """A column of text."""
    given = [] if default is None else [peewee.SQL(f"DEFAULT '{default}'")]
    return peewee.TextField(null=null, primary_key=primary_key, constraints=given)


def number_column(
    default: int | None = None, *, null: bool = False, primary_key: bool = False
) -> Any:
    """A column of whole numbers, or of booleans."""
    given = [] if default is None else [peewee.SQL(f"DEFAULT {default}")]
    return peewee.BigIntegerField(null=null, primary_key=primary_key, constraints=given)


def time_column() -> Any:
    """A column of time, by itself the present one."""
    return peewee.TextField(constraints=[_Now()])


def owner(table: type[DeclaredTable], *, primary_key: bool = False) -> Any:
    """The session a row belongs to and goes with."""
    return peewee.ForeignKeyField(
        table,
        column_name="session_id",
        on_delete="CASCADE",
        primary_key=primary_key,
        index=False,
        backref="+",
    )


def refers(table: type[DeclaredTable], column: str) -> Any:
    """A column that names a row of another table, which has to be there and stay."""
    return peewee.ForeignKeyField(table, column_name=column, index=False, backref="+")


def meta(
    name: str,
    *,
    key: tuple[str, ...] = (),
    unique: tuple[str, ...] = (),
    checks: tuple[str, ...] = (),
) -> type:
    """Where a table lies, its key where that is more than one column, what else is unique in it,
    and what holds of each row.
    """
    options: dict[str, Any] = {"table_name": name}
    options["constraints"] = (
        *(peewee.SQL(f"UNIQUE ({columns})") for columns in unique),
        *(peewee.SQL(f"CHECK ({condition})") for condition in checks),
    )
    if key:
        options["primary_key"] = peewee.CompositeKey(*key)
    return type("Meta", (), options)


def index(table: type[DeclaredTable], name: str, *columns: str, unique: bool = False) -> None:
    """An index over columns; one that begins with ``-`` descends."""
    fields = (getattr(table, name.removeprefix("-")) for name in columns)
    ordered = [
        field.desc() if name[0] == "-" else field
        for name, field in zip(columns, fields, strict=True)
    ]
    table.add_index(table.index(*ordered, name=name, unique=unique, safe=False))


def name_of(table: type[DeclaredTable]) -> str:
    """What the database calls it."""
    return str(table._meta.table_name)


def columns_of(table: type[DeclaredTable]) -> tuple[str, ...]:
    """Its columns, in their order."""
    return tuple(field.column_name for field in table._meta.sorted_fields)


def kinds_of(table: type[DeclaredTable]) -> tuple[type[Any], ...]:
    """What its columns hold, in their order: text, whole numbers or others."""
    return tuple(_KINDS.get(type(field), str) for field in table._meta.sorted_fields)


_KINDS: Mapping[type[Any], type[Any]] = {peewee.BigIntegerField: int, peewee.DoubleField: float}


def key_of(table: type[DeclaredTable]) -> tuple[str, ...]:
    """The columns of its primary key."""
    return tuple(field.column_name for field in table._meta.get_primary_keys())


def creation(
    tables: Sequence[type[DeclaredTable]], views: Mapping[str, str], database: Any
) -> Iterator[str]:
    """The statements that make everything in an empty database, in the words of
    this one of ``statements``.
    """
    for table in tables:
        schema = peewee.SchemaManager(table, database)
        yield schema._create_table(safe=False).query()[0]
        for index in table._meta.fields_to_index():
            yield schema._create_index(index, safe=False).query()[0]
    for name, query in views.items():
        yield f"CREATE VIEW {name} AS {query}"
