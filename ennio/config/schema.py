"""Every key of ``ennio.yaml``: what may stand there and what it is for.

Defaults stand in ``model``; the editor schema and the reference are made from these same schemas.
"""

from __future__ import annotations

from ennio.config import model, nats_keys
from ennio.config.fields import (
    AnyField,
    ListField,
    MapField,
    MappingSchema,
    NestedField,
)
from ennio.config.money import BillingChoice, MeteringChoice
from ennio.config.money_schema import BudgetSchema, PriceSchema
from ennio.config.notifier_schema import (
    NotifierSchema,
    QuietHoursSchema,
    RateLimitSchema,
    RouteSchema,
    routing,
)
from ennio.config.number_fields import (
    MANY,
    BoolField,
    DurationField,
    IntField,
    SizeField,
)
from ennio.config.plan_schema import FanOutSchema
from ennio.config.reactions import KEYS
from ennio.config.sandbox_schema import ISOLATION, SandboxSchema
from ennio.config.ssh_schema import NodeConfigSchema, SshAuthSchema, SshConfigSchema
from ennio.config.system_notices import KEYS as SYSTEM_KEYS
from ennio.config.terminal_schema import DIRECT_PORT, PORT, TerminalSchema
from ennio.config.text_fields import (
    BranchField,
    BranchPatternField,
    EnumField,
    InsidePathField,
    PathField,
    RepositoryField,
    SlugField,
    StringField,
    TokenField,
    UrlField,
    VariableField,
    VariableNameField,
)
from ennio.model.session import Priority


class DefaultsSchema(MappingSchema):
    """``defaults``."""

    makes = model.Defaults
    runtime = StringField("Where agents run")
    agent = StringField("The coding agent")
    workspace = StringField("How working copies are made")
    notifiers = ListField(
        "Names of the notifiers used where no routing says otherwise",
        StringField("The name of a notifier"),
    )
    predictor = StringField("What foretells what sessions come to (docs/forecasts.md)")


class ReactionSchema(MappingSchema):
    """One rule under ``reactions``."""

    makes = model.Reaction
    at_once = False
    enabled = BoolField("Whether the rule is active")
    action = EnumField("What to do when it fires", model.ReactionAction)
    message = StringField(
        "Words that stand above what is sent to the agent or the person", lines=True, none=True
    )
    priority = EnumField("How soon a person should look", Priority)
    escalate_after = DurationField(
        "How long it may last before a person is notified, whatever the action", none=True
    )
    threshold = DurationField(
        "How long without activity before it fires (agent-stuck, agent-resting)", none=True
    )
    retries = IntField("How many more messages new findings of the same episode may bring", 0, MANY)
    rounds = IntField(
        "How many heads in a row may bring new comments that the agent is told, before a person "
        "is called instead",
        1,
        MANY,
        none=True,
    )
    include_summary = BoolField("Whether a notice says what the session did, cost and needs")


class PluginChoiceSchema(MappingSchema):
    """``tracker_config`` and ``scm_config``."""

    makes = model.PluginChoice
    plugin = StringField("The name of the plugin", required=True)
    config = MapField("The plugin's own settings", AnyField())


class AgentConfigSchema(MappingSchema):
    """``agent_config``."""

    makes = model.AgentConfig
    permissions = StringField(
        "The agent's permission mode, as its own command line flags", none=True
    )
    billing = EnumField(
        "Who pays for what it uses: each request (`metered`), a plan that is paid for (`plan`), "
        "or as its login says",
        BillingChoice,
    )
    metering = EnumField(
        "Who counts what it uses: the agent, in what it writes down (`agent`), or a `proxy` before "
        "its model",
        MeteringChoice,
    )
    model = StringField("The model the agent uses", none=True)
    passthrough = MapField("Settings handed on to the agent as they are", AnyField())


class SymlinkSchema(MappingSchema):
    """One of ``symlinks``."""

    makes = model.Symlink
    source = PathField("What the link points to; relative to the project's path", required=True)
    target = InsidePathField("The link, below the root of the workspace", required=True)


class RestartSchema(MappingSchema):
    """``restart``."""

    makes = model.Restart
    attempts = IntField(
        "How often a failed agent is started again by itself; 0: a person decides", 0, 1000
    )
    within = DurationField("The window in which attempts count", least=1)
    delay = DurationField("The wait before the first attempt")


