"""Every key of ``ennio.yaml``: what may stand there and what it is for.

Defaults stand in ``model``; the editor schema and the reference are made from these same shapes.
"""

from __future__ import annotations

from typing import Any, ClassVar

from marshmallow import ValidationError, validates_schema

from ennio.config import model
from ennio.config.numbers import Duration, Fraction, Money, Size, Switch, Whole
from ennio.config.reactions import KEYS
from ennio.config.shapes import Anything, Json, Many, Part, Shape, Table
from ennio.config.texts import Branch, BranchPattern, Choice, FilePath, Id, InsidePath, Repository, Text, Token, Url, Variable, VariableName
from ennio.model.session import Priority

MANY = 2**32 - 1


class DefaultsShape(Shape):
    """``defaults``."""

    makes = model.Defaults
    runtime = Text("Where agents run")
    agent = Text("The coding agent")
    workspace = Text("How working copies are made")
    notifiers = Many("Names of the notifiers used where no routing says otherwise", Text("The name of a notifier"))


class ReactionShape(Shape):
    """One rule under ``reactions``."""

    makes = model.Reaction
    at_once = False
    enabled = Switch("Whether the rule is active")
    action = Choice("What to do when it fires", model.ReactionAction)
    message = Text("Words that stand above what is sent to the agent or the person", lines=True, none=True)
    priority = Choice("How soon a person should look", Priority)
    escalate_after = Duration("How long it may last before a person is notified, whatever the action", none=True)
    threshold = Duration("How long without activity before it fires (agent-stuck)", none=True)
    retries = Whole("How many more messages new findings of the same episode may bring", 0, MANY)
    rounds = Whole(
        "How many heads in a row may bring new comments that the agent is told, before a person is called instead", 1, MANY, none=True
    )
    include_summary = Switch("Whether a notification carries the session's summary")


class PluginChoiceShape(Shape):
    """``tracker_config`` and ``scm_config``."""

    makes = model.PluginChoice
    plugin = Text("The name of the plugin", required=True)
    config = Table("The plugin's own settings", Anything())


class NotifierShape(Shape):
    """One of ``notifiers``."""

    makes = model.Notifier
    plugin = Text("The name of the plugin", required=True)
    name = Text("The name used in routing; unique", required=True)
    config = Table("The plugin's own settings", Anything())


class AgentConfigShape(Shape):
    """``agent_config``."""

    makes = model.AgentConfig
    permissions = Text("The agent's permission mode, as its own command line flags", none=True)
    model = Text("The model the agent uses", none=True)
    passthrough = Table("Settings handed on to the agent as they are", Anything())


class SymlinkShape(Shape):
    """One of ``symlinks``."""

    makes = model.Symlink
    source = FilePath("What the link points to; relative to the project's path", required=True)
    target = InsidePath("The link, below the root of the workspace", required=True)


def _when(kind: str, needs: list[str], excludes: list[str]) -> Json:
    """The JSON Schema rule of one type of login."""
    needed = {key: {"not": {"type": "null"}} for key in needs}
    then = {"required": needs, "properties": needed | {key: {"type": "null"} for key in excludes}}
    return {"if": {"properties": {"type": {"const": kind}}}, "then": then}


class SshAuthShape(Shape):
    """``ssh_config.auth``: the keys that fit depend on ``type``."""

    makes = model.SshAuth
    type = Choice("How to log in", model.AuthType, required=True)
    path = FilePath("The private key (type key)", none=True)
    passphrase = Text("The key's passphrase (type key)", none=True)
    password = Text("The password (type password)", none=True)
    rules: ClassVar[Json] = {
        "allOf": [
            _when("key", needs=["path"], excludes=["password"]),
            _when("password", needs=["password"], excludes=["path", "passphrase"]),
            _when("agent", needs=[], excludes=["path", "passphrase", "password"]),
        ]
    }

    @validates_schema(skip_on_field_errors=True)
    def _fits(self, data: dict[str, Any], **_: Any) -> None:
        kind = data["type"]
        wanted = {model.AuthType.KEY: "path", model.AuthType.PASSWORD: "password"}.get(kind)
        allowed = {"type", wanted, "passphrase" if kind is model.AuthType.KEY else "type"}
        given = [key for key, value in data.items() if value is not None]
        errors = {key: [f"does not go with `type: {kind}`"] for key in given if key not in allowed}
        if wanted and data.get(wanted) is None:
            errors[wanted] = [f"is missing: `type: {kind}` needs it"]
        if errors:
            raise ValidationError(errors)


