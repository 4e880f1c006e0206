"""Spans are sent where the standard variables say so, and cost nothing where they do not."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from ennio import tracing
from ennio.model.errors import NotFound
from ennio.plugins.agent.interface import Agent
from ennio.plugins.observed import PluginCalls, observed
from tests.otlp import Receiver, receiving

pytestmark = pytest.mark.real


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """Spans of this process go there."""
    with receiving() as found:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", found.url)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=canary-of-the-headers")
        assert tracing.begin(os.environ)
        yield found
        tracing.end()


class Plugin:
    """An agent that has a version at most."""

    name = "some"

    def version(self) -> str:
        raise NotFound("canary-of-an-error is not there")


def test_a_call_of_a_plugin_is_a_span_inside_of_the_one_it_was_made_in(receiver: Receiver) -> None:
    plugin = observed(Plugin(), "agent", "some", Agent, PluginCalls())
    with pytest.raises(NotFound), tracing.span("look", {tracing.SOURCE: "agents"}):
        plugin.version()
    tracing.end()
    (look,), (call,) = receiver.named("look"), receiver.named("agent.version")
    assert call.parent_id == look.span_id
    assert (look.parent_id, look.service) == (b"", "ennio")
    assert call.attributes == {
        tracing.SLOT: "agent",
        tracing.PLUGIN: "some",
        "error.type": "NotFound",
    }
    assert call.failed
    assert receiver.headers[0]["authorization"] == "canary-of-the-headers"
    assert b"canary" not in receiver.raw, "an error is told by its kind, not by its words"


def test_usage_is_told_by_the_conventions_for_generative_ai(receiver: Receiver) -> None:
    tracing.usage(
        "claude-code",
        "ma-1",
        "opus",
        {
            "gen_ai.usage.input_tokens": 12,
            "gen_ai.usage.output_tokens": 3,
            "gen_ai.usage.cost": 0.5,
        },
    )
    tracing.end()
    (span,) = receiver.named("invoke_agent claude-code")
    assert span.attributes == {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": "claude-code",
        "gen_ai.conversation.id": "ma-1",
        "gen_ai.request.model": "opus",
        "gen_ai.usage.input_tokens": 12,
        "gen_ai.usage.output_tokens": 3,
        "gen_ai.usage.cost": 0.5,
    }


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://x"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_SDK_DISABLED": "true"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_TRACES_EXPORTER": "none"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, False),
    ],
)
def test_the_standard_variables_decide(environment: dict[str, str], wanted: bool) -> None:
    assert tracing.is_wanted(environment) == wanted


def test_off_nothing_of_it_is_imported_and_work_is_handed_on_as_it_is() -> None:
    program = (
        "import sys\nimport ennio.boot\nfrom ennio import tracing\n"
        "assert not tracing.begin({})\n"
        "work = lambda: 7\nassert tracing.traced('x', {}, work) is work\n"
        "assert tracing.span('a', {}) is tracing.span('b', {})\n"
        "print([name for name in sys.modules if 'opentelemetry' in name])"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert ended.stdout.strip() == "[]"
