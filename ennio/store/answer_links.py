"""Links that answer one question once: kept as what they are known by, never as they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ennio.store import tables
from ennio.store.columns import encode, shape_of
from ennio.store.connection import Connection
from ennio.store.row_table import RowTable

REMEMBERED = timedelta(days=1)
"""How long it is known of one that it was there: whoever uses it is told what became of it."""


@dataclass(frozen=True, slots=True)
class AnswerLink:
    """One answer to the question of one notice, as a channel was given it.

    ``digest`` is what the link is known by, ``question`` what the question is known by. ``used_at``
    is when it, or another one of its notice, was used.
    """

    digest: str
    notice_id: str
    channel: str
    session_id: str
    question: str
    answer: str
    expires_at: datetime
    used_at: datetime | None = None


class AnswerLinkRepository:
    """Keeps them until a day after their time."""

    def __init__(self, connection: Connection) -> None:
        self._rows = RowTable(connection, tables.AnswerLinkTable, shape_of(AnswerLink))

    def renew(
        self, notice_id: str, channel: str, links: Sequence[AnswerLink], now: datetime
    ) -> None:
        """Keep the links of a notice on a channel in place of those given before, which nobody can
        use any more; in a transaction. Forgets those long over.
        """
        rows, column = self._rows, self._rows.column
        old = column("expires_at") < encode(now - REMEMBERED)
        rows.connection.change(rows.table.delete().where(old))
        theirs = (column("notice_id") == notice_id, column("channel") == channel)
        unused = column("used_at").is_null()
        rows.connection.change(rows.table.delete().where(*theirs, unused))
        for link in links:
            rows.add(link)

    def get(self, digest: str) -> AnswerLink | None:
        """The link that is known by this, or None."""
        return self._rows.get(digest)

    def use(self, link: AnswerLink, now: datetime) -> bool:
        """Use up a link, and with it all of its notice, in a transaction; False when one of them
        was used before.
        """
        beside = self._rows.find(notice_id=link.notice_id)
        known = any(one.digest == link.digest for one in beside)  # it may have been renewed
        if not known or any(one.used_at is not None for one in beside):
            return False
        mine = self._rows.column("notice_id") == link.notice_id
        update = {self._rows.column("used_at"): encode(now)}
        return self._rows.connection.change(self._rows.table.update(update).where(mine)) > 0
