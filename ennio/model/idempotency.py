"""Requests that may be sent again: whoever lost the answer repeats the key, and what
was done is not done twice.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Self

KEPT_FOR = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class IdempotentRequest:
    """A request by the key its sender gave it; ``digest`` tells it from
    another one under the same key.
    """

    key: str
    digest: str

    @classmethod
    def of(cls, key: str, *what: Any) -> Self:
        """The request under this key that asks for this."""
        text = json.dumps(what, sort_keys=True, default=str)
        return cls(key, hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest())
