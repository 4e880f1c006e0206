"""An order that comes over a wire on which anybody may write: whoever gives it signs it.

``{"body": text, "hmac": hex}``: the text is the JSON of ``command``, ``arguments``, ``nonce`` and
``time`` (RFC 3339), the HMAC is SHA-256 of its bytes with the API token. So the token never
travels, and what was signed is held a minute at most, and once.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ennio.model.clock import parse_time, rfc3339
from ennio.model.errors import Invalid, Refused, Unauthorized
from ennio.model.request_body import parse_object
from ennio.model.session import ID_PATTERN

FRESH = timedelta(seconds=60)
_LONGEST_NONCE = 64


@dataclass(frozen=True, slots=True)
class SignedCommand:
    """What is ordered; ``nonce`` is drawn anew for each order."""

    command: str
    arguments: Mapping[str, Any]
    nonce: str
    at: datetime


def signed(token: str, command: str, arguments: Mapping[str, Any], now: datetime) -> bytes:
    """An order as it travels."""
    body = json.dumps(
        {
            "command": command,
            "arguments": dict(arguments),
            "nonce": secrets.token_hex(16),
            "time": rfc3339(now),
        }
    )
    return json.dumps({"body": body, "hmac": _hmac(token, body)}).encode()


def authentic(token: str, raw: bytes) -> str:
    """The text that was signed with this token. Raises Unauthorized for anything else."""
    try:
        given = json.loads(raw)
        body, mark = given["body"], given["hmac"]
        fits = hmac.compare_digest(_hmac(token, body).encode(), mark.encode())
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        fits = False
    if not fits:
        raise Unauthorized("it carries no HMAC by this supervisor's token")
    return str(body)


def understood(body: str, command: str, now: datetime) -> SignedCommand:
    """The order in a text that was signed and came as ``command``. Raises Invalid, Refused."""
    given = parse_object(body.encode("utf-8", "surrogatepass"))
    arguments, nonce = given.get("arguments") or {}, given.get("nonce")
    if given.get("command") != command:
        raise Refused(f"command: it was signed for another subject than that of {command!r}")
    if not isinstance(arguments, dict):
        raise Invalid("arguments: must be an object")
    if not isinstance(nonce, str) or not ID_PATTERN.match(nonce) or len(nonce) > _LONGEST_NONCE:
        raise Invalid(f"nonce: must be 1 to {_LONGEST_NONCE} letters, digits, `_` or `-`")
    return SignedCommand(command, arguments, nonce, _fresh(given.get("time"), now))


def _fresh(text: Any, now: datetime) -> datetime:
    try:
        at = parse_time(text)
    except (ValueError, TypeError):
        raise Invalid("time: must be RFC 3339") from None
    if abs(now - at) > FRESH:
        raise Refused(
            f"time: the order is of {rfc3339(at)}, and it is {rfc3339(now)} here: only orders of "
            f"the last {FRESH.seconds} seconds are taken; set the clocks"
        )
    return at


def _hmac(token: str, body: str) -> str:
    text = body.encode("utf-8", "surrogatepass")
    return hmac.new(token.encode(), text, hashlib.sha256).hexdigest()