class NodeConfigShape(Shape):
    """``ssh_config.node_config``; its paths are the remote machine's."""

    makes = model.NodeConfig
    enabled = Switch("Whether the node daemon is used")
    port = Whole("The port it listens on, on the remote machine", 1, 65535)
    idle_timeout = Duration("How long without work before it ends by itself")
    workspace_root = FilePath("The folder its workspaces lie in", none=True)
    ennio_binary_path = FilePath("Where ennio-node is installed", none=True)
    auth_token = Token("The token it asks for", none=True)


class SshConfigShape(Shape):
    """``ssh_config``: present, the project runs remotely."""

    makes = model.SshConfig
    host = Text("The remote machine", required=True)
    port = Whole("Its SSH port", 1, 65535)
    username = Text("Who to log in as", required=True)
    auth = Part("How to log in", SshAuthShape, required=True)
    strategy = Choice("How the agent is driven there", model.SshStrategy)
    connection_timeout = Duration("How long a connection may take", least=0.1)
    keepalive_interval = Duration("How often to say that the connection is still wanted", least=1, none=True)
    host_key_policy = Choice("Which host keys are believed", model.HostKeyPolicy)
    known_hosts_path = FilePath("The known_hosts file", none=True)
    node_config = Part("The node daemon", NodeConfigShape)


class RestartShape(Shape):
    """``restart``."""

    makes = model.Restart
    attempts = Whole("How often a failed agent is started again by itself; 0: a person decides", 0, 1000)
    within = Duration("The window in which attempts count", least=1)
    delay = Duration("The wait before the first attempt")


class ProjectShape(Shape):
    """One of ``projects``."""

    makes = model.Project
    at_once = False
    holds_anchors = True
    name = Text("The name people use; unique", required=True)
    id = Id("The project's id", key="project_id", shown="from the name")
    repo = Repository("The repository: a URL, or a path to one on this machine", required=True)
    path = FilePath("The working copy on this machine (with `ssh_config`: on the remote one)", required=True)
    default_branch = Branch("The branch work starts from and is merged into")
    session_prefix = Id("What session ids begin with", longest=119, shown="from the project id")
    runtime = Text("Overrides `defaults.runtime`", shown="`defaults.runtime`")
    agent = Text("Overrides `defaults.agent`", shown="`defaults.agent`")
    workspace = Text("Overrides `defaults.workspace`", shown="`defaults.workspace`")
    tracker = Part("Where issues come from; for a repository on github.com: its issues", PluginChoiceShape, key="tracker_config")
    scm = Part(
        "Where pull requests live; for a repository on github.com: there; for a local one: Ennio's own forge",
        PluginChoiceShape,
        key="scm_config",
    )
    symlinks = Many("Links made in every workspace", Part("One link", SymlinkShape))
    post_create = Many("Shell commands run in a new workspace", Text("A command", lines=True))
    agent_config = Part("Settings of the agent", AgentConfigShape)
    reactions = Table("Changes to the rules for this project", Part("One rule", ReactionShape), keys=KEYS)
    agent_rules = Many("Instructions that stand above every prompt", Text("One instruction", lines=True))
    max_sessions = Whole("How many sessions may run at once", 0, MANY, none=True)
    ssh = Part("Runs the project on a remote machine", SshConfigShape, key="ssh_config")
    prompt = Text("What agents should know of the project, part of every first prompt", lines=True, none=True)
    post_create_timeout = Duration("How long each command of `post_create` may take", least=1)
    env = Table("Environment variables for agents and `post_create`", Variable("A value"), names=VariableName("A name"))
    restart = Part("Whether a failed agent is started again by itself", RestartShape)
    bots = Many("Authors whose comments count as a bot's, besides those the forge marks", Text("A login name"))
    protected_branches = Many(
        "Branches, besides `default_branch`, that no session works on and no agent's push moves in a repository that `ennio init` made",
        BranchPattern("A name; `*` and `?` stand for any letters, slashes too"),
    )
    stale_approvals = Choice(
        "What the approval of an earlier head is worth to `auto_merge` and `ennio pr merge PULL`: `renew` wants one of this very head",
        model.StaleApprovals,
    )
    submodules = Switch("Whether the submodules of a new workspace are filled, before `symlinks` and `post_create`; else they stay empty")


