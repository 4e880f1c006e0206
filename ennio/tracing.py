"""Spans for OpenTelemetry, where its environment variables ask for them and the extra is installed.

Off, which it is otherwise, a span is nothing: nothing is imported, and nothing kept. A span tells
names, ids and numbers; an error is told by its kind, since its words may hold anything.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, TypeVar

import ennio
from ennio import logs

log = logging.getLogger(__name__)
T = TypeVar("T")
Attributes = Mapping[str, str | int | float | bool]

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
HEADERS = ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS")
PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
SPOKEN = "http/protobuf"
SLOT, PLUGIN = "ennio.slot", "ennio.plugin"
SOURCE, WATCHED = "ennio.source", "ennio.watched"
SESSION, PROJECT = "ennio.session", "ennio.project"
"""Attributes of ours."""

_OFF: AbstractContextManager[None] = nullcontext()
_tracer: Any = None
_provider: Any = None


def begin(environment: Mapping[str, str]) -> bool:
    """Send spans from now on, if the environment asks for it; tells whether. The library reads the
    standard variables by itself.
    """
    global _tracer, _provider  # noqa: PLW0603 - one for the process, like its logging
    if not is_wanted(environment) or _tracer is not None:
        return _tracer is not None
    logs.redact.learn(_secrets(environment))
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415 - an extra
            OTLPSpanExporter,
        )
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError as error:
        log.warning(
            "no spans are sent: install Ennio with its extra `otel`", extra={"error": str(error)}
        )
        return False
    _provider = TracerProvider(
        resource=Resource.create(_resource(environment)), shutdown_on_exit=False
    )
    _provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    _tracer = _provider.get_tracer("ennio", ennio.__version__)
    log.info("spans are sent")
    return True


def is_wanted(environment: Mapping[str, str]) -> bool:
    """Whether the standard variables name somebody to send to, in the one protocol there is."""
    if environment.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    if environment.get("OTEL_TRACES_EXPORTER", "otlp") != "otlp":
        return False
    if not any(environment.get(name) for name in ENDPOINTS):
        return False
    protocol = next((environment[name] for name in PROTOCOLS if environment.get(name)), SPOKEN)
    if protocol != SPOKEN:
        log.warning("no spans are sent: only %s is spoken, not %s", SPOKEN, protocol)
    return protocol == SPOKEN


def _resource(environment: Mapping[str, str]) -> dict[str, str]:
    """Who sends; a name that the environment gives counts."""
    named = environment.get("OTEL_SERVICE_NAME") or (
        "service.name=" in environment.get("OTEL_RESOURCE_ATTRIBUTES", "")
    )
    return {"service.version": ennio.__version__} | ({} if named else {"service.name": "ennio"})


def _secrets(environment: Mapping[str, str]) -> set[str]:
    """What stands in the headers."""
    pairs = (pair for name in HEADERS for pair in environment.get(name, "").split(","))
    return {value.strip() for pair in pairs for _, _, value in [pair.partition("=")] if value}


def end(within: float = 5.0) -> None:
    """Send what is left, within so many seconds, and no more after that: who receives may hang."""
    global _tracer, _provider
    provider, _tracer, _provider = _provider, None, None
    if provider is not None:
        sender = threading.Thread(target=provider.shutdown, daemon=True)
        sender.start()
        sender.join(within)


def is_on() -> bool:
    """Whether spans are sent."""
    return _tracer is not None


def span(name: str, attributes: Attributes) -> AbstractContextManager[None]:
    """What happens inside is one span. Names are few; whom it is about stands in attributes."""
    return _OFF if _tracer is None else _spanned(name, attributes)


def traced(name: str, attributes: Attributes, work: Callable[[], T]) -> Callable[[], T]:
    """The work as one span, whoever does it."""
    if _tracer is None:
        return work

    def in_span() -> T:
        with span(name, attributes):
            return work()

    return in_span


def usage(agent: str, conversation: str, model: str | None, attributes: Attributes) -> None:
    """What an agent has used since it was told last, by the conventions for generative AI."""
    if _tracer is None:
        return
    told = {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": agent,
        "gen_ai.conversation.id": conversation,
        **({"gen_ai.request.model": model} if model else {}),
        **attributes,
    }
    _tracer.start_span(f"invoke_agent {agent}", attributes=told).end()


@contextmanager
def _spanned(name: str, attributes: Attributes) -> Iterator[None]:
    begun = _tracer.start_as_current_span(
        name, attributes=attributes, record_exception=False, set_status_on_exception=False
    )
    with begun as current:
        try:
            yield
        except BaseException as error:
            from opentelemetry.trace import StatusCode  # noqa: PLC0415 - an extra

            current.set_attribute("error.type", type(error).__name__)
            current.set_status(StatusCode.ERROR)
            raise