class ProjectSchema(MappingSchema):
    """One of ``projects``."""

    makes = model.Project
    at_once = False
    holds_anchors = True
    name = StringField("The name people use; unique", required=True)
    id = SlugField("The project's id", key="project_id", shown="from the name")
    repo = RepositoryField("The repository: a URL, or a path to one on this machine", required=True)
    path = PathField(
        "The working copy on this machine (with `ssh_config`: on the remote one)", required=True
    )
    default_branch = BranchField("The branch work starts from and is merged into")
    session_prefix = SlugField(
        "What session ids begin with", longest=119, shown="from the project id"
    )
    runtime = StringField("Overrides `defaults.runtime`", shown="`defaults.runtime`")
    agent = StringField("Overrides `defaults.agent`", shown="`defaults.agent`")
    workspace = StringField("Overrides `defaults.workspace`", shown="`defaults.workspace`")
    tracker = NestedField(
        "Where issues come from; for a repository on github.com: its issues",
        PluginChoiceSchema,
        key="tracker_config",
    )
    forge = NestedField(
        "Where pull requests live; for a repository on github.com: there; for a local one: "
        "Ennio's own forge",
        PluginChoiceSchema,
        key="scm_config",
    )
    symlinks = ListField("Links made in every workspace", NestedField("One link", SymlinkSchema))
    post_create = ListField(
        "Shell commands run in a new workspace", StringField("A command", lines=True)
    )
    agent_config = NestedField("Settings of the agent", AgentConfigSchema)
    reactions = MapField(
        "Changes to the rules for this project", NestedField("One rule", ReactionSchema), keys=KEYS
    )
    agent_rules = ListField(
        "Instructions that stand above every prompt", StringField("One instruction", lines=True)
    )
    max_sessions = IntField("How many sessions may run at once", 0, MANY, none=True)
    ssh = NestedField("Runs the project on a remote machine", SshConfigSchema, key="ssh_config")
    prompt = StringField(
        "What agents should know of the project, part of every first prompt", lines=True, none=True
    )
    post_create_timeout = DurationField("How long each command of `post_create` may take", least=1)
    env = MapField(
        "Environment variables for agents and `post_create`",
        VariableField("A value"),
        names=VariableNameField("A name"),
    )
    restart = NestedField("Whether a failed agent is started again by itself", RestartSchema)
    bots = ListField(
        "Authors whose comments count as a bot's, besides those the forge marks",
        StringField("A login name"),
    )
    protected_branches = ListField(
        "Branches, besides `default_branch`, that no session works on and no agent's push moves "
        "in a repository that `ennio init` made",
        BranchPatternField("A name; `*` and `?` stand for any letters, slashes too"),
    )
    stale_approvals = EnumField(
        "What the approval of an earlier head is worth to `auto_merge` and `ennio pr merge PULL`: "
        "`renew` wants one of this very head",
        model.StaleApprovals,
    )
    submodules = BoolField(
        "Whether the submodules of a new workspace are filled, before `symlinks` and "
        "`post_create`; else they stay empty",
    )
    notifiers = ListField(
        "Names of the notifiers used for this project, in place of `defaults.notifiers`",
        StringField("The name of a notifier"),
    )
    notification_routing = routing("Which notifiers its reactions use; before the global routing")
    resume_at_reset = BoolField("Overrides the global one", shown="as for all projects")
    fan_out = NestedField("Changes to the limits of `fan-out` for this project", FanOutSchema)
    answer = BoolField(
        "Whether notices of questions have buttons that answer them, on an `ntfy` topic with a "
        "`token`"
    )
    isolation = ISOLATION
    sandbox = NestedField("What is there in its sandbox", SandboxSchema)


class PollSchema(MappingSchema):
    """``poll``."""

    makes = model.Poll
    runtime = DurationField(
        "Between two looks at processes and terminals; 15s while all of them are waited for",
        least=0.1,
    )
    agent = DurationField(
        "Between two looks at what agents write down; 15s while it is waited for",
        least=0.1,
    )
    forge = DurationField("Between two looks at pull requests", least=0.1)


class CleanupSchema(MappingSchema):
    """``cleanup``."""

    makes = model.CleanupPolicy
    merged_after = DurationField(
        "When the workspace of a merged session is removed; null: on request", none=True
    )
    done_after = DurationField("When that of a done one is", none=True)
    killed_after = DurationField("When that of a killed one is", none=True)


