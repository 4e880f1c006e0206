"""What a person has begun to type into an agent's terminal: for how long it stands in a message's
way, and what of it was put aside.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from ennio.store import Store


class Drafts:
    """Those of one session. What was put aside is in the store from before it was taken out
    until it stands there again.

    ``patience`` is how long words wait for a person (seconds; 0: for ever).
    """

    def __init__(self, store: Store, session_id: str, patience: float) -> None:
        self._store = store
        self._session_id = session_id
        self._patience = timedelta(seconds=patience)
        self._stands: tuple[str, datetime] | None = None
        self.taken = store.agents.get(session_id).draft or ""
        """What was put aside and is not back yet; empty when nothing was."""

    def seen(self, draft: str | None, now: datetime) -> None:
        """This stands in the way now (None: nothing does). A person who goes on
        typing begins the wait anew.
        """
        if draft is None or self._stands is None or self._stands[0] != draft:
            self._stands = None if draft is None else (draft, now)

    def may_be_taken(self, now: datetime) -> str | None:
        """What may be put aside: it has stood there unchanged for as long as patience lasts."""
        if not self._patience or self._stands is None or self.taken:
            return None
        draft, since = self._stands
        return draft if now - since >= self._patience else None

    def take(self, draft: str) -> None:
        """Write down what is about to be taken out."""
        self._store.agents.save_draft(self._session_id, draft)
        self.taken = draft

    def given_back(self) -> None:
        """It stands in the place to type again."""
        self._store.agents.save_draft(self._session_id, None)
        self.taken = ""

    def put_back(self, by: timedelta) -> None:
        """The clock was put back, and nobody has waited longer for it."""
        self._stands = self._stands and (self._stands[0], self._stands[1] - by)
