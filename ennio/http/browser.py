"""How a browser gets in: a one-time code in a link is traded for a cookie no script can read.

The cookie is signed with the API token instead of remembered: it outlives a restart of the worker,
and ends when its day is over or the token changes.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta

from ennio.model.clock import Clock
from ennio.model.errors import Unauthorized

CODE_LIFE = timedelta(seconds=60)
COOKIE_LIFE = timedelta(hours=24)
_MOST_CODES = 16


class Browsers:
    """Gives out codes, trades them for cookies, and knows its cookies again.

    ``port`` is in the cookie's name: browsers share cookies between all ports of a host.
    """

    def __init__(self, token: str, port: int, clock: Clock) -> None:
        self.cookie = f"ennio-{port}"
        self._key = hashlib.sha256(
            b"ennio cookie\0" + token.encode("utf-8", "surrogateescape")
        ).digest()
        self._clock = clock
        self._codes: dict[bytes, datetime] = {}

    def code(self) -> str:
        """A new code, good for one visit within a minute; the oldest is forgotten past sixteen."""
        code = secrets.token_urlsafe(24)
        self._codes[_digest(code)] = self._clock.now() + CODE_LIFE
        while len(self._codes) > _MOST_CODES:
            del self._codes[next(iter(self._codes))]
        return code

    def trade(self, code: str) -> str:
        """The cookie's value for a code, which is used up by it. Raises Unauthorized."""
        until = self._codes.pop(_digest(code), None)
        if until is None or until < self._clock.now():
            raise Unauthorized(
                "this link was used already or is too old; `ennio dashboard` makes a new one"
            )
        ends = str(int((self._clock.now() + COOKIE_LIFE).timestamp()))
        return f"{ends}.{self._sign(ends)}"

    def knows(self, cookies: Mapping[str, str]) -> bool:
        """Whether a valid cookie of ours is among these."""
        ends, _, signature = cookies.get(self.cookie, "").partition(".")
        signed = hmac.compare_digest(signature.encode(), self._sign(ends).encode())
        return signed and ends.isdecimal() and int(ends) > self._clock.now().timestamp()

    def _sign(self, text: str) -> str:
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()


def _digest(code: str) -> bytes:
    """By which a code is found: how long a look-up of this takes tells nothing about the code."""
    return hashlib.sha256(code.encode("utf-8", "surrogateescape")).digest()