class BudgetShape(Shape):
    """One of ``budgets``."""

    makes = model.Budget
    scope = Choice("Whose spending", model.BudgetScope, required=True)
    id = Text("The one project or session it is for; left out: each by itself", none=True)
    period = Choice("When it begins anew (UTC)", model.BudgetPeriod)
    limit_usd = Money("The limit", required=True)
    on_exceed = Choice("What happens to a running session beyond it", model.OnExceed)
    warn_at = Fraction("The part of the limit at which a person is told")


class PollShape(Shape):
    """``poll``."""

    makes = model.Poll
    runtime = Duration("Between two looks at processes and terminals", least=0.1)
    agent = Duration("Between two looks at what agents write down", least=0.1)
    forge = Duration("Between two looks at pull requests", least=0.1)


class CleanupShape(Shape):
    """``cleanup``."""

    makes = model.Cleanup
    merged_after = Duration("When the workspace of a merged session is removed; null: on request", none=True)
    done_after = Duration("When that of a done one is", none=True)
    killed_after = Duration("When that of a killed one is", none=True)


class ConfigShape(Shape):
    """The whole file."""

    makes = model.Config
    at_once = False
    holds_anchors = True
    port = Whole("The port of the API and the dashboard; 0: any that is free", 0, 65535)
    terminal_port = Whole("The port of the terminal WebSocket; 0: any that is free", 0, 65535)
    direct_terminal_port = Whole("A port for direct access to terminals", 0, 65535, none=True)
    ready_threshold = Duration("How long an agent must be quiet to count as ready; a bare number is milliseconds", bare="ms")
    defaults = Part("Plugins used where a project names none", DefaultsShape)
    projects = Many("The projects", Part("One project", ProjectShape))
    notifiers = Many("Channels to people", Part("One channel", NotifierShape))
    notification_routing = Table("Which notifiers a reaction uses, by its key", Many("Names", Text("The name of a notifier")), keys=KEYS)
    reactions = Table("Changes to the rules for all projects", Part("One rule", ReactionShape), keys=KEYS)
    database_url = Text("The database; a relative path is relative to this file. Where it is left out, `DATABASE_URL` counts", none=True)
    nats_url = Url("The NATS server; left out, `NATS_URL` counts, and without either there is no NATS", "nats", "tls", none=True)
    api_token = Token("The token of the API; left out, one is made and kept in a file only you can read", none=True)
    cors_origins = Many("Origins of web pages that may use the API", Url("An origin", "http", "https", origin=True))
    host = Text("The address the API listens on")
    max_sessions = Whole("How many sessions may run at once, all projects together", 0, MANY, none=True)
    min_free_memory = Size("No session starts with less free memory than this")
    poll = Part("How often to look", PollShape)
    cleanup = Part("When workspaces are removed by themselves", CleanupShape)
    person_patience = Duration("How long words wait for what a person has begun to type before that is put aside and put back; 0: for ever")
    budgets = Many("Limits of money", Part("One budget", BudgetShape))


SHAPES: tuple[type[Shape], ...] = (
    ConfigShape,
    DefaultsShape,
    ProjectShape,
    PluginChoiceShape,
    NotifierShape,
    ReactionShape,
    AgentConfigShape,
    SymlinkShape,
    SshConfigShape,
    SshAuthShape,
    NodeConfigShape,
    RestartShape,
    BudgetShape,
    PollShape,
    CleanupShape,
)
"""All of them, in the order of the reference."""
