"""Each request that an agent tells of is told once, with its tokens by what they cost."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ennio.config.model import AgentConfig
from ennio.machine.local import LocalMachine
from ennio.model.facts import Presence, ProcessSeen
from ennio.model.usage import Billing, RequestUsage, Tokens
from ennio.plugins.agent import opencode_billing, opencode_database
from ennio.plugins.agent.aider import Aider
from ennio.plugins.agent.claude_billing import billing
from ennio.plugins.agent.claude_code import ClaudeCode
from ennio.plugins.agent.codex import Codex
from ennio.plugins.agent.interface import AgentContext
from ennio.plugins.agent.opencode import OpenCode
from tests.plugins.agent import (
    test_aider_log,
    test_claude_parser,
    test_codex_rollout,
    test_opencode_database,
)

NOW = test_codex_rollout.NOW
ALIVE = ProcessSeen(Presence.ALIVE, NOW, "test", pid=7, number=1)


def _told(
    agent: Any, watched: Any, cursor: Mapping[str, str], now: datetime = NOW
) -> tuple[tuple[RequestUsage, ...], Mapping[str, str]]:
    reading = agent.observe(watched.desk, cursor, ALIVE, None, now)
    assert reading.requests is not None
    return reading.requests, reading.cursor


def _twice(agent: Any, watched: Any) -> tuple[RequestUsage, ...]:
    """What it tells from the beginning; afterwards nothing, and from the beginning again the same."""
    first, cursor = _told(agent, watched, {})
    assert _told(agent, watched, cursor)[0] == ()
    assert _told(agent, watched, {})[0] == first
    return first


def _desk(folder: Path) -> AgentContext:
    for name in ("desk", "home", "w"):
        (folder / name).mkdir()
    conversation = test_claude_parser.CONVERSATION
    places = (folder / "w", folder / "desk", conversation, AgentConfig())
    return AgentContext("s-1", "p", *places, home=folder / "home", machine=LocalMachine())


def test_claude_tells_what_was_read_from_its_cache_and_what_was_written_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CLAUDE_CONFIG_DIR", raising=False)
    claude = test_claude_parser.Watched(_desk(tmp_path), ALIVE, {})
    usage = {
        "input_tokens": 3,
        "cache_read_input_tokens": 1000,
        "cache_creation_input_tokens": 50,
        "cache_creation": {"ephemeral_1h_input_tokens": 20, "ephemeral_5m_input_tokens": 30},
        "output_tokens": 7,
        "service_tier": "batch",
        "server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 5},
    }
    message = {"id": "m1", "model": "claude-opus-4-6", "role": "assistant", "usage": usage}
    claude.line(1, type="assistant", message=message)
    (request,) = _twice(ClaudeCode(), claude)
    assert (request.id, request.model, request.tier) == ("m1", "claude-opus-4-6", "batch")
    assert request.tokens == Tokens(3, 7, 1000, 30, 20, web_searches=2)


@pytest.mark.parametrize(
    ("told", "tier"),
    [({"speed": "fast"}, "fast"), ({"speed": "standard"}, "standard"), ({}, "standard")],
)
def test_claude_tells_of_a_request_that_was_fast(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: dict[str, str], tier: str
) -> None:
    monkeypatch.delenv("CLAUDE_CONFIG_DIR", raising=False)
    claude = test_claude_parser.Watched(_desk(tmp_path), ALIVE, {})
    usage = {"input_tokens": 3, "output_tokens": 7, "service_tier": "standard", **told}
    message = {"id": "m1", "model": "claude-opus-5", "role": "assistant", "usage": usage}
    claude.line(1, type="assistant", message=message)
    (request,) = _twice(ClaudeCode(), claude)
    assert request.tier == tier


def test_codex_tells_what_its_sums_have_grown_by(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CODEX_HOME", raising=False)
    watched = test_codex_rollout.Watched(_desk(tmp_path), ALIVE, {})
    watched.begin()
    watched.line(0.5, "turn_context", model="gpt-5")
    for at, given, read, made in ((1, 100, 0, 5), (2, 300, 150, 9), (3, 300, 150, 9)):
        total = {"input_tokens": given, "cached_input_tokens": read, "output_tokens": made}
        limits = {"plan_type": "pro"} if at == 2 else None
        watched.event(at, "token_count", info={"total_token_usage": total}, rate_limits=limits)
    first, second = _twice(Codex(), watched)
    assert (first.tokens, second.tokens) == (Tokens(100, 5), Tokens(50, 4, 150))
    assert (first.billing, second.billing) == (Billing.METERED, Billing.PLAN)
    assert (first.model, first.id != second.id) == ("gpt-5", True)


def test_codex_tells_the_tier_that_it_asks_for_turn_by_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CODEX_HOME", raising=False)
    watched = test_codex_rollout.Watched(_desk(tmp_path), ALIVE, {})
    watched.begin()
    asked = ({}, {"service_tier": "priority"}, {"service_tier": "default"}, {"service_tier": 7}, {})
    for turn, settings in enumerate(asked, 1):
        watched.event(turn, "thread_settings_applied", thread_settings={"model": "m", **settings})
        total = {"input_tokens": 100 * turn, "output_tokens": turn}
        watched.event(turn + 0.5, "token_count", info={"total_token_usage": total})
    tiers = [one.tier for one in _twice(Codex(), watched)]
    assert tiers == [None, "priority", "default", None, None]


def test_codex_tells_what_was_written_to_the_cache_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CODEX_HOME", raising=False)
    watched = test_codex_rollout.Watched(_desk(tmp_path), ALIVE, {})
    watched.begin()
    for at, given, read, wrote in ((1, 100, 0, 80), (2, 300, 150, 100), (3, 301, 150, 400)):
        total = {
            "input_tokens": given,
            "cached_input_tokens": read,
            "cache_write_input_tokens": wrote,
            "output_tokens": at,
        }
        watched.event(at, "token_count", info={"total_token_usage": total})
    told = [one.tokens for one in _twice(Codex(), watched)]
    assert told == [Tokens(20, 1, 0, 80), Tokens(30, 1, 150, 20), Tokens(0, 1, 0, 1)]


def test_opencode_tells_the_money_of_each_message(tmp_path: Path) -> None:
    watched = test_opencode_database.Watched(tmp_path)
    tokens = {"input": 10, "output": 4, "reasoning": 2, "cache": {"read": 100, "write": 5}}
    more = {"tokens": tokens, "cost": 0.25, "modelID": "big", "providerID": "acme"}
    watched.message("m1", 2, done=True, finish="stop", **more)
    (request,) = _twice(OpenCode(), watched)
    assert (request.id, request.tokens) == ("m1", Tokens(10, 6, 100, 5))
    assert (request.cost_usd, request.provider) == (Decimal("0.25"), "acme")


def test_opencode_is_on_a_plan_where_its_provider_is_logged_in_to_by_an_account(
    tmp_path: Path,
) -> None:
    watched = test_opencode_database.Watched(tmp_path)
    logins = {"openai": {"type": "oauth"}, "acme": {"type": "api"}, "odd": "oauth", "zen": 7}
    file = opencode_database.database(watched.desk).with_name("auth.json")
    file.write_text(json.dumps(logins))
    tokens = {"input": 10, "output": 4}
    asked = (("openai", 0), ("openai", 0.25), ("acme", 0), ("odd", 0), ("nobody", 0))
    for number, (provider, cost) in enumerate(asked):
        more = {"tokens": tokens, "cost": cost, "modelID": "m", "providerID": provider}
        watched.message(f"m{number}", number, done=True, finish="stop", **more)
    plan, *metered = _twice(OpenCode(), watched)
    assert (plan.billing, plan.cost_usd) == (Billing.PLAN, None)
    assert {one.billing for one in metered} == {Billing.METERED}


@pytest.mark.parametrize("text", [None, "[]", "no JSON", "[" * 100_000])
def test_logins_of_opencode_that_cannot_be_read_say_nothing(
    tmp_path: Path, text: str | None
) -> None:
    file = tmp_path / "auth.json"
    if text is not None:
        file.write_text(text)
    assert opencode_billing.accounts(LocalMachine(), file) == ()


def test_aider_tells_each_request_of_a_second_by_its_place_in_the_log(tmp_path: Path) -> None:
    watched = test_aider_log.Watched(tmp_path)
    for made in (3, 4):
        watched.event(
            1, "message_send", prompt_tokens=10, completion_tokens=made, cost=0.5, main_model="m"
        )
    first, second = _twice(Aider(), watched)
    assert (first.tokens, second.tokens) == (Tokens(10, 3), Tokens(10, 4))
    assert (first.cost_usd, first.model, first.id != second.id) == (Decimal("0.5"), "m", True)


@pytest.mark.parametrize(
    ("told", "configured", "found"),
    [
        ("gpt-5", "openai/x", "gpt-5"),
        ("openai/REDACTED", "openai/x", "openai/x"),
        ("openrouter/REDACTED", "openrouter/maker/x", "openrouter/maker/x"),
        ("other/REDACTED", "openai/x", None),
        ("openai/REDACTED", None, None),
        ("None", "x", "x"),
        ("None", "openai/x", None),
        (None, "openai/x", "openai/x"),
    ],
)
def test_a_model_that_aider_writes_down_without_its_name_is_the_configured_one(
    tmp_path: Path, told: str | None, configured: str | None, found: str | None
) -> None:
    watched = test_aider_log.Watched(tmp_path)
    watched.desk = replace(watched.desk, config=AgentConfig(model=configured))
    watched.event(1, "message_send", prompt_tokens=10, completion_tokens=1, main_model=told)
    (request,) = _twice(Aider(), watched)
    assert request.model == found


@pytest.mark.parametrize(
    ("env", "file", "credentials", "found"),
    [
        ({}, {}, {}, Billing.METERED),
        ({"CLAUDE_CODE_OAUTH_TOKEN": "t"}, {}, {}, Billing.PLAN),
        ({}, {"oauthAccount": {"id": 1}}, {}, Billing.PLAN),
        ({}, {"oauthAccount": {"id": 1}, "primaryApiKey": "k"}, {}, Billing.METERED),
        ({}, {}, {"claudeAiOauth": {"subscriptionType": "max"}}, Billing.PLAN),
        ({}, {}, {"claudeAiOauth": {"subscriptionType": None}}, Billing.METERED),
        ({"ANTHROPIC_API_KEY": "k"}, {"oauthAccount": {"id": 1}}, {}, Billing.METERED),
        ({}, [], [], Billing.METERED),
    ],
)
def test_claude_is_on_a_plan_where_its_login_is(
    tmp_path: Path, env: dict[str, str], file: Any, credentials: Any, found: Billing
) -> None:
    known, login = tmp_path / "claude.json", tmp_path / "credentials.json"
    known.write_text(json.dumps(file))
    login.write_text(json.dumps(credentials))
    assert billing(LocalMachine(), known, login, env) is found
