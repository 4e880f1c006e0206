"""Which keys are part of trust: what each lets the author of a file do on the machine of
whoever starts Ennio on it.

Every key of every schema stands here, and every setting of the shipped plugins. What does not, as
the settings of a plugin that another distribution brings, is part of trust.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Trust(StrEnum):
    """What a key can do; the words of the question a person is asked."""

    RUNS = "run"
    TALKS = "talk to"
    OPENS = "let in"
    REACHES = "reach"
    GIVES = "hand on"
    FREE = ""
    """Words, limits, times and names: they make nothing else run and nobody else be talked to."""
    PLUGIN = "as the plugin's settings"


RUNS, TALKS, OPENS, REACHES, GIVES, FREE, PLUGIN = Trust

Keys = Mapping[str, Trust]


def _all(trust: Trust, *keys: str) -> dict[str, Trust]:
    return dict.fromkeys(keys, trust)


SCHEMAS: Mapping[str, Keys] = MappingProxyType(
    {
        "Config": {
            **_all(
                FREE,
                "port",
                "terminal_port",
                "direct_terminal_port",
                "ready_threshold",
                "notification_routing",
                "max_sessions",
            ),
            **_all(FREE, "min_free_memory", "person_patience", "log_format", "resume_at_reset"),
            **_all(FREE, "expose_budget"),
            **_all(OPENS, "host", "api_token", "cors_origins"),
            **_all(TALKS, "nats_url", "nats_ca_file", "public_url"),
            **_all(GIVES, "nats_credentials_file", "nats_nkey_file"),
            **_all(GIVES, "nats_cert_file", "nats_key_file"),
            **_all(FREE, "nats_instance", "nats_stream"),
            "database_url": REACHES,
        },
        "Defaults": {**_all(RUNS, "runtime", "agent", "workspace", "predictor"), "notifiers": FREE},
        "Project": {
            **_all(
                FREE,
                "name",
                "project_id",
                "default_branch",
                "session_prefix",
                "agent_rules",
                "max_sessions",
                "prompt",
            ),
            **_all(
                FREE,
                "post_create_timeout",
                "bots",
                "protected_branches",
                "stale_approvals",
                "notifiers",
                "notification_routing",
                "resume_at_reset",
            ),
            "isolation": FREE,  # told with the agent, so that it is asked when it is taken away
            "answer": OPENS,  # whoever reads the topic
            **_all(RUNS, "runtime", "agent", "workspace", "post_create"),
            "repo": TALKS,
            "submodules": TALKS,  # whomever the repository names
            "path": REACHES,
            "env": GIVES,
        },
        "PluginChoice": {"plugin": RUNS, "config": PLUGIN},
        "NotifierConfig": {"plugin": RUNS, "name": FREE, "config": PLUGIN},
        "QuietHours": _all(FREE, "from", "to", "timezone", "unless"),
        "RateLimit": _all(FREE, "messages", "within"),
        "Route": _all(FREE, "channels", "min_priority"),
        "Reaction": _all(
            FREE,
            "enabled",
            "action",
            "message",
            "priority",
            "escalate_after",
            "threshold",
            "retries",
            "rounds",
            "include_summary",
        ),
        "AgentConfig": {
            "permissions": RUNS,
            **_all(FREE, "model", "billing", "metering"),
            "passthrough": PLUGIN,
        },
        "Sandbox": {
            **_all(REACHES, "readable", "writable"),
            "network": FREE,  # as `isolation`
            "ports": TALKS,
        },
        "Symlink": _all(REACHES, "source", "target"),
        "SshConfig": {
            **_all(TALKS, "host", "port", "username", "host_key_policy", "known_hosts_path"),
            "strategy": RUNS,
            **_all(FREE, "connection_timeout", "keepalive_interval"),
            **_all(FREE, "max_sessions", "min_free_memory"),
        },
        "SshAuth": _all(GIVES, "type", "path", "passphrase", "password"),
        "NodeConfig": {
            **_all(TALKS, "enabled", "port"),
            "ennio_binary_path": RUNS,
            "workspace_root": REACHES,
            "auth_token": GIVES,
            "idle_timeout": FREE,
        },
        "Restart": _all(FREE, "attempts", "within", "delay"),
        "Budget": {
            **_all(FREE, "scope", "id", "period", "limit_usd", "limit_tokens"),
            **_all(FREE, "on_exceed", "warn_at", "count_plan"),
        },
        "PriceOverride": {
            **_all(FREE, "model", "input", "output", "cache_read", "cache_write", "cache_write_1h"),
            **_all(FREE, "web_searches", "since", "above", "tier"),
        },
        "Poll": _all(FREE, "runtime", "agent", "forge"),
        "Retention": {
            **_all(FREE, "events_after", "events_most", "facts_after", "logs_after"),
            **_all(FREE, "sessions_after", "sessions_most", "disk"),
        },
        "TerminalAccess": _all(FREE, "read_only"),
        "FanOut": _all(FREE, "agents", "tokens_per_minute"),
        "CleanupPolicy": _all(FREE, "merged_after", "done_after", "killed_after"),
    }
)
"""By the name of what a schema makes, and the key. A key that holds a schema of its own
is as that one's keys are.
"""

_GITHUB: Keys = {**_all(TALKS, "owner", "repo", "api_url"), "token": GIVES, "webhook_secret": OPENS}

PLUGINS: Mapping[tuple[str, str], Keys] = MappingProxyType(
    {
        ("scm", "github"): {
            **_GITHUB,
            "head_owner": TALKS,
            **_all(
                FREE,
                "merge_method",
                "auto_open",
                "draft",
                "delete_branch",
                "update_branch",
                "pace",
                "own_comments",
            ),
        },
        ("scm", "local"): {
            "checks": RUNS,
            "hub": REACHES,
            **_all(
                FREE,
                "merge_method",
                "review_required",
                "auto_open",
                "draft",
                "check_slots",
                "delete_branch",
                "dismiss_stale",
            ),
        },
        ("tracker", "github"): {
            **_GITHUB,
            **_all(FREE, "assign", "comment", "labels", "unlabels", "close_on_merge"),
        },
        ("tracker", "linear"): {
            "api_url": TALKS,
            **_all(GIVES, "api_key", "token"),
            **_all(FREE, "team", "states", "comment", "link", "close_on_merge"),
        },
        ("tracker", "local"): {"path": REACHES, **_all(FREE, "comment", "close_on_merge")},
        ("notifier", "desktop"): {},
        ("notifier", "webhook"): {
            "url": TALKS,
            "secret": GIVES,
            **_all(FREE, "resolved", "timeout"),
        },
        ("notifier", "slack"): {"webhook_url": TALKS, "timeout": FREE},
        ("notifier", "ntfy"): {**_all(TALKS, "url", "topic"), "token": GIVES, "timeout": FREE},
        ("notifier", "command"): {
            "argv": RUNS,
            "env": GIVES,
            **_all(FREE, "resolved", "timeout"),
        },
        ("notifier", "apprise"): {"url": TALKS, "timeout": FREE},
        ("agent", "command"): {
            **_all(RUNS, "argv", "run", "resume_argv", "resume_run"),
            **_all(FREE, "stdin", "interactive", "one_shot", "ready", "lines", "interrupt"),
        },
        ("agent", "scripted"): {"story": RUNS, **_all(FREE, "speed", "typed")},
    }
)
"""By slot, name and setting. Of the other agents every setting is a flag of their command line,
which may make them run anything.
"""

ITEMS: Mapping[tuple[str, str, str], Keys] = MappingProxyType(
    {("scm", "local", "checks"): {"name": FREE, "run": RUNS, "timeout": FREE}}
)
"""The keys of the entries of a setting that is a list of mappings."""


def of_key(schema: str, key: str) -> Trust:
    """What a key of a schema can do; one that is not stated runs something, until
    somebody says otherwise.
    """
    return SCHEMAS.get(schema, {}).get(key, RUNS)


def of_setting(slot: str, plugin: str, key: str) -> Trust:
    """What a setting of a plugin can do."""
    return PLUGINS.get((slot, plugin), {}).get(key, RUNS)


def of_item(slot: str, plugin: str, setting: str, key: str) -> Trust:
    """What a key in an entry of a list of a plugin's settings can do."""
    return ITEMS.get((slot, plugin, setting), {}).get(key, RUNS)


def talks(slot: str, plugin: str) -> bool:
    """Whether a plugin is there to talk to a server, and runs nothing the file names."""
    return Trust.TALKS in PLUGINS.get((slot, plugin), {}).values()
