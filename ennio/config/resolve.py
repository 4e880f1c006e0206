"""From what the file says to what holds: defaults filled in, paths made absolute, rules merged.

Pure: the folder and the environment are given.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from ennio.config import database
from ennio.config.cross_checks import SELF_MADE
from ennio.config.fan_out import FanOut
from ennio.config.model import (
    Config,
    Defaults,
    NotifierConfig,
    PluginChoice,
    Project,
    SshConfig,
    SshStrategy,
)
from ennio.config.money import Budget, BudgetScope
from ennio.config.reactions import merged
from ennio.config.sandbox import Sandbox
from ennio.config.secrets import config_hash
from ennio.model import repository_address
from ennio.model.isolation import IsolationKind
from ennio.model.session import derive_prefix, derive_project_id

Given = Mapping[str, Any]
NATS_FILES = (
    "nats_credentials_file",
    "nats_nkey_file",
    "nats_ca_file",
    "nats_cert_file",
    "nats_key_file",
)
DATABASE_URL = str(next(field.default for field in fields(Config) if field.name == "database_url"))


class PathBase:
    """What paths are relative to: the configuration's folder, and the home ``~`` stands for."""

    def __init__(self, source: Path, environ: Mapping[str, str]) -> None:
        self.source = source
        self.directory = source.parent
        self.environ = environ

    def home(self, text: str) -> str:
        """The text with ``~`` put in; one that names nobody's home stays."""
        if text == "~" or text.startswith("~/"):
            return (self.environ.get("HOME") or os.path.expanduser("~")) + text[1:]
        return os.path.expanduser(text)

    def path(self, path: Path | str) -> Path:
        """The absolute path."""
        return Path(os.path.abspath(self.directory / self.home(str(path))))


def config(given: Given, base: PathBase) -> Config:
    """The whole configuration from what the schema read."""
    rest = dict(given) | {key: base.path(given[key]) for key in NATS_FILES if given.get(key)}
    defaults = rest.get("defaults", Defaults())
    overrides = rest.pop("reactions", {})
    limits = rest.pop("fan_out", {})
    shared = {"resume_at_reset": rest.get("resume_at_reset", False)}
    projects = tuple(
        project(_limits({**shared, **entry}, limits), base, defaults, overrides)
        for entry in rest.pop("projects", ())
    )
    routings = (
        rest.get("notification_routing", {}),
        *(each.notification_routing for each in projects),
    )
    named = [defaults.notifiers, *(each.notifiers or () for each in projects)]
    named += [route.channels for routing in routings for route in routing.values()]
    notifiers = channels(rest.pop("notifiers", ()), {name for names in named for name in names})
    return Config(
        source=base.source,
        directory=base.directory,
        port_chosen=bool(given.get("port")),
        projects=projects,
        notifiers=notifiers,
        budgets=tuple(limited(budget, projects) for budget in rest.pop("budgets", ())),
        reactions=merged(overrides),
        fan_out=FanOut(**limits),
        database_url=database.resolved(
            database_url(rest.pop("database_url", None), base.environ), base.directory, base.home
        ),
        nats_url=rest.pop("nats_url", None) or base.environ.get("NATS_URL") or None,
        **rest,
    )


def _limits(entry: Given, shared: Given) -> Given:
    """The project with the limits of its own laid over those of all."""
    return {**entry, "fan_out": FanOut(**{**shared, **entry.get("fan_out", {})})}


def limited(budget: Budget, projects: tuple[Project, ...]) -> Budget:
    """The budget with its project's id, where its author wrote the name."""
    named = (
        {project.name: project.id for project in projects}
        if budget.scope is BudgetScope.PROJECT
        else {}
    )
    return replace(budget, id=named.get(budget.id or "", budget.id))


def channels(defined: tuple[NotifierConfig, ...], names: set[str]) -> tuple[NotifierConfig, ...]:
    """The notifiers defined, and those that are only named but need no settings."""
    missing = names.intersection(SELF_MADE) - {notifier.name for notifier in defined}
    return (*defined, *(NotifierConfig(name, name) for name in sorted(missing)))


