"""Frozen dataclasses as the rows of a table: found, added, changed and removed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from operator import itemgetter
from typing import Any, Generic, TypeVar

from ennio.model.errors import Conflict, NotFound, Refused
from ennio.store.columns import RowShape, Values, encode
from ennio.store.connection import Connection
from ennio.store.declaring import DeclaredTable, columns_of, key_of, name_of
from ennio.store.dialect import Row
from ennio.store.statements import peewee

R = TypeVar("R")
_FORMS = 100
"""So many statements of a table are kept as text; what differs otherwise is written whole."""


def _form(value: Any) -> str:
    """What of a value the text of a query depends on."""
    return f"in {len(value)}" if isinstance(value, tuple) else "null" if value is None else "="


def _items(value: Any) -> tuple[Any, ...]:
    """What a condition on a column holds it against."""
    return () if value is None else value if isinstance(value, tuple) else (value,)


def tallied(rows: Sequence[Row]) -> Mapping[Row, int]:
    """What the rows of a tally say."""
    return {row[:-1]: int(row[-1]) for row in rows}


def _insist(name: str, columns: tuple[str, ...], declared: tuple[str, ...]) -> None:
    unknown = set(columns) - set(declared)
    if unknown:
        wanted = ", ".join(sorted(unknown))
        raise RuntimeError(
            f"table {name} has no column {wanted}: declare it in ennio/store/tables.py, and add a "
            "migration"
        )


class RowTable(Generic[R]):
    """The rows of one declared table. ``key`` names what makes a row unique, where that is
    not the table's own key.

    ``view`` is read in its place.

    Where the table has an ``ordinal`` that the dataclass has not, rows get
    theirs in the order of adding. With ``remembers``, what ``of_sessions`` reads of all that
    are not archived is not decoded again while it is the same.
    """

    def __init__(
        self,
        connection: Connection,
        declared: type[DeclaredTable],
        shape: RowShape[R],
        *,
        key: tuple[str, ...] = (),
        view: str = "",
        remembers: bool = False,
    ) -> None:
        self.connection = connection
        self.name = view or name_of(declared)
        self.shape = shape
        self.key = key or key_of(declared)
        self._ordinal = "ordinal" in set(columns_of(declared)) - set(shape.columns)
        _insist(self.name, shape.columns, columns_of(declared))
        self.table = peewee.Table(self.name)
        self._texts: dict[object, str] = {}
        self._remembers = remembers
        self._remembered: dict[object, dict[tuple[Any, ...], tuple[Sequence[Any], R]]] = {}
        self._writes: dict[tuple[str, ...], tuple[str, itemgetter[str]]] = {}

    def get(self, *key: Any) -> R | None:
        """The row with this key, or None."""
        found = self.find(**dict(zip(self.key, key, strict=True)))
        return found[0] if found else None

    def find(
        self, *conditions: Any, order: Sequence[str] = (), limit: int | None = None, **equal: Any
    ) -> tuple[R, ...]:
        """The rows whose columns equal what is given (None: NULL, a tuple: any of),
        ``-column`` for descending order.
        """
        return tuple(map(self.decoded, self.rows(*conditions, order=order, limit=limit, **equal)))

    def rows(
        self, *conditions: Any, order: Sequence[str] = (), limit: int | None = None, **equal: Any
    ) -> Sequence[Row]:
        """The same as they lie there, column by column."""
        if conditions:
            return self.connection.read(self._select(conditions, order, limit, equal))
        return self.connection.read_text(*self._statement(tuple(order), limit, equal))

    def _select(
        self,
        conditions: Sequence[Any],
        order: Sequence[str],
        limit: int | None,
        equal: Mapping[str, Any],
    ) -> Any:
        query = self.table.select(*(self.column(name) for name in self.shape.columns))
        if equal or conditions:
            query = query.where(*self._where(equal), *conditions)
        query = query.order_by(
            *(
                self.column(name[1:]).desc() if name.startswith("-") else self.column(name)
                for name in order
            )
        )
        return query if limit is None else query.limit(limit)

    def _statement(
        self, order: tuple[str, ...], limit: int | None, equal: Mapping[str, Any]
    ) -> tuple[str, list[Any]]:
        """The text of a query and its values. Making the text costs more than running it, so it is
        kept for each form of query.
        """
        form = (order, limit is not None, *equal, *map(_form, equal.values()))
        values = [encode(item) for value in equal.values() for item in _items(value)]
        values += [] if limit is None else [limit]
        if form not in self._texts:
            text, parameters = self.connection.text_of(self._select((), order, limit, equal))
            if parameters != values:
                return text, parameters
            self._texts[form] = text
        return self._texts[form], values

    def stored(self, *names: str, **equal: str) -> list[Row]:
        """These columns of the rows that have these texts, as they lie there: to be compared with
        what is to be written.
        """
        form = ("stored", *names, "of", *equal)
        if form not in self._texts:
            query = self.table.select(*map(self.column, names)).where(*self._where(equal))
            self._texts[form], _ = self.connection.text_of(query)
        return self.connection.read_text(self._texts[form], list(equal.values()))

    def count(self, **equal: Any) -> int:
        """How many rows have these values."""
        query = self.table.select(peewee.fn.COUNT(peewee.SQL("*")))
        return int(self.connection.read(query.where(*self._where(equal)) if equal else query)[0][0])

    def tally(self, by: Sequence[str], *conditions: Any, **equal: Any) -> Mapping[Row, int]:
        """How many rows have these values and meet the conditions, by
        what stands in some columns.
        """
        return tallied(self.connection.read(self.tallying(by, *conditions, **equal)))

    def tallying(self, by: Sequence[str], *conditions: Any, **equal: Any) -> Any:
        """The query of ``tally``."""
        columns = [self.column(name) for name in by]
        return (
            self.table.select(*columns, peewee.fn.COUNT(peewee.SQL("*")))
            .where(*self._where(equal), *conditions)
            .group_by(*columns)
        )

    def add(self, row: R) -> bool:
        """Add a row unless one stands in its way; tells whether it was added. Raises
        NotFound for an unknown session.
        """
        if not self._ordinal:  # one statement needs no transaction around it
            return self._insert(row)
        with self.connection.transaction():
            return self._insert(row)

    def insert(self, row: R) -> None:
        """Add a row. Raises Conflict when it is there already."""
        if not self.add(row):
            raise Conflict(f"{self.name} already has a row {self._named(row)}")

    def change(self, row: R, before: R | None = None) -> bool:
        """Replace the row that has this key; tells whether there was one.

        ``before`` is what stands there, where that is known: only the columns that differ from it
        are written then, and no index of the others is touched.
        """
        if before is not None and self.shape.differing is not None:
            differing = self.shape.differing(before, row)
            form = ("update", *differing)
            if differing and (form in self._writes or len(self._writes) < _FORMS):
                named = {name: encode(getattr(row, name)) for name in self.key}
                return self._write(form, differing | named) > 0
        return self._write(("update",), self.shape.encode(row)) > 0

    def _update(self, values: Values) -> Any:
        update = {
            self.column(name): value for name, value in values.items() if name not in self.key
        }
        return self.table.update(update).where(*self._where({name: name for name in self.key}))

    def _write(self, form: tuple[str, ...], values: Values) -> int:
        """Run a statement that is the same for each form, whose text is kept with the order in
        which it takes the columns.
        """
        if form not in self._writes:
            names = {name: name for name in values}
            query = self._update(names) if form[0] == "update" else self._add(names)
            text, order = self.connection.text_of(query)
            self._writes[form] = text, itemgetter(*order)
        text, in_order = self._writes[form]
        return self.connection.change_text(text, in_order(values))

    def _add(self, values: Values) -> Any:
        return self.table.insert(
            {self.column(name): value for name, value in values.items()}
        ).on_conflict(action="nothing")

    def save(self, row: R) -> None:
        """Replace the row that has this key, or add it. Raises NotFound for an unknown session."""
        if self.change(row):
            return
        with self.connection.transaction():
            if not self.change(row) and not self._insert(row):
                raise Conflict(f"{self.name}: another row stands in the way of {self._named(row)}")

    def remove(self, *key: Any) -> bool:
        """Take a row away; tells whether it was there."""
        if "delete" not in self._texts:
            where = self._where({name: name for name in self.key})
            self._texts["delete"], _ = self.connection.text_of(self.table.delete().where(*where))
        return self.connection.change_text(self._texts["delete"], list(map(encode, key))) > 0

    def column(self, name: str) -> Any:
        """A column of the table, for conditions."""
        return peewee.Column(self.table, name)

    def of_sessions(self, ids: Collection[str] | None, **equal: Any) -> tuple[R, ...]:
        """The rows of these sessions; None: of all that are not archived, in one query whatever
        their number. With ``equal`` as ``find`` has it.
        """
        if ids is not None:
            which: dict[str, Any] = {self._session_column: tuple(ids), **equal}
            return self.find(**which) if ids else ()
        form = ("living", *((name, _form(value)) for name, value in equal.items()))
        if form not in self._texts:
            sessions = peewee.Table("sessions")
            living = sessions.select(peewee.Column(sessions, "id")).where(
                peewee.Column(sessions, "archived_at").is_null()
            )
            where = self.column(self._session_column).in_(living)
            self._texts[form], _ = self.connection.text_of(self._select((where,), (), None, equal))
        values = [encode(item) for value in equal.values() for item in _items(value)]
        rows = self.connection.read_text(self._texts[form], values)
        if not self._remembers:
            return tuple(map(self.decoded, rows))
        return self._as_before((form, *values), rows)

    def _as_before(self, asked: object, rows: Sequence[Sequence[Any]]) -> tuple[R, ...]:
        """What these rows say; of the last time only what is there again is remembered."""
        before, now = self._remembered.get(asked, {}), dict[Any, tuple[Sequence[Any], R]]()
        at = [self.shape.columns.index(name) for name in self.key]
        for row in rows:
            key = tuple(row[place] for place in at)
            known = before.get(key)
            now[key] = known if known is not None and known[0] == row else (row, self.decoded(row))
        self._remembered[asked] = now
        return tuple(read for _, read in now.values())

    @property
    def _session_column(self) -> str:
        return "id" if self.name == "sessions" else "session_id"

    def _insert(self, row: R) -> bool:
        values = self.shape.encode(row)
        if self._ordinal:
            values = {**values, "ordinal": self.connection.bump(self.name)}
        try:
            return self._write(("insert",), values) > 0
        except self.connection.dialect.errors as error:
            if self.connection.dialect.breaks_reference(error):
                raise NotFound(
                    f"no session {getattr(row, 'session_id', '')} for a row of {self.name}"
                ) from error
            raise

    def _where(self, equal: Mapping[str, Any]) -> list[Any]:
        return [self._equals(self.column(name), value) for name, value in equal.items()]

    @staticmethod
    def _equals(column: Any, value: Any) -> Any:
        if value is None:
            return column.is_null()
        return (
            column.in_([encode(item) for item in value])
            if isinstance(value, tuple)
            else column == encode(value)
        )

    def decoded(self, row: Sequence[Any]) -> R:
        """What a row says. Raises Refused for one that cannot be read."""
        values = dict(zip(self.shape.columns, row, strict=True))
        try:
            return self.shape.decode(values)
        except ValueError as error:
            key = ", ".join(str(values[name]) for name in self.key)
            raise Refused(
                f"row {key} of table {self.name} in {self.connection.name} cannot be read: {error}"
            ) from error

    def _named(self, row: R) -> str:
        values = self.shape.encode(row)
        return ", ".join(str(values[name]) for name in self.key)
