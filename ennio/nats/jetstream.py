"""The stream that keeps what is published, where the server has JetStream."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ennio.model.errors import Refused
from ennio.model.failpoints import failpoint, seconds
from ennio.model.subjects import CATEGORIES, COMMANDS, pattern, segment
from ennio.nats.settings import NatsSettings

if TYPE_CHECKING:
    from ennio.nats.connection import NatsConnection

log = logging.getLogger(__name__)
STREAM = "ENNIO"
PATIENCE = seconds(3.0, shortened=1.0)
_SECOND = 1_000_000_000  # the server counts nanoseconds
KEPT_FOR = 30 * 24 * 3600 * _SECOND
DOUBLES_KNOWN_FOR = 3600 * _SECOND


@dataclass(frozen=True, slots=True)
class EventStream:
    """A stream that keeps what is published, without a name where there is none; ``most_bytes`` is
    the largest message it takes, its headers among it, None where that is what the server takes.
    """

    name: str = ""
    most_bytes: int | None = None


def name_of(instance: str) -> str:
    """The name of the stream: ``ENNIO``, of an instance ``ENNIO_north``."""
    return f"{STREAM}_{segment(instance)}" if instance else STREAM


def stream(connection: NatsConnection, settings: NatsSettings) -> EventStream:
    """The stream that keeps what is published, made where that is wanted."""
    name = name_of(settings.instance)
    if not connection.info.get("jetstream") or not connection.headers:
        return _without(settings, "the server has no JetStream")
    try:
        found, problem = _asked(connection, f"STREAM.INFO.{name}")
        if problem is None:
            return EventStream(name, _most_bytes(found))
        if not settings.stream:
            return EventStream()
        problem = make(connection, name, settings.instance)
    except Refused as error:  # not allowed to ask
        return _without(settings, str(error))
    return EventStream(name) if problem is None else _without(settings, problem)


@failpoint("relay.stream")
def make(connection: NatsConnection, name: str, instance: str) -> str | None:
    """Make the stream; why there is none after it."""
    _, problem = _asked(connection, f"STREAM.CREATE.{name}", _shape(name, instance))
    return problem


def _shape(name: str, instance: str) -> dict[str, Any]:
    """Everything but commands: who reads them later cannot use them, and need not have them."""
    kept = [pattern(category, instance) for category in CATEGORIES if category != COMMANDS]
    return {
        "name": name,
        "subjects": kept,
        "retention": "limits",
        "storage": "file",
        "discard": "old",
        "max_age": KEPT_FOR,
        "duplicate_window": DOUBLES_KNOWN_FOR,
    }


def _asked(
    connection: NatsConnection, what: str, shape: dict[str, Any] | None = None
) -> tuple[Mapping[str, Any], str | None]:
    """Ask JetStream; its answer, and its error, None where it did what it was asked."""
    words = b"" if shape is None else json.dumps(shape).encode()
    answer = connection.ask(f"$JS.API.{what}", words, within=PATIENCE)
    if answer is None or answer.status is not None:
        return {}, "JetStream does not answer this account"
    return answer.json(), answer.error


def _most_bytes(found: Mapping[str, Any]) -> int | None:
    """The largest message that the stream takes; -1 stands for any."""
    shape = found.get("config")
    most = shape.get("max_msg_size") if isinstance(shape, Mapping) else None
    return most if isinstance(most, int) and most > 0 else None


def _without(settings: NatsSettings, why: str) -> EventStream:
    if settings.stream:
        log.warning("published without a stream", extra={"server": settings.shown, "why": why})
    return EventStream()
