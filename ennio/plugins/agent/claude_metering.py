"""Leads claude-code past a proxy, by the session's own settings, which stand above the person's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from ennio.plugins.agent.claude_conversations import settings_home
from ennio.plugins.agent.claude_trust import read
from ennio.plugins.agent.interface import AgentContext, CommandLine
from ennio.plugins.agent.metering import ANTHROPIC, MESSAGES_BASE, address, checked_address
from ennio.plugins.agent.own_files import ClaudeFiles

SETTINGS = "claude-settings.json"
"""The session's own, beside its other files."""


class MeteredClaude(ClaudeFiles):
    """Where it asks stands in the person's settings, else in its environment."""

    def upstreams(self, context: AgentContext, env: Mapping[str, str]) -> Mapping[str, str]:
        """See ``Meterable``."""
        file = settings_home(context, ".claude") / "settings.json"
        own = read(context.machine, file).get("env")
        named = own.get(MESSAGES_BASE) if isinstance(own, dict) else None
        if named:
            return {ANTHROPIC: checked_address(named, f"env.{MESSAGES_BASE} in {file}")}
        return {ANTHROPIC: address(env, MESSAGES_BASE)}

    def led(self, command: CommandLine, bases: Mapping[str, str]) -> CommandLine:
        """See ``Meterable``."""
        base = {MESSAGES_BASE: bases[ANTHROPIC]}
        files = {
            path: _with(text, base) if path.name == SETTINGS else text
            for path, text in command.files.items()
        }
        return replace(command, env={**command.env, **base}, files=files)


def settings_of(context: AgentContext) -> Path:
    """The session's own settings."""
    return context.directory / SETTINGS


def trust_note(context: AgentContext) -> Path:
    """What was settled of the person's own files for this session."""
    return context.directory / "claude-trust.json"


def _with(settings: str, env: Mapping[str, str]) -> str:
    return json.dumps({**json.loads(settings), "env": dict(env)})
