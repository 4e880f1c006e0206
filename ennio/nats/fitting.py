"""What is published of something that is larger than its server takes. Pure."""

from __future__ import annotations

import json

from ennio.model.events import Event

_FRAME = 1024  # what an event may take beside its message and data


def event_payload(event: Event, most: int) -> bytes:
    """The JSON of an event; of one that is larger than the server takes,
    without what makes it so.
    """
    whole = event.encode()
    if len(whole) <= most:
        return whole
    words = event.message.encode()[: max(0, most - _FRAME) // 6].decode(errors="ignore")
    short = event.as_json() | {"message": words, "data": {"left_out_bytes": len(whole)}}
    return json.dumps(short, separators=(",", ":")).encode()