class RetentionSchema(MappingSchema):
    """``retention``."""

    makes = model.Retention
    events_after = DurationField("When an event goes; null: never", least=3600, none=True)
    events_most = IntField("How many events are kept; null: all", 1000, MANY, none=True)
    facts_after = DurationField(
        "When it goes why a session had an earlier status, and what reactions did; null: never",
        least=3600,
        none=True,
    )
    logs_after = DurationField(
        "When the logs of an ended session go; null: never", least=3600, none=True
    )
    sessions_after = DurationField(
        "When a session that was cleaned up goes, with all that is known of it; null: never",
        least=3600,
        none=True,
    )
    sessions_most = IntField(
        "How many sessions that were cleaned up are kept; null: all", 0, MANY, none=True
    )
    disk = SizeField(
        "What the database file may take; beyond it the oldest events go, even those that a "
        "destination has still to get; null: no limit",
        none=True,
    )


class ConfigSchema(MappingSchema):
    """The whole file."""

    makes = model.Config
    at_once = False
    holds_anchors = True
    port = IntField(
        "The port of the API and the dashboard; 0: any that is free. Where it is not written, the "
        "next free one is taken and kept",
        0,
        65535,
    )
    terminal_port = PORT
    direct_terminal_port = DIRECT_PORT
    terminal = NestedField("Agents' terminals in a browser", TerminalSchema)
    ready_threshold = DurationField(
        "How long an agent must be quiet to count as ready; a bare number is milliseconds",
        bare="ms",
    )
    defaults = NestedField("Plugins used where a project names none", DefaultsSchema)
    projects = ListField("The projects", NestedField("One project", ProjectSchema))
    notifiers = ListField("Channels to people", NestedField("One channel", NotifierSchema))
    notification_routing = routing(
        "Which notifiers a reaction uses, or a notice of Ennio itself, by its key", *SYSTEM_KEYS
    )
    reactions = MapField(
        "Changes to the rules for all projects", NestedField("One rule", ReactionSchema), keys=KEYS
    )
    database_url = StringField(
        "The database: `sqlite:FILE` (a relative path is relative to this file) or "
        "`postgresql://user@host/database`"
        " (docs/postgresql.md). Where it is left out, `DATABASE_URL` counts",
        none=True,
    )
    nats_url = nats_keys.URL
    nats_instance = nats_keys.INSTANCE
    nats_stream = nats_keys.STREAM
    nats_credentials_file = nats_keys.CREDENTIALS
    nats_nkey_file = nats_keys.NKEY
    nats_ca_file = nats_keys.CA
    nats_cert_file = nats_keys.CERT
    nats_key_file = nats_keys.KEY
    api_token = TokenField(
        "The token of the API; left out, one is made and kept in a file only you can read",
        none=True,
    )
    cors_origins = ListField(
        "Origins of web pages that may use the API",
        UrlField("An origin", "http", "https", origin=True),
    )
    host = StringField("The address the API listens on")
    public_url = UrlField(
        "Where browsers reach the API, for the links in notices; left out, they lead to this "
        "machine",
        "http",
        "https",
        none=True,
    )
    max_sessions = IntField(
        "How many sessions may run at once, all projects together", 0, MANY, none=True
    )
    min_free_memory = SizeField("No session starts with less free memory than this")
    poll = NestedField("How often to look", PollSchema)
    cleanup = NestedField("When workspaces are removed by themselves", CleanupSchema)
    person_patience = DurationField(
        "How long words wait for what a person has begun to type before that is put aside and put "
        "back; 0: for ever",
    )
    budgets = ListField("Limits of money", NestedField("One budget", BudgetSchema))
    expose_budget = BoolField("Agents are told what is left of their budgets")
    retention = NestedField("How long what is over is kept", RetentionSchema)
    log_format = EnumField(
        "What an entry of the log is: a line for people, or a JSON object for machines",
        model.LogFormat,
    )
    prices = ListField(
        "What models cost, where that is not what is known of them (docs/costs.md)",
        NestedField("One price", PriceSchema),
    )
    resume_at_reset = BoolField(
        "Whether an agent whose plan was used up goes on by itself once that begins anew; else a "
        "person is asked"
    )
    fan_out = NestedField("Beyond which limits the reaction `fan-out` fires", FanOutSchema)


SCHEMAS: tuple[type[MappingSchema], ...] = (
    ConfigSchema,
    DefaultsSchema,
    ProjectSchema,
    PluginChoiceSchema,
    NotifierSchema,
    QuietHoursSchema,
    RateLimitSchema,
    RouteSchema,
    ReactionSchema,
    AgentConfigSchema,
    SymlinkSchema,
    SshConfigSchema,
    SshAuthSchema,
    NodeConfigSchema,
    RestartSchema,
    BudgetSchema,
    PriceSchema,
    PollSchema,
    CleanupSchema,
    RetentionSchema,
    FanOutSchema,
    TerminalSchema,
    SandboxSchema,
)
"""All of them, in the order of the reference."""
