"""Whose turn it is to be looked at: everybody's, theirs for whom nobody waits, or theirs who are in
a hurry.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class LookSchedule:
    """When everybody is next, and when those are for whom nobody waits (monotonic seconds); who is
    in too much of a hurry for that.
    """

    due: float = 0.0
    soon: float = 0.0
    expedited: frozenset[str] = frozenset()

    def expedite(self, session_id: str | None) -> LookSchedule:
        """The same with this session in a hurry; with everybody, when it is None."""
        return (
            replace(self, due=0.0)
            if session_id is None
            else replace(self, expedited=self.expedited | {session_id})
        )

    def take(
        self,
        watched: Iterable[str],
        unawaited: Collection[str],
        now: float,
        wait: float,
        seldom: float,
    ) -> tuple[tuple[str, ...], LookSchedule]:
        """Whose turn it is now, and the turns after that.

        The next look at those for whom nobody waits is ``wait`` seconds after this one, that
        at everybody ``seldom``.
        """
        if now >= self.due:
            return tuple(watched), LookSchedule(now + seldom, now + wait)
        wanted = self.expedited | set(unawaited) if now >= self.soon else self.expedited
        turn = tuple(session_id for session_id in watched if session_id in wanted)
        return turn, LookSchedule(self.due, now + wait if now >= self.soon else self.soon)
