"""The usage that an answer of a model's API tells of itself, read from a copy as it passes. Pure.

Three protocols, as their services publish them: Anthropic's messages, OpenAI's responses and chat
completions. What is not understood is unknown, never zero.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from ennio.model.usage import FAST

Json = dict[str, Any]

_DETAILS = ("input_tokens_details", "prompt_tokens_details")
LARGEST = 4 << 20
"""Bytes of one event, or of an answer in one piece, that are looked into; more is unknown."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What one answer cost, in tokens and searches of the web; None is what it does not say.

    ``input_tokens`` are those that were neither read from a cache nor written to one.
    ``reasoning_tokens`` are among ``output_tokens``; ``cache_write_1h_tokens`` are among
    ``cache_write_tokens``.
    """

    answer_id: str | None = None
    model: str | None = None
    tier: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    cache_write_1h_tokens: int | None = None
    reasoning_tokens: int | None = None
    web_searches: int | None = None

    @property
    def known(self) -> bool:
        """Whether it says what was used."""
        return self.input_tokens is not None and self.output_tokens is not None


@dataclass(frozen=True, slots=True)
class Protocol:
    """One protocol: how its paths end, and how it words an error."""

    name: str
    endings: tuple[str, ...]

    def refusal(self, message: str) -> bytes:
        """The body of an error that its clients show and do not try again."""
        if self.name == MESSAGES:
            return _worded(type="billing_error", message=message)
        kind = "insufficient_quota"
        return _worded(message=message, type=kind, param=None, code=kind)

    def unreachable(self, message: str) -> bytes:
        """The body of an error that its clients try again."""
        if self.name == MESSAGES:
            return _worded(type="api_error", message=message)
        return _worded(message=message, type="server_error", param=None, code=None)


def _worded(**error: str | None) -> bytes:
    # Anthropic has a type around it, which OpenAI's clients pass over
    return json.dumps({"type": "error", "error": error}).encode()


MESSAGES = "messages"
PROTOCOLS = (
    Protocol(MESSAGES, ("/messages",)),
    Protocol("responses", ("/responses",)),
    Protocol("chat", ("/chat/completions",)),
)


def protocol_of(path: str) -> Protocol | None:
    """The protocol of a request by its path; None for what is passed on and not counted."""
    plain = "/" + path.partition("?")[0].strip("/")
    return next((one for one in PROTOCOLS if plain.endswith(one.endings)), None)


class UsageReader:
    """Reads one answer, piece by piece. ``stream``: it is one of server-sent events."""

    def __init__(self, *, stream: bool) -> None:
        self._stream = stream
        self._rest = bytearray()
        self._skips = False  # the rest of what is too large
        self._found = Measured()

    def feed(self, piece: bytes) -> None:
        """Take note of a piece of the body."""
        if self._stream:
            end = piece.rfind(b"\n") + 1
            if end:
                self._lines(piece[:end])
            piece = piece[end:]
        self._take(piece)

    def end(self) -> Measured:
        """What it came to, once there is no more of it."""
        if self._stream:
            self._line()
        else:
            self._document(bytes(self._rest))
        return self._found

    def _take(self, piece: bytes) -> None:
        if not self._skips:
            self._rest += piece
        if len(self._rest) > LARGEST:
            self._rest.clear()
            self._skips = True

    def _lines(self, ended: bytes) -> None:
        """Lines that are whole by now, the first perhaps with what came before."""
        # most pieces of a stream hold nothing of interest, and are not worth being cut
        if not self._rest and not self._skips and not _tells(ended):
            return
        for line in ended[:-1].split(b"\n"):
            self._take(line)
            self._line()

    def _line(self) -> None:
        line = bytes(self._rest)
        self._rest.clear()
        self._skips = False
        if line.startswith(b"data:") and _tells(line):
            self._document(line[5:])

    def _document(self, text: bytes) -> None:
        try:
            data = json.loads(text)
        except ValueError:
            return
        if isinstance(data, dict):
            self._found = _merged(self._found, data)


def _tells(text: bytes) -> bool:
    """Whether an event that tells of usage may be in there."""
    return b'"usage"' in text or b'"message_start"' in text


def _merged(found: Measured, data: Json) -> Measured:
    """With what one event, or the whole answer, says; a later number replaces an earlier one."""
    inner = _held(data, "message", "response")
    usage = _held(data, "usage") or _held(inner, "usage")
    tiers = [found.tier] if found.tier == FAST else map(_tier, (usage, inner, data))
    said: Json = {
        "answer_id": _text(inner.get("id")) or _text(data.get("id")),
        "model": _text(inner.get("model")) or _text(data.get("model")),
        "tier": next(filter(None, tiers), None),
        **_counts(usage),
    }
    return replace(found, **{name: new for name, new in said.items() if new is not None})


def _tier(told: Json) -> str | None:
    """The way it was served; Anthropic says beside it that it was fast."""
    return FAST if told.get("speed") == FAST else _text(told.get("service_tier"))


def _counts(usage: Json) -> dict[str, int | None]:
    """The numbers by our names. OpenAI counts what was read from a cache, and what was written to
    one, among the input.
    """
    cached = _inside(usage, _DETAILS, "cached_tokens")
    wrote = _inside(usage, _DETAILS, "cache_write_tokens")
    read = _count(usage.get("cache_read_input_tokens"))
    written = _count(usage.get("cache_creation_input_tokens"))
    whole = _first(usage, "input_tokens", "prompt_tokens")
    if read is None and whole is not None:  # Anthropic has no details of the input
        whole = max(0, whole - (cached or 0) - (wrote or 0))
    return {
        "input_tokens": whole,
        "output_tokens": _first(usage, "output_tokens", "completion_tokens"),
        "cache_read_tokens": cached if read is None else read,
        "cache_write_tokens": wrote if written is None else written,
        "cache_write_1h_tokens": _inside(usage, ("cache_creation",), "ephemeral_1h_input_tokens"),
        "reasoning_tokens": _inside(
            usage, ("output_tokens_details", "completion_tokens_details"), "reasoning_tokens"
        ),
        "web_searches": _inside(usage, ("server_tool_use",), "web_search_requests"),
    }


def _first(usage: Json, *names: str) -> int | None:
    return next((_count(usage[name]) for name in names if name in usage), None)


def _inside(usage: Json, holders: tuple[str, ...], name: str) -> int | None:
    return _count(_held(usage, *holders).get(name))


def _held(data: Json, *names: str) -> Json:
    """The object under the first of these names that there is."""
    found: Json = next((data[name] for name in names if isinstance(data.get(name), dict)), {})
    return found


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _text(value: object) -> str | None:
    return value[:200] if isinstance(value, str) and value else None
