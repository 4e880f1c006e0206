"""``ennio.yaml`` as frozen values; every default stands here. Durations are seconds, sizes bytes.

Fields up to ``cors_origins`` and the ``Project`` fields up to ``ssh_config`` are the documented
reference; what stands below the mark "ours" in each class is added and optional.
Secrets (``repr=False``) are kept out of ``repr``; ``secrets.py`` knows which they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from ennio.config.fan_out import FanOut
from ennio.config.money import BillingChoice, Budget, MeteringChoice, PriceOverride
from ennio.config.origin import WrittenAt
from ennio.config.sandbox import Sandbox
from ennio.config.yaml_source import Where
from ennio.model.isolation import IsolationKind
from ennio.model.session import Priority

Settings = Mapping[str, Any]


class ReactionAction(StrEnum):
    """What a reaction does when it fires."""

    SEND_TO_AGENT = "send_to_agent"
    NOTIFY = "notify"
    AUTO_MERGE = "auto_merge"


class StaleApprovals(StrEnum):
    """What an approval of an earlier head is worth once there is a new one."""

    RENEW = "renew"
    COUNT = "count"


class LogFormat(StrEnum):
    """What an entry of the log looks like."""

    TEXT = "text"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Defaults:
    """Plugins used where a project names none."""

    runtime: str = "tmux"
    agent: str = "claude-code"
    workspace: str = "worktree"
    notifiers: tuple[str, ...] = ()
    predictor: str = "history"


@dataclass(frozen=True, slots=True)
class Reaction:
    """One reaction rule, already merged field by field: built-in <- global <- project."""

    enabled: bool = True
    action: ReactionAction = ReactionAction.NOTIFY
    message: str | None = None
    priority: Priority = Priority.INFO
    escalate_after: float | None = None
    threshold: float | None = None
    retries: int = 0
    rounds: int | None = None
    include_summary: bool = False


@dataclass(frozen=True, slots=True)
class PluginChoice:
    """A tracker or forge: which plugin, and its own settings."""

    plugin: str
    config: Settings = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From when to when, by the clock of a zone, only what is as grave as ``unless``
    is told; minutes of a day.

    Without ``timezone`` it is this machine's.
    """

    start: int
    end: int
    timezone: str | None = None
    unless: Priority = Priority.CRITICAL


@dataclass(frozen=True, slots=True)
class RateLimit:
    """How many messages a channel takes within a time (seconds); what is
    beyond becomes one message.
    """

    messages: int = 10
    within: float = 60.0


@dataclass(frozen=True, slots=True)
class NotifierConfig:
    """A channel for notifications, named for routing."""

    plugin: str
    name: str
    config: Settings = field(default_factory=dict, repr=False)
    # ours
    quiet_hours: QuietHours | None = None
    rate_limit: RateLimit = RateLimit()


@dataclass(frozen=True, slots=True)
class Route:
    """Where a reaction is told: by which channels, and from which priority on."""

    channels: tuple[str, ...]
    min_priority: Priority = Priority.INFO


Routing = Mapping[str, Route]


@dataclass(frozen=True, slots=True)
class AgentConfig:
    """How a project wants its agent: model, permission mode, who pays, who counts, and
    what is passed on as it is.
    """

    permissions: str | None = None
    model: str | None = None
    passthrough: Settings = field(default_factory=dict, repr=False)
    # ours
    billing: BillingChoice = BillingChoice.LOGIN
    metering: MeteringChoice = MeteringChoice.AGENT


@dataclass(frozen=True, slots=True)
class Symlink:
    """A link in the workspace: ``target`` (inside it) points to ``source``
    (relative: to the project's path).
    """

    source: Path
    target: Path


class AuthType(StrEnum):
    """How to log in over ssh."""

    KEY = "key"
    AGENT = "agent"
    PASSWORD = "password"  # noqa: S105 - the name of a method, not a password


@dataclass(frozen=True, slots=True)
class SshAuth:
    """Credentials for ssh, by type."""

    type: AuthType
    path: Path | None = None
    passphrase: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)


class SshStrategy(StrEnum):
    """How a remote agent is driven."""

    TMUX = "tmux"
    TMATE = "tmate"
    REMOTE_CONTROL = "remote_control"
    NODE = "node"


class HostKeyPolicy(StrEnum):
    """Which host keys are believed."""

    STRICT = "strict"
    ACCEPT_NEW = "accept_new"
    ACCEPT_ALL = "accept_all"


@dataclass(frozen=True, slots=True)
class NodeConfig:
    """The daemon on a remote host."""

    enabled: bool = True
    port: int = 9100
    idle_timeout: float = 3600.0
    workspace_root: Path | None = None
    ennio_binary_path: Path | None = None
    auth_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class SshConfig:
    """Where and how a project runs remotely."""

    host: str
    username: str
    auth: SshAuth
    port: int = 22
    strategy: SshStrategy = SshStrategy.TMUX
    connection_timeout: float = 30.0
    keepalive_interval: float | None = None
    host_key_policy: HostKeyPolicy = HostKeyPolicy.STRICT
    known_hosts_path: Path | None = None
    node_config: NodeConfig | None = None
    # ours
    max_sessions: int | None = None
    min_free_memory: int | None = None


@dataclass(frozen=True, slots=True)
class Restart:
    """How often an agent that failed is started again by itself; 0 attempts: a person decides."""

    attempts: int = 0
    within: float = 600.0
    delay: float = 5.0


