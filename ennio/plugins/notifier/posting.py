"""One POST to a channel, and what its answer means: told, try again, or not wanted. No
address is ever shown whole.
"""

from __future__ import annotations

import email.utils
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import ennio
from ennio.model.clock import Clock
from ennio.model.errors import EnnioError, Refused, Unreachable
from ennio.plugins.web import HttpResponse, Transport

_LARGEST = 1024 * 1024
_LONGEST_PAUSE = timedelta(days=1)
_LATER = (408, 425, 429)


class Poster:
    """Sends to one address, which is a secret: errors name its host alone.

    ``timeout`` is how many seconds the server may be silent, and twice that how long it may take.
    """

    def __init__(self, clock: Clock, timeout: float) -> None:
        self._clock = clock
        self._web = Transport(_LARGEST, patience=2 * timeout, silence=timeout)

    def send(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> HttpResponse:
        """The answer of a server that took it. Raises Unreachable and Refused; see ``judged``."""
        answer = self.ask(method, url, body, headers)
        problem = judged(answer, urlsplit(url).hostname or "it", self._clock.now())
        if problem is not None:
            raise problem
        return answer

    def ask(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> HttpResponse:
        """The answer, whatever it is. Raises Unreachable."""
        sent = {"User-Agent": f"ennio/{ennio.__version__}", **headers}
        return self._web.request(method, url, body or None, sent)


def judged(answer: HttpResponse, host: str, now: datetime) -> EnnioError | None:
    """What is wrong with an answer: for a time (Unreachable) or until somebody
    changes something (Refused).
    """
    status = answer.status
    if 200 <= status < 300:
        return None
    if status in _LATER or status >= 500:
        until = retry_after(answer.headers, now)
        return Unreachable(f"{host} answered {status}", until=until)
    if 300 <= status < 400:
        where = "which is not followed: write the address it leads to"
        return Refused(f"{host} answered {status}, a redirect, {where}")
    return Refused(f"{host} refused it ({status})")


def retry_after(headers: Mapping[str, str], now: datetime) -> datetime | None:
    """When a server wants to be asked again, a day from now at the latest;
    None where it does not say.
    """
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdecimal():
        return now + min(timedelta(seconds=min(int(text), 10**9)), _LONGEST_PAUSE)
    try:
        at = email.utils.parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
    return min(max(at, now), now + _LONGEST_PAUSE)
