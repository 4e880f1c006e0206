"""What a client says over the WebSocket of a terminal: JSON objects, each of one ``type``. Pure.

See docs/terminal.md. Whoever says anything else is told so, and let go.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from ennio.model.errors import Invalid

SUBPROTOCOL = "ennio.terminal.v1"
_MOST_NUMBER = 2**53


class TerminalMode(StrEnum):
    """How a terminal is shown: the bytes as they come, or its screen as styled lines."""

    BYTES = "bytes"
    SCREEN = "screen"


@dataclass(frozen=True, slots=True)
class Hello:
    """The first words: how it is to be shown, from where one was, and with whose control."""

    mode: TerminalMode = TerminalMode.BYTES
    stream: str | None = None
    offset: int = 0
    control: str | None = None


@dataclass(frozen=True, slots=True)
class Ack:
    """Everything up to this offset is on the screen."""

    offset: int


@dataclass(frozen=True, slots=True)
class WantedSize:
    """The size that whoever has control would like."""

    cols: int
    rows: int


@dataclass(frozen=True, slots=True)
class Typed:
    """Keys, or a paste; acknowledged under ``id`` where one is given."""

    data: bytes
    paste: bool
    id: int | None = None


@dataclass(frozen=True, slots=True)
class ControlWord:
    """Control was taken (``control``), is given back, or kept from whoever asked for it."""

    control: str | None = None
    give: bool = False
    keep: bool = False


@dataclass(frozen=True, slots=True)
class Hold:
    """Whether to send nothing for now: somebody reads back."""

    on: bool


ClientMessage = Hello | Ack | WantedSize | Typed | ControlWord | Hold


def parse(message: str | bytes) -> ClientMessage:
    """Read one message. Raises Invalid naming what is wrong with it."""
    if isinstance(message, bytes):
        raise Invalid("a client of a terminal speaks JSON, in text")
    try:
        told = json.loads(message)
    except (ValueError, RecursionError):
        raise Invalid("this is no JSON") from None
    if not isinstance(told, dict):
        raise Invalid("a message is an object with a `type`")
    kind = told.get("type")
    read = _KINDS.get(kind) if isinstance(kind, str) else None
    if read is None:
        raise Invalid(f"type: one of {', '.join(_KINDS)} is wanted")
    return read(told)


def _hello(told: Mapping[str, Any]) -> Hello:
    mode = told.get("mode", TerminalMode.BYTES.value)
    if mode not in tuple(TerminalMode):
        raise Invalid(f"mode: one of {', '.join(TerminalMode)} is wanted")
    return Hello(
        TerminalMode(mode),
        _text(told, "stream"),
        _number(told, "offset", 0),
        _text(told, "control"),
    )


def _ack(told: Mapping[str, Any]) -> Ack:
    return Ack(_number(told, "offset"))


def _size(told: Mapping[str, Any]) -> WantedSize:
    return WantedSize(_number(told, "cols"), _number(told, "rows"))


def _key(told: Mapping[str, Any]) -> Typed:
    return Typed(_bytes(told), False, _id(told))


def _paste(told: Mapping[str, Any]) -> Typed:
    data = _bytes(told)
    if b"\0" in data:
        raise Invalid("data: it contains a NUL character, which no terminal takes as a paste")
    return Typed(data, True, _id(told))


def _control(told: Mapping[str, Any]) -> ControlWord:
    return ControlWord(_text(told, "control"), told.get("give") is True, told.get("keep") is True)


def _hold(told: Mapping[str, Any]) -> Hold:
    return Hold(told.get("on") is True)


def _bytes(told: Mapping[str, Any]) -> bytes:
    data = told.get("data")
    if not isinstance(data, str) or not data:
        raise Invalid("data: text is wanted")
    if told.get("binary") is True:
        try:
            return data.encode("latin-1")
        except UnicodeEncodeError:
            raise Invalid("data: of letters that stand for a byte each") from None
    return data.encode(errors="replace")


def _text(told: Mapping[str, Any], name: str) -> str | None:
    text = told.get(name)
    if text is not None and (not isinstance(text, str) or len(text) > 100 or not text.isascii()):
        raise Invalid(f"{name}: it is none that was given out here")
    return text


def _number(told: Mapping[str, Any], name: str, default: int | None = None) -> int:
    number = told.get(name, default)
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < _MOST_NUMBER:
        raise Invalid(f"{name}: a whole number is wanted")
    return number


def _id(told: Mapping[str, Any]) -> int | None:
    return _number(told, "id") if "id" in told else None


_KINDS: Mapping[str, Callable[[Mapping[str, Any]], ClientMessage]] = MappingProxyType(
    {
        "hello": _hello,
        "ack": _ack,
        "size": _size,
        "key": _key,
        "paste": _paste,
        "control": _control,
        "hold": _hold,
    }
)
