"""What of ``ennio.yaml`` is about sandboxes, and what has to fit together for one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ennio.config.fields import ListField, MappingSchema
from ennio.config.number_fields import IntField
from ennio.config.sandbox import Sandbox
from ennio.config.text_fields import EnumField, PathField
from ennio.config.yaml_source import Where
from ennio.model.isolation import IsolationKind, NetworkAccess

ISOLATION = EnumField(
    "Whether its agents, and the commands of `post_create`, run in a sandbox; implies "
    "`workspace: clone`",
    IsolationKind,
)
_RUNTIMES = ("tmux", "process")


class SandboxSchema(MappingSchema):
    """``sandbox``: what is there in it."""

    makes = Sandbox
    network = EnumField(
        "`host` is this machine's network, `loopback` one of its own with nothing else in it, "
        "`none` no address at all",
        NetworkAccess,
    )
    readable = ListField(
        "Files and folders that can be read there", PathField("A path; `~` is your home")
    )
    writable = ListField(
        "Files and folders that can be written to there", PathField("A path; `~` is your home")
    )
    ports = ListField(
        "Ports of this machine's loopback that are reached from there also without its network",
        IntField("A port", 1, 65535),
    )


_LISTENING = ("opencode",)
"""Shipped agents whose plugins say that they listen; others are refused as they are asked for."""


def faults(project: Mapping[str, Any], defaults: Mapping[str, Any]) -> Iterator[tuple[Where, str]]:
    """What of a project cannot be with a sandbox, or does nothing without one."""
    isolation = project.get("isolation")
    if isolation != IsolationKind.BUBBLEWRAP:
        if project.get("sandbox"):
            yield ("sandbox",), "says what is in a sandbox: add `isolation: bubblewrap`"
        return
    if project.get("ssh_config"):
        yield ("isolation",), "{value} is for this machine alone, and `ssh_config` names another"
    workspace = project.get("workspace")
    if workspace not in (None, "clone"):
        yield (
            ("workspace",),
            (
                "{value} does not go with `isolation: bubblewrap`, which needs `clone`: what git "
                "keeps of a worktree lies in your own repository, where an agent could leave what "
                "your git would run"
            ),
        )
    runtime = project.get("runtime") or defaults.get("runtime") or "tmux"
    if runtime not in _RUNTIMES:
        where = ("runtime",) if project.get("runtime") else ("isolation",)
        yield where, f"`runtime: {runtime}` does not go with it: use tmux or process"
    name = project.get("agent") or defaults.get("agent")
    if name in _LISTENING:
        yield (
            ("agent",) if project.get("agent") else ("isolation",),
            (
                f"`agent: {name}` does not go with a sandbox: it is spoken to on a port of this "
                "machine and has one database for all that it works on, so it cannot be kept "
                "apart; use claude-code, codex or aider"
            ),
        )
    agent = project.get("agent_config")
    sandbox = project.get("sandbox")
    network = sandbox.get("network") if isinstance(sandbox, dict) else None
    if network != NetworkAccess.NONE:
        return
    if isinstance(agent, dict) and agent.get("metering") == "proxy":
        yield (
            ("sandbox", "network"),
            (
                "{value} leaves no address for `metering: proxy`: use loopback, where nothing but "
                "the proxy is reached"
            ),
        )
    if sandbox and isinstance(sandbox, dict) and sandbox.get("ports"):
        yield ("sandbox", "ports"), "cannot be reached with `network: none`: use loopback"
