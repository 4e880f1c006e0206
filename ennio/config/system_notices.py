"""What people are told of Ennio itself, beside what reactions tell of sessions: routed by these
keys, in the file's own routing alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

DISK_LOW = "disk-low"
PLACE_LOST = "place-lost"
CONFIG_REFUSED = "config-refused"

TRIGGERS: Mapping[str, str] = MappingProxyType(
    {
        DISK_LOW: "less than 2 GiB are free where Ennio keeps its files",
        PLACE_LOST: "who follows the log was away too long, and events it has not got are let go",
        CONFIG_REFUSED: "`ennio.yaml` has become wrong, and the last good one holds",
    }
)
KEYS: tuple[str, ...] = tuple(TRIGGERS)
