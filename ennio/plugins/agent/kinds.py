"""The factories of the shipped agents: each is made for one project's configuration."""

from __future__ import annotations

from ennio.plugins.agent.aider import Aider
from ennio.plugins.agent.claude_code import ClaudeCode
from ennio.plugins.agent.codex import Codex
from ennio.plugins.agent.command import CommandAgent
from ennio.plugins.agent.opencode import OpenCode
from ennio.plugins.agent.scripted.agent import ScriptedAgent
from ennio.plugins.agent.stub import StubAgent
from ennio.plugins.registry import PluginContext


def claude_code(context: PluginContext) -> ClaudeCode:
    """Anthropic's claude-code."""
    return ClaudeCode(context.agent_config, context.env)


def aider(context: PluginContext) -> Aider:
    """Aider."""
    return Aider(context.agent_config)


def codex(context: PluginContext) -> Codex:
    """OpenAI's codex."""
    return Codex(context.agent_config)


def opencode(context: PluginContext) -> OpenCode:
    """OpenCode."""
    return OpenCode(context.agent_config)


def command(context: PluginContext) -> CommandAgent:
    """Any command line."""
    return CommandAgent(context.agent_config)


def scripted(context: PluginContext) -> ScriptedAgent:
    """A player of stories; they may lie beside the configuration."""
    return ScriptedAgent(context.agent_config, context.directory)


def stub(context: PluginContext) -> StubAgent:
    """For tests of what is above."""
    del context
    return StubAgent()
