"""The tables of the database, from where they are declared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ennio.store.declaring import DeclaredTable, key_of, kinds_of, name_of
from ennio.store.statements import peewee
from ennio.store.tables import TABLES, VIEWS
from tests.pages.markdown import cell, table

KINDS = {str: "text", int: "whole number", float: "number"}


def tables() -> Iterator[str]:
    """Every table, those that others refer to first."""
    for one in TABLES:
        yield f"### `{name_of(one)}`\n"
        yield f"{cell(one.__doc__ or '')}\n"
        yield from table(("Column", "Holds", "Default"), _columns(one))
        yield from _rules(one)
    for name in VIEWS:
        yield f"### `{name}`\n"
        yield "A view: the rows of both tables of events as one log.\n"


def _columns(one: type[DeclaredTable]) -> Iterator[tuple[str, str, str]]:
    key = key_of(one)
    for field, kind in zip(one._meta.sorted_fields, kinds_of(one), strict=True):
        parts = [KINDS[kind]]
        parts += ["null" for _ in [field] if field.null]
        parts += ["key" for _ in [field] if field.column_name in key]
        if isinstance(field, peewee.ForeignKeyField):
            parts.append(f"of `{name_of(field.rel_model)}`")
        yield f"`{field.column_name}`", ", ".join(parts), _default(field)


def _default(field: Any) -> str:
    given = [str(getattr(each, "sql", "now")) for each in field.constraints or ()]
    return f"`{given[0].removeprefix('DEFAULT ')}`" if given else ""


def _rules(one: type[DeclaredTable]) -> Iterator[str]:
    """What holds of several columns together, and where one finds quickly."""
    held = [f"`{each.sql}`" for each in one._meta.constraints or ()]
    if held:
        yield f"Held: {', '.join(held)}.\n"
    indices = [_index(each) for each in one._meta.fields_to_index()]
    if indices:
        yield f"Indices: {', '.join(indices)}.\n"


def _index(each: Any) -> str:
    columns = ", ".join(
        getattr(part, "column_name", None) or f"{part.node.column_name} descending"
        for part in each._expressions
    )
    return f"`{each._name}` ({columns}{'; unique' if each._unique else ''})"
