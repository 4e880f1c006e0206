"""What is published of something that is larger than its server takes: a server closes the
connection of whoever sends more, and so it would each time that is tried again. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

_FRAME = 1024  # what an event may take beside its message and data


def event_payload(whole: bytes, most: int) -> bytes:
    """The payload of an event; of one that is larger than ``most`` bytes,
    without what makes it so.
    """
    if len(whole) <= most:
        return whole
    told = json.loads(whole)
    words = told["message"].encode()[: max(0, most - _FRAME) // 6].decode(errors="ignore")
    short = told | {"message": words, "data": {"left_out_bytes": len(whole)}}
    return json.dumps(short, separators=(",", ":")).encode()


def object_payload(told: Mapping[str, Any], most: int) -> bytes:
    """The JSON of an object; of one that is larger than ``most`` bytes the largest fields are null,
    and named in ``left_out``.
    """
    whole = _encoded(told)
    if len(whole) <= most:
        return whole
    sizes = {name: len(_encoded(value)) for name, value in told.items()}
    left_out: list[str] = []
    for name in sorted(sizes, key=lambda one: sizes[one], reverse=True):
        left_out.append(name)
        whole = _encoded({**told, **dict.fromkeys(left_out), "left_out": left_out})
        if len(whole) <= most:
            break
    return whole


def answer_payload(answer: Mapping[str, Any], most: int) -> bytes:
    """The JSON of an answer to an order; what was made is told without its largest fields, where
    all of it is larger than ``most`` bytes.
    """
    whole, made = _encoded(answer), answer.get("data")
    if len(whole) <= most or not isinstance(made, Mapping):
        return whole
    begin, end = b'{"data":', b"}"
    return begin + object_payload(made, most - len(begin) - len(end)) + end


def _encoded(value: Any) -> bytes:
    """Half a surrogate pair, as agents' texts may hold, becomes a question mark."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "replace")
