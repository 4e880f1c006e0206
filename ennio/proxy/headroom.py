"""What sessions may still use, as the supervisor wrote it last, and what passed since: looked at
before each request, so that nobody goes beyond a budget but for what is under way.

It is counted from the lines of the journal, so it is the same after a kill of either side. Where
it says that a budget is used up, the supervisor has yet to read the same and to write the stop: a
request waits for that, and so passes where there is more than was known here.
"""

from __future__ import annotations

import json
import logging
import os
import time

import ennio
from ennio.machine.files import write_atomically
from ennio.machine.untrusted import content, json_value
from ennio.model.clock import Clock
from ennio.model.codec import from_json, to_json
from ennio.model.usage import Billing
from ennio.policy.budgets import words
from ennio.policy.budgets.headroom import Countdown, Headroom
from ennio.proxy import journal
from ennio.proxy.directory import ProxyDirectory
from ennio.proxy.grants import granted
from ennio.proxy.journal import Ended
from ennio.proxy.request_usage import usage_of
from ennio.proxy.stops import why_stopped

WAITS = 30.0
"""Seconds a request waits for the supervisor before it is refused; one that is started again, or is
replaced by another version, takes less.
"""
_LOOK = 0.1
_LARGEST = 16 << 20
log = logging.getLogger(__name__)


def write(directory: ProxyDirectory, headroom: Headroom) -> None:
    """Have this hold from the next request on. Raises OSError; then none holds: an older one might
    stop somebody for whom there is more by now.
    """
    if not headroom.budgets:
        directory.headroom.unlink(missing_ok=True)
        return
    directory.make()
    # of another version it may be read, or priced, otherwise than it is meant
    told = {"version": ennio.__version__, "headroom": to_json(headroom)}
    try:
        write_atomically(directory.headroom, json.dumps(told, separators=(",", ":")))
    except OSError:
        directory.headroom.unlink(missing_ok=True)
        raise
    now = time.time_ns()  # what the file system keeps is too coarse to tell it from the one before
    os.utime(directory.headroom, ns=(now, now))


def read(directory: ProxyDirectory) -> Headroom | None:
    """What holds; None where nothing does, or it cannot be understood here."""
    try:
        told = json_value(content(directory.headroom, _LARGEST))
        if told["version"] != ennio.__version__:
            return None
        return from_json(Headroom, told["headroom"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError) as error:
        log.warning("what may still be used cannot be read: %s", error)
        return None


class HeadroomWatch:
    """Held by the proxy alone. Nothing here yields but the waiting: each line of the journal counts
    once, as it is written or as it is read.
    """

    def __init__(self, directory: ProxyDirectory, clock: Clock) -> None:
        self._directory = directory
        self._clock = clock
        self._file = str(directory.headroom)
        self._state: tuple[int, int] | None = None
        self._countdown: Countdown | None = None

    def obstacle(self, token: str, session_id: str) -> str | None:
        """Why a request of a session may not pass; None where it may. One that a budget holds here
        waits until the supervisor says so too, or has more for it.
        """
        until = time.monotonic() + WAITS
        while True:
            stopped = why_stopped(self._directory, session_id)
            if stopped is not None:
                return stopped
            used_up = self.used_up(session_id)
            if used_up is None:
                return None
            if time.monotonic() >= until or granted(self._directory, token) is None:
                return used_up
            time.sleep(_LOOK)

    def used_up(self, session_id: str) -> str | None:
        """The words for the budget that is used up; None while all of a session have room."""
        countdown = self._current()
        at = countdown.reached(session_id, self._clock.now()) if countdown is not None else None
        return None if at is None else words.paused(at, session_id)

    def count(self, session_id: str, ended: Ended) -> None:
        """A request has ended, and that is written down."""
        if self._countdown is not None:
            _take(self._countdown, session_id, ended)

    def _current(self) -> Countdown | None:
        try:
            found = os.stat(self._file)
        except OSError:
            self._state = self._countdown = None
            return None
        state = (found.st_ino, found.st_mtime_ns)
        if state != self._state:
            self._state, self._countdown = state, self._begun()
        return self._countdown

    def _begun(self) -> Countdown | None:
        """What was written, less what has passed since."""
        headroom = read(self._directory)
        if headroom is None:
            return None
        countdown = Countdown(headroom)
        for session_id, session in headroom.sessions.items():
            try:
                self._take_from(countdown, session_id, session.read_to)
            except OSError as error:
                log.warning("what passed of %s cannot be read: %s", session_id, error.strerror)
                return None
        return countdown

    def _take_from(self, countdown: Countdown, session_id: str, cursor: int) -> None:
        before = -1
        while cursor != before:
            before = cursor
            passed, cursor = journal.read(self._directory, session_id, cursor)
            for one in passed:
                if isinstance(one, Ended):
                    _take(countdown, session_id, one)


def _take(countdown: Countdown, session_id: str, ended: Ended) -> None:
    request = usage_of(ended, Billing.METERED)  # who pays is known to the headroom
    if request is not None:
        countdown.take(session_id, request)
