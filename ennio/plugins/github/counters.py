"""The counters GitHub keeps for a token, as its answers tell them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from ennio.plugins.quota import Quota

CORE = "core"
GRAPHQL = "graphql"


def quota_of(headers: Mapping[str, str]) -> Quota | None:
    """The counter an answer carries, or None; headers in lower case."""
    try:
        limit, remaining, reset = (
            int(headers[f"x-ratelimit-{name}"]) for name in ("limit", "remaining", "reset")
        )
    except (KeyError, ValueError):
        return None
    # a second later than told: the two clocks need not agree
    return Quota(limit, remaining, datetime.fromtimestamp(reset + 1, UTC))