def database_url(written: str | None, environ: Mapping[str, str]) -> str:
    """The URL that holds: the file's, else ``DATABASE_URL``, else the model's default."""
    return written or environ.get("DATABASE_URL") or DATABASE_URL


def project(
    given: Given, base: PathBase, defaults: Defaults, overrides: Mapping[str, Given]
) -> Project:
    """One project from what the schema read."""
    rest = dict(given)
    ssh: SshConfig | None = rest.pop("ssh", None)
    identity = project_id(rest)
    repo = rest.pop("repo")
    found = Project(
        id=identity,
        name=rest.pop("name"),
        repo=address(repo, base) if ssh is None else repo,
        path=rest.pop("path") if ssh else base.path(rest.pop("path")),
        session_prefix=rest.pop("session_prefix", None) or derive_prefix(identity),
        runtime=runtime(rest.pop("runtime", None), defaults.runtime, ssh),
        agent=rest.pop("agent", defaults.agent),
        workspace=rest.pop("workspace", _workspace(rest, defaults)),
        tracker=plugin(
            rest.pop("tracker", None)
            or (PluginChoice("github") if repository_address.github(repo) else None),
            repo,
        ),
        forge=plugin(rest.pop("forge", None) or guessed_forge(repo, remote=ssh is not None), repo),
        reactions=merged(overrides, rest.pop("reactions", {})),
        ssh=ssh and reached(ssh, base),
        sandbox=seen(rest.pop("sandbox", Sandbox()), base),
        **{key: value for key, value in rest.items() if key != "id"},
    )
    return replace(found, config_hash=config_hash(found))


def runtime(own: str | None, default: str, ssh: SshConfig | None) -> str:
    """The runtime of a project: over ssh it is tmux, whatever holds on this machine; a node has
    those of its own.
    """
    asked = None if own == "ssh" else own
    if ssh is None or ssh.strategy is SshStrategy.NODE:
        return asked or default
    return asked or "tmux"


def _workspace(given: Given, defaults: Defaults) -> str:
    """The kind of working copy of a project that names none: in a sandbox it has a repository of
    its own, whatever the defaults say.
    """
    return "clone" if given.get("isolation") is IsolationKind.BUBBLEWRAP else defaults.workspace


def seen(sandbox: Sandbox, base: PathBase) -> Sandbox:
    """The sandbox with its paths absolute."""
    readable, writable = (
        tuple(map(base.path, paths)) for paths in (sandbox.readable, sandbox.writable)
    )
    return replace(sandbox, readable=readable, writable=writable)


def project_id(given: Given) -> str:
    """The id of a project: its own, else one made of its name; empty when the
    name has no letter for one.
    """
    return str(given.get("id") or derive_project_id(given["name"]))


def address(repo: str, base: PathBase) -> str:
    """The repository's address; one on this machine as an absolute path."""
    return (
        str(base.path(repository_address.local_path(repo)))
        if repository_address.is_local(repo)
        else repo
    )


def guessed_forge(repo: str, *, remote: bool) -> PluginChoice | None:
    """The forge of a project that names none; the local forge needs the
    repository on this machine.
    """
    if repository_address.github(repo):
        return PluginChoice("github")
    return PluginChoice("local") if repository_address.is_local(repo) and not remote else None


def plugin(choice: PluginChoice | None, repo: str) -> PluginChoice | None:
    """The choice; on GitHub, owner and repository follow from the address
    where they are not given.
    """
    found = repository_address.github(repo)
    if choice is None or choice.plugin != "github" or found is None:
        return choice
    return replace(choice, config={"owner": found[0], "repo": found[1], **choice.config})


def reached(ssh: SshConfig, base: PathBase) -> SshConfig:
    """The login with the files of this machine absolute; those of the
    remote one stay as written. A node that is not to be used is none.
    """
    auth = replace(ssh.auth, path=ssh.auth.path and base.path(ssh.auth.path))
    unused = ssh.node_config is not None and not ssh.node_config.enabled
    without = unused and ssh.strategy is SshStrategy.NODE
    return replace(
        ssh,
        auth=auth,
        known_hosts_path=ssh.known_hosts_path and base.path(ssh.known_hosts_path),
        strategy=SshStrategy.TMUX if without else ssh.strategy,
    )
