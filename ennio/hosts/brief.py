"""What a host is told of a session to work on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ennio.config.model import AgentConfig
from ennio.model.isolation import NetworkAccess
from ennio.model.session import RuntimeHandle


@dataclass(frozen=True, slots=True)
class LinkSpec:
    """A link in the working copy, in words: ``target`` inside of it leads
    to ``source`` over there.
    """

    source: str
    target: str


@dataclass(frozen=True, slots=True)
class SandboxSpec:
    """What of its machine is to be seen from a session's sandbox, by paths over there; see
    ``config.sandbox.Sandbox``.
    """

    network: NetworkAccess = NetworkAccess.HOST
    readable: tuple[str, ...] = ()
    writable: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Brief:
    """All that a host must know of a session to work on it.

    ``agent``, ``runtime`` and ``workspace`` are names of plugins. ``source`` is the
    project's repository over there, ``path`` the place of the working copy (empty: where it
    always is). ``env`` is what the project adds to the environment; ``ended`` tells that
    nobody will ever work on it again. ``sandbox`` is there for one whose programs run in one.
    ``seen_heads`` are commits that its branch was seen at, the last one first.
    """

    session_id: str
    project_id: str
    agent: str
    runtime: str
    workspace: str
    agent_config: AgentConfig = field(default_factory=AgentConfig)
    env: Mapping[str, str] = field(default_factory=dict)
    repo: str = ""
    source: str = ""
    path: str = ""
    branch: str = ""
    base: str = ""
    remote: str = "origin"
    symlinks: tuple[LinkSpec, ...] = ()
    post_create: tuple[str, ...] = ()
    post_create_timeout: float = 600.0
    submodules: bool = False
    handle: RuntimeHandle | None = None
    ended: bool = False
    sandbox: SandboxSpec | None = None
    seen_heads: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FirstWords:
    """What an agent is told first: its prompt, and the rules above all words."""

    prompt: str
    system: str


@dataclass(frozen=True, slots=True)
class HookAddress:
    """Where the hooks of a session's agent say "look again", and the token that lets them in."""

    host: str
    port: int
    path: str
    token: str


@dataclass(frozen=True, slots=True)
class BranchAt:
    """The branch of a session at a commit."""

    brief: Brief
    head: str


@dataclass(frozen=True, slots=True)
class MergePair:
    """Two branches of one project that are to be tried with each other."""

    one: BranchAt
    other: BranchAt
