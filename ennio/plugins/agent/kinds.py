"""The factories of the shipped agents: each is made for one project's configuration."""

from __future__ import annotations

from ennio.config.model import AgentConfig
from ennio.plugins.agent.aider import Aider
from ennio.plugins.agent.claude_code import ClaudeCode
from ennio.plugins.agent.codex import Codex
from ennio.plugins.agent.command import CommandAgent
from ennio.plugins.agent.opencode import OpenCode
from ennio.plugins.agent.scripted.agent import ScriptedAgent
from ennio.plugins.agent.stub import StubAgent
from ennio.plugins.registry import PluginContext


def _config(context: PluginContext) -> AgentConfig:
    return context.project.agent_config if context.project is not None else AgentConfig()


def claude_code(context: PluginContext) -> ClaudeCode:
    """Anthropic's claude-code."""
    return ClaudeCode(_config(context), context.project.env if context.project is not None else {})


def aider(context: PluginContext) -> Aider:
    """Aider."""
    return Aider(_config(context))


def codex(context: PluginContext) -> Codex:
    """OpenAI's codex."""
    return Codex(_config(context))


def opencode(context: PluginContext) -> OpenCode:
    """OpenCode."""
    return OpenCode(_config(context))


def command(context: PluginContext) -> CommandAgent:
    """Any command line."""
    return CommandAgent(_config(context))


def scripted(context: PluginContext) -> ScriptedAgent:
    """A player of stories; they may lie beside the configuration."""
    return ScriptedAgent(_config(context), context.directory)


def stub(context: PluginContext) -> StubAgent:
    """For tests of what is above."""
    del context
    return StubAgent()
