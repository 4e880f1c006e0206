"""Leads codex past a proxy, by settings on its command line, which stand above the person's."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ennio.machine import single
from ennio.model.errors import Refused
from ennio.plugins.agent.interface import AgentContext, CommandLine
from ennio.plugins.agent.metering import OPENAI, OPENAI_BASES, address, checked_address
from ennio.plugins.agent.own_files import CodexFiles

_CHATGPT = "chatgpt"
_LARGEST = 1 << 20


class MeteredCodex(CodexFiles):
    """It asks the provider that the person's configuration names, else OpenAI's own."""

    def upstreams(self, context: AgentContext, env: Mapping[str, str]) -> Mapping[str, str]:
        """See ``Meterable``."""
        folder = _folder(context, env)
        file = folder / "config.toml"
        told = _configuration(context, file)
        profile = _part(told, "profiles", str(told.get("profile")))
        provider = str(profile.get("model_provider") or told.get("model_provider") or OPENAI)
        if "." in provider:
            raise Refused(
                f"model_provider {provider!r} in {file} has a dot, and so codex cannot be led past "
                "a proxy; another name, or `metering: agent`"
            )
        if provider != OPENAI:
            place = f"model_providers.{provider}.base_url in {file}"
            named = _part(told, "model_providers", provider).get("base_url")
            return {provider: checked_address(named, place)}
        if told.get("openai_base_url"):
            place = f"openai_base_url in {file}"
            return {OPENAI: checked_address(told["openai_base_url"], place)}
        own = address(env, OPENAI_BASES[0])
        return {OPENAI: own} if own or not _on_plan(context, folder, env) else {_CHATGPT: ""}

    def led(self, command: CommandLine, bases: Mapping[str, str]) -> CommandLine:
        """See ``Meterable``."""
        ((provider, base),) = bases.items()
        key = (
            "openai_base_url"
            if provider in (OPENAI, _CHATGPT)
            else f"model_providers.{provider}.base_url"  # it takes every dot for a step
        )
        at = command.argv.index("--no-daemon")  # before the words, which end its options
        led = ("-c", f"{key}={json.dumps(base)}")
        env = {**command.env, **({OPENAI_BASES[0]: base} if key == "openai_base_url" else {})}
        return replace(command, argv=(*command.argv[:at], *led, *command.argv[at:]), env=env)


def _folder(context: AgentContext, env: Mapping[str, str]) -> Path:
    named = env.get("CODEX_HOME")
    return single.expanded(context.machine, named) if named else context.home / ".codex"


def _configuration(context: AgentContext, file: Path) -> Mapping[str, Any]:
    try:
        return tomllib.loads(single.content(context.machine, file, _LARGEST).decode())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise Refused(f"{file} cannot be read, which says where codex asks: {error}") from error


def _on_plan(context: AgentContext, folder: Path, env: Mapping[str, str]) -> bool:
    """Whether it is logged in by an account, whose requests go elsewhere than those of a key."""
    if env.get("OPENAI_API_KEY") or env.get("CODEX_API_KEY"):
        return False
    try:
        login = json.loads(single.content(context.machine, folder / "auth.json", _LARGEST))
    except (OSError, ValueError):
        return False
    return isinstance(login, dict) and bool(login.get("tokens")) and not login.get("OPENAI_API_KEY")


def _part(told: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    for key in keys:
        found = told.get(key)
        told = found if isinstance(found, dict) else {}
    return told
