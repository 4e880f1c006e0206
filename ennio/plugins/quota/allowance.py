"""The budgets of the process: one for each server and token, shared by
every project that uses them.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable

from ennio.plugins.quota.budget import RequestBudget


class Allowance:
    """A budget that several clients spend from at once."""

    def __init__(self) -> None:
        self._budget = RequestBudget()
        self._lock = threading.Lock()

    @property
    def budget(self) -> RequestBudget:
        """What is known now."""
        return self._budget

    def change(self, by: Callable[[RequestBudget], RequestBudget]) -> RequestBudget:
        """Put a new budget in place of the old one."""
        with self._lock:
            self._budget = by(self._budget)
            return self._budget


_ALLOWANCES: dict[tuple[str, str], Allowance] = {}
_LOCK = threading.Lock()


def allowance_of(api: str, token: str | None) -> Allowance:
    """The one of this server and token; the token itself is not kept."""
    digest = hashlib.sha256((token or "").encode()).hexdigest()
    with _LOCK:
        return _ALLOWANCES.setdefault((api, digest), Allowance())
