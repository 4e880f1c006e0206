"""Leads opencode past a proxy, by the configuration in its environment, which stands above the
person's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ennio.machine import single
from ennio.model.errors import Refused
from ennio.plugins.agent.interface import AgentContext, CommandLine
from ennio.plugins.agent.metering import (
    ANTHROPIC,
    MESSAGES_BASE,
    OPENAI,
    OPENAI_BASES,
    address,
    checked_address,
)

CONTENT = "OPENCODE_CONFIG_CONTENT"
_LARGEST = 1 << 20
_COMMENT = re.compile(r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/|,(?=\s*[}\]])', re.DOTALL)
_ITS_OWN = {ANTHROPIC: "anthropic-versioned"}
"""Its base address of this provider ends with a version."""


class MeteredOpenCode:
    """It asks those providers of its configuration that have an address, and the two whose key the
    environment holds.
    """

    def upstreams(self, context: AgentContext, env: Mapping[str, str]) -> Mapping[str, str]:
        """See ``Meterable``."""
        found: dict[str, str] = {}
        if env.get("ANTHROPIC_API_KEY"):
            found[ANTHROPIC] = address(env, MESSAGES_BASE)
        if env.get("OPENAI_API_KEY"):
            found[OPENAI] = address(env, *OPENAI_BASES)
        for file in _configurations(context, env):
            for name, base in _bases(_read(context, file)):
                found[name] = checked_address(base, f"provider.{name}.options.baseURL in {file}")
        if not found:
            raise Refused(
                "nobody knows whom opencode asks: a provider with options.baseURL in "
                f"{context.home}/.config/opencode/opencode.json says it, or `metering: agent`"
            )
        return {name if base else _ITS_OWN.get(name, name): base for name, base in found.items()}

    def led(self, command: CommandLine, bases: Mapping[str, str]) -> CommandLine:
        """See ``Meterable``."""
        plain = {own: name for name, own in _ITS_OWN.items()}
        told = json.loads(command.env.get(CONTENT, "{}"))
        providers = {
            plain.get(name, name): {"options": {"baseURL": base}} for name, base in bases.items()
        }
        content = json.dumps({**told, "provider": providers})
        return replace(command, env={**command.env, CONTENT: content})


def _configurations(context: AgentContext, env: Mapping[str, str]) -> Iterator[Path]:
    """The person's own, the stronger later."""
    machine = context.machine
    top = env.get("XDG_CONFIG_HOME") or machine.environ.get("XDG_CONFIG_HOME")
    folder = (Path(top) if top else context.home / ".config") / "opencode"
    yield from (folder / name for name in ("config.json", "opencode.json", "opencode.jsonc"))
    if env.get("OPENCODE_CONFIG"):
        yield single.expanded(machine, env["OPENCODE_CONFIG"])


def _read(context: AgentContext, file: Path) -> Any:
    try:
        text = single.content(context.machine, file, _LARGEST).decode()
        return json.loads(_COMMENT.sub(lambda found: found[1] or "", text))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise Refused(f"{file} cannot be read, which says where opencode asks: {error}") from error


def _bases(told: Any) -> Iterator[tuple[str, object]]:
    providers = told.get("provider") if isinstance(told, dict) else None
    for name, one in providers.items() if isinstance(providers, dict) else ():
        options = one.get("options") if isinstance(one, dict) else None
        if isinstance(options, dict) and options.get("baseURL"):
            yield str(name), options["baseURL"]
