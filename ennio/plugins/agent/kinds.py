"""The factories of the shipped agents: each is made for one project's configuration."""

from __future__ import annotations

from ennio.plugins.agent import flags
from ennio.plugins.agent.aider import RESERVED as AIDER_FLAGS
from ennio.plugins.agent.aider import Aider
from ennio.plugins.agent.claude_code import RESERVED as CLAUDE_CODE_FLAGS
from ennio.plugins.agent.claude_code import ClaudeCode
from ennio.plugins.agent.codex import RESERVED as CODEX_FLAGS
from ennio.plugins.agent.codex import Codex
from ennio.plugins.agent.command import CommandAgent, CommandSchema, CommandSettings
from ennio.plugins.agent.opencode import RESERVED as OPENCODE_FLAGS
from ennio.plugins.agent.opencode import OpenCode
from ennio.plugins.agent.scripted.agent import ScriptedAgent, ScriptedSchema
from ennio.plugins.agent.stub import StubAgent
from ennio.plugins.declared import OF_AGENTS, takes
from ennio.plugins.registry import PluginContext


@takes(flags.settings(CLAUDE_CODE_FLAGS), OF_AGENTS)
def claude_code(context: PluginContext) -> ClaudeCode:
    """Anthropic's claude-code."""
    return ClaudeCode(context.agent_config, context.env)


@takes(flags.settings(AIDER_FLAGS), OF_AGENTS)
def aider(context: PluginContext) -> Aider:
    """Aider."""
    return Aider(context.agent_config)


@takes(flags.settings(CODEX_FLAGS), OF_AGENTS)
def codex(context: PluginContext) -> Codex:
    """OpenAI's codex."""
    return Codex(context.agent_config)


@takes(flags.settings(OPENCODE_FLAGS), OF_AGENTS)
def opencode(context: PluginContext) -> OpenCode:
    """OpenCode."""
    return OpenCode(context.agent_config)


@takes(CommandSchema, OF_AGENTS)
def command(context: PluginContext) -> CommandAgent:
    """Any command line."""
    return CommandAgent(context.agent_config, CommandSettings.of_values(context.settings))


@takes(ScriptedSchema, OF_AGENTS)
def scripted(context: PluginContext) -> ScriptedAgent:
    """A player of stories; they may lie beside the configuration."""
    return ScriptedAgent(context.agent_config, context.directory, context.settings)


def stub(context: PluginContext) -> StubAgent:
    """For tests of what is above."""
    del context
    return StubAgent()
