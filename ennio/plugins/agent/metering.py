"""Agents that can be led past a proxy which counts what they use.

Which address an agent asks by itself follows from its person's environment and own configuration;
it stays the one behind the proxy. What a repository brings along is not looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol, runtime_checkable

from ennio.model.errors import Refused
from ennio.plugins.agent.interface import AgentContext, CommandLine
from ennio.plugins.web import base_address

ANTHROPIC, OPENAI = "anthropic", "openai"
MESSAGES_BASE = "ANTHROPIC_BASE_URL"
OPENAI_BASES = ("OPENAI_BASE_URL", "OPENAI_API_BASE")
"""What the clients of both look at; the first that is set counts."""


@runtime_checkable
class Meterable(Protocol):
    """An agent that asks its model wherever it is told to."""

    def upstreams(self, context: AgentContext, env: Mapping[str, str]) -> Mapping[str, str]:
        """Whom it would ask by itself in this environment: an address each, by name; an empty one
        is that of the service of this name. Raises Refused for one that is none.
        """
        ...

    def led(self, command: CommandLine, bases: Mapping[str, str]) -> CommandLine:
        """The command that asks at these addresses instead, by the same names."""
        ...


def address(env: Mapping[str, str], *names: str) -> str:
    """The address in the first of these variables that is set; empty where none is. Raises
    Refused.
    """
    name = next((each for each in names if env.get(each)), None)
    return "" if name is None else checked_address(env[name], name)


def checked_address(value: object, where: str) -> str:
    """An address as somebody wrote it. Raises Refused, naming the place."""
    try:
        return base_address(value, "the whole address, as in http://HOST:PORT")
    except ValueError as error:
        raise Refused(f"{where} {error}; without it, or without `metering: proxy`, it goes") from (
            None
        )


class MeteredByEnvironment:
    """What asks at the addresses that the usual variables name."""

    def upstreams(self, context: AgentContext, env: Mapping[str, str]) -> Mapping[str, str]:
        """See ``Meterable``."""
        del context
        return {ANTHROPIC: address(env, MESSAGES_BASE), OPENAI: address(env, *OPENAI_BASES)}

    def led(self, command: CommandLine, bases: Mapping[str, str]) -> CommandLine:
        """See ``Meterable``."""
        own = dict.fromkeys(OPENAI_BASES, bases[OPENAI])
        return replace(command, env={**command.env, **own, MESSAGES_BASE: bases[ANTHROPIC]})