@dataclass(frozen=True, slots=True)
class Project:
    """One repository and how sessions in it are run."""

    id: str
    name: str
    repo: str = field(repr=False)
    path: Path
    default_branch: str = "main"
    session_prefix: str = ""
    runtime: str = "tmux"
    agent: str = "claude-code"
    workspace: str = "worktree"
    tracker: PluginChoice | None = None
    forge: PluginChoice | None = None
    symlinks: tuple[Symlink, ...] = ()
    post_create: tuple[str, ...] = ()
    agent_config: AgentConfig = AgentConfig()
    reactions: Mapping[str, Reaction] = field(default_factory=dict)
    agent_rules: tuple[str, ...] = ()
    max_sessions: int | None = None
    ssh: SshConfig | None = None
    # ours
    prompt: str | None = None
    post_create_timeout: float = 600.0
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    restart: Restart = Restart()
    bots: tuple[str, ...] = ()
    protected_branches: tuple[str, ...] = ()
    stale_approvals: StaleApprovals = StaleApprovals.RENEW
    submodules: bool = False
    notifiers: tuple[str, ...] | None = None
    notification_routing: Routing = field(default_factory=dict)
    resume_at_reset: bool = False
    fan_out: FanOut = FanOut()
    answer: bool = False
    isolation: IsolationKind = IsolationKind.NONE
    sandbox: Sandbox = Sandbox()
    config_hash: str = ""


@dataclass(frozen=True, slots=True)
class Poll:
    """Seconds between two looks at each kind of source."""

    runtime: float = 2.0
    agent: float = 1.0
    forge: float = 5.0


@dataclass(frozen=True, slots=True)
class CleanupPolicy:
    """Seconds after which the workspaces of ended sessions are removed; None: only on request."""

    merged_after: float | None = 600.0
    done_after: float | None = None
    killed_after: float | None = None


@dataclass(frozen=True, slots=True)
class Retention:
    """How long (seconds), and how many of, what is over is kept; None: for ever, and all of it.

    ``disk`` is how many bytes the database may take before even what somebody has still to get
    goes.
    """

    events_after: float | None = 90 * 86_400.0
    events_most: int | None = 1_000_000
    facts_after: float | None = 90 * 86_400.0
    logs_after: float | None = 30 * 86_400.0
    sessions_after: float | None = None
    sessions_most: int | None = None
    disk: int | None = 5 * 1024**3


@dataclass(frozen=True, slots=True)
class TerminalAccess:
    """What people may do with agents' terminals from elsewhere; ``read_only``: they only look."""

    read_only: bool = False


@dataclass(frozen=True, slots=True)
class Demand:
    """Something a file would have done that needs trust: ``kind`` and ``words`` tell a person,
    ``canonical`` is what is compared.
    """

    kind: str
    place: str
    words: tuple[str, ...]
    canonical: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Config:
    """A whole configuration; ``source`` is the file it came from, ``directory``
    what paths are relative to.

    ``port_chosen``: somebody wrote that very port; else a free one is taken and kept.
    """

    source: Path
    directory: Path
    port: int = 3000
    terminal_port: int | None = None
    terminal: TerminalAccess = TerminalAccess()
    direct_terminal_port: int | None = None
    ready_threshold: float = 2.0
    defaults: Defaults = Defaults()
    projects: tuple[Project, ...] = ()
    notifiers: tuple[NotifierConfig, ...] = ()
    notification_routing: Routing = field(default_factory=dict)
    reactions: Mapping[str, Reaction] = field(default_factory=dict)
    database_url: str = field(default="sqlite:ennio.db", repr=False)
    nats_url: str | None = field(default=None, repr=False)
    api_token: str | None = field(default=None, repr=False)
    cors_origins: tuple[str, ...] = ()
    # ours
    nats_instance: str = ""
    nats_stream: bool = False
    nats_credentials_file: Path | None = None
    nats_nkey_file: Path | None = None
    nats_ca_file: Path | None = None
    nats_cert_file: Path | None = None
    nats_key_file: Path | None = None
    host: str = "127.0.0.1"
    port_chosen: bool = True
    public_url: str | None = None
    max_sessions: int | None = None
    min_free_memory: int = 512 * 1024 * 1024
    poll: Poll = Poll()
    cleanup: CleanupPolicy = CleanupPolicy()
    person_patience: float = 600.0
    budgets: tuple[Budget, ...] = ()
    expose_budget: bool = False
    log_format: LogFormat = LogFormat.TEXT
    retention: Retention = Retention()
    prices: tuple[PriceOverride, ...] = ()
    resume_at_reset: bool = False
    fan_out: FanOut = FanOut()
    hidden: frozenset[str] = field(default=frozenset(), repr=False)
    """Values of variables that are secrets by their names, wherever in the file they were put."""
    demands: tuple[Demand, ...] = field(default=(), repr=False)
    """What it would run and whom it would talk to, as the file is written."""
    budget_lines: tuple[int, ...] = field(default=(), repr=False)
    """The lines of the file on which its budgets stand, in their order."""
    origins: Mapping[Where, WrittenAt] = field(default_factory=dict, repr=False, compare=False)
    """Where each value was written."""

    def project(self, name: str) -> Project | None:
        """The project with this id or name, or None."""
        return next((p for p in self.projects if name in (p.id, p.name)), None)
