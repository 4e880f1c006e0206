"""Waits for what agents do: to their files, on their terminals, and when they end.

News says only that a session is to be looked at again, so one that is lost costs time and never
truth. Nothing of it is kept but a number for each session, and who asks says up to which number it
has heard: to be asked twice takes nothing away.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Sequence
from pathlib import Path

from ennio.hosts.observation import News
from ennio.machine.interface import Machine
from ennio.machine.news_watch import FILES, NOTIFIED, NewsWatch
from ennio.model.facts import Presence, ProcessSeen
from ennio.plugins.runtime.interface import Pane

_OUTPUT, _END = "output", "end"
_AGENT = (FILES, _OUTPUT, _END)
_PLACE = "place"


class HostNews:
    """What can be waited for on a machine. Nothing is watched before somebody waits.

    Safe under threads, and under greenlets that stand for threads: of several who wait,
    one waits for all of them.
    """

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._life = uuid.uuid4().hex
        self._number = 0
        self._news: dict[str, int] = {}
        self._notified: dict[str, int] = {}
        self._changed = threading.Condition()
        self._watch: NewsWatch | None = None
        self._is_attended = False

    # --- what to wait for -------------------------------------------------------------------------

    def rests_on(self, session_id: str, files: Sequence[Path], *, anew: bool = False) -> bool:
        """From now on it is news when one of these changes; False where
        that cannot be waited for.
        """
        watch = self._watch
        return watch is not None and watch.files((session_id, FILES), files, anew=anew)

    def stands_on(self, session_id: str, files: Sequence[Path]) -> bool:
        """The same of the files by which a working copy was seen standing."""
        watch = self._watch
        return watch is not None and bool(files) and watch.files((session_id, _PLACE), files)

    def prints(self, session_id: str, pane: Pane) -> bool:
        """From now on it is news when this terminal puts something out; False where
        that cannot be waited for.
        """
        watch = self._watch
        if watch is None or not pane.output:
            return False
        return watch.files((session_id, _OUTPUT), (Path(pane.output),))

    def lives(self, session_id: str, process: ProcessSeen) -> bool:
        """From now on it is news when this process ends; False where that cannot be waited for."""
        watch = self._watch
        if watch is None:
            return False
        if process.presence is not Presence.ALIVE or process.pid is None:
            watch.forget((session_id, _END))
            return process.presence is Presence.GONE
        return watch.process((session_id, _END), process.pid)

    def has_ended(self, session_id: str) -> None:
        """Of its agent nobody will want to know any more."""
        self._forget(session_id, _AGENT)

    def forget(self, session_id: str) -> None:
        """Nor of anything else."""
        self._forget(session_id, (*_AGENT, _PLACE))

    def _forget(self, session_id: str, kinds: Sequence[str]) -> None:
        watch = self._watch
        if watch is not None:
            for kind in kinds:
                watch.forget((session_id, kind))

    # --- waiting ----------------------------------------------------------------------------------

    def wait(self, cursor: str, timeout: float) -> News:
        """See ``Host.news``."""
        until = time.monotonic() + timeout
        while True:
            with self._changed:
                watch = self._watch = self._watch or self._machine.watch()
                found, left = self._since(cursor), until - time.monotonic()
                if found is not None or left <= 0:
                    return found or self._word()
                if watch is None or self._is_attended:
                    self._changed.wait(left)
                    continue
                self._is_attended = True
            try:
                self._note(watch.wait(left))
            finally:
                with self._changed:
                    self._is_attended = False
                    self._changed.notify_all()

    def close(self) -> None:
        """Wait for nothing any more; nobody may be waiting."""
        watch, self._watch = self._watch, None
        if watch is not None:
            watch.close()

    def _since(self, cursor: str) -> News | None:
        life, _, number = cursor.partition(":")
        if life != self._life or not number.isdigit():
            return self._word(everybody=True)
        sessions = tuple(session_id for session_id, at in self._news.items() if at > int(number))
        notified = tuple(name for name in sessions if self._notified.get(name, 0) > int(number))
        return self._word(sessions, notified) if sessions else None

    def _word(
        self,
        sessions: tuple[str, ...] = (),
        notified: tuple[str, ...] = (),
        *,
        everybody: bool = False,
    ) -> News:
        trouble = self._watch.trouble if self._watch is not None else ""
        return News(f"{self._life}:{self._number}", sessions, everybody, trouble, notified)

    def _note(self, subjects: frozenset[tuple[str, str]]) -> None:
        with self._changed:
            for session_id in sorted({session_id for session_id, _ in subjects}):
                self._number += 1
                self._news[session_id] = self._number
                if (session_id, NOTIFIED) in subjects:
                    self._notified[session_id] = self._number
