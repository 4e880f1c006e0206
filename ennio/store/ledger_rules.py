"""What the database itself holds of the books, whoever writes to it.

A transfer has both its sides and one amount above zero in one row, so all balances add up to zero
whichever rows there are. Nothing in the books is changed or removed, and no entry claims money that
no transfer moves.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ennio.store.statements import POSTGRES

BOOKS = ("ledger_accounts", "ledger_transfers", "ledger_entries")
_NO_EDIT = "the books are only added to: what was wrong is put right by another entry"
_NO_TRANSFER = "an entry of money needs the transfer that moves it"
_UNPAID = """NEW.amount IS NOT NULL AND NEW.amount <> 0 AND NOT EXISTS (
    SELECT 1 FROM ledger_transfers WHERE id = NEW.id AND amount = abs(NEW.amount))"""


def ledger_rules(database: Any) -> Iterator[str]:
    """The statements that make the rules, in the words of this one of ``statements``."""
    yield from _of_postgres() if database is POSTGRES else _of_sqlite()


def _of_sqlite() -> Iterator[str]:
    for table in BOOKS:
        for change in ("UPDATE", "DELETE"):
            yield (
                f"CREATE TRIGGER {table}_no_{change.lower()} BEFORE {change} ON {table}"
                f" BEGIN SELECT RAISE(ABORT, '{_NO_EDIT}'); END"
            )
    yield (
        "CREATE TRIGGER ledger_entries_paid BEFORE INSERT ON ledger_entries"
        f" WHEN {_UNPAID} BEGIN SELECT RAISE(ABORT, '{_NO_TRANSFER}'); END"
    )


def _of_postgres() -> Iterator[str]:
    yield (
        "CREATE OR REPLACE FUNCTION ledger_no_edit() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN RAISE EXCEPTION '{_NO_EDIT}'; END $$"
    )
    for table in BOOKS:
        yield (
            f"CREATE TRIGGER {table}_no_edit BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION ledger_no_edit()"
        )
    yield (
        "CREATE OR REPLACE FUNCTION ledger_entry_paid() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN"
        f" IF {_UNPAID} THEN RAISE EXCEPTION '{_NO_TRANSFER}'; END IF; RETURN NEW; END $$"
    )
    yield (
        "CREATE TRIGGER ledger_entries_paid BEFORE INSERT ON ledger_entries"
        " FOR EACH ROW EXECUTE FUNCTION ledger_entry_paid()"
    )
