"""A brief with the plugins and places that it names on this host."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ennio.config.model import Symlink
from ennio.hosts import environment, sandboxes
from ennio.hosts.brief import Brief
from ennio.hosts.sandboxes import Sandboxes, SessionSandbox
from ennio.hosts.session_files import SessionFiles
from ennio.hosts.unfit_agent import UnfitAgent
from ennio.machine.home import Home
from ennio.machine.interface import Machine
from ennio.model.errors import ConfigError
from ennio.model.session import RuntimeHandle
from ennio.plugins.agent.interface import Agent, AgentContext, CommandLine
from ennio.plugins.registry import Registry
from ennio.plugins.runtime.interface import Runtime
from ennio.plugins.workspace.compared import SessionBranch
from ennio.plugins.workspace.interface import Workspace, WorkspaceSpec


@dataclass(frozen=True, slots=True)
class ResolvedBrief:
    """A session with its plugins and places, resolved once for one call."""

    brief: Brief
    agent: Agent
    runtime: Runtime
    workspace: Workspace
    files: SessionFiles
    path: Path
    sandbox: SessionSandbox | None = None

    @property
    def source(self) -> Path:
        """The project's repository over there."""
        return source_of(self.files.machine, self.brief.source)

    @property
    def handle(self) -> RuntimeHandle:
        """The handle as stored, or the one that follows from the id alone."""
        return self.brief.handle or RuntimeHandle(self.brief.session_id, self.runtime.name)

    @property
    def machine(self) -> Machine:
        """The machine as far as it may be believed of what its agent wrote."""
        return self.sandbox.machine if self.sandbox is not None else self.files.machine

    @property
    def context_without_folder(self) -> AgentContext:
        """The same where nothing may be made."""
        return self.files.context_without_folder(self.brief, self.path, self.sandbox)

    @property
    def context(self) -> AgentContext:
        """The session as its agent's plugin may know it."""
        return self.files.context(self.brief, self.path, self.sandbox)

    @property
    def spec(self) -> WorkspaceSpec:
        """What its workspace plugin is to make, or has made."""
        brief = self.brief
        return WorkspaceSpec(
            project_id=brief.project_id,
            session_id=brief.session_id,
            repo=brief.repo,
            source=self.source,
            path=self.path,
            branch=brief.branch or brief.session_id,
            base=brief.base,
            symlinks=tuple(
                Symlink(source_of(self.files.machine, link.source), Path(link.target))
                for link in brief.symlinks
            ),
            post_create=brief.post_create,
            post_create_timeout=brief.post_create_timeout,
            submodules=brief.submodules,
            seen_heads=brief.seen_heads,
            env={**self._plain, "ENNIO_REMOTE": brief.remote, **brief.env},
            log=self.files.folder / "hooks.log",
        )

    def environment(self, command: CommandLine, number: int) -> dict[str, str]:
        """The whole environment of the agent at one of its launches."""
        env = {
            **self._plain,
            "ENNIO_REMOTE": self.brief.remote,
            **environment.passed(self.files.machine.environ, self.agent.passed_variables),
            **self.workspace.environment(self.path),
            **self.brief.env,
            **command.env,
            "ENNIO_LAUNCH": str(number),
        }
        if self.sandbox is None:
            return env
        return sandboxes.environment(env, self.brief)

    @property
    def _plain(self) -> dict[str, str]:
        brief, files = self.brief, self.files
        return environment.plain(
            files.machine.environ, brief.session_id, brief.project_id, files.home.root
        )


class BriefResolver:
    """Finds the plugins and places that a brief names."""

    def __init__(self, plugins: Registry, home: Home) -> None:
        self.machine = plugins.machine
        self.sandboxes = Sandboxes(plugins, home)
        self._plugins = plugins
        self._home = home

    def resolve(self, brief: Brief) -> ResolvedBrief:
        """All that a call about a session needs."""
        path = self.path(brief)
        apart = self.sandboxes.of(brief, path)
        return ResolvedBrief(
            brief,
            self.agent_there(brief),
            self.runtime(brief),
            self.workspace(brief) if apart is None else apart.workspace,
            self.files(brief.session_id),
            path,
            apart,
        )

    def believed(self, brief: Brief) -> Machine:
        """The machine as far as it may be believed of what lies in a session's working copy."""
        apart = self.sandboxes.of(brief, self.path(brief))
        return self.machine if apart is None else apart.machine

    def agent(self, brief: Brief) -> Agent:
        """Its agent's plugin. Raises ConfigError."""
        return self._plugins.agent(brief.agent, brief.project_id, brief.agent_config, brief.env)

    def agent_there(self, brief: Brief) -> Agent:
        """The same for a session that may have begun with other settings than there are now."""
        try:
            return self.agent(brief)
        except ConfigError as error:
            return UnfitAgent(brief.agent, error)

    def runtime(self, brief: Brief) -> Runtime:
        """Its runtime's plugin. Raises ConfigError."""
        return self._plugins.runtime(brief.runtime)

    def workspace(self, brief: Brief) -> Workspace:
        """Its workspace's plugin, as it is without a sandbox. Raises ConfigError."""
        return self._plugins.workspace(brief.workspace)

    def files(self, session_id: str) -> SessionFiles:
        """A session's own files."""
        return SessionFiles(self.machine, self._home, session_id)

    def path(self, brief: Brief) -> Path:
        """The one place where its working copy can be."""
        return Path(
            brief.path or self._home.workspace(brief.workspace, brief.project_id, brief.session_id)
        )

    def branch(self, brief: Brief) -> SessionBranch:
        """Its branch, whether or not the working copy is still there."""
        return SessionBranch(
            brief.session_id,
            self.path(brief),
            source_of(self.machine, brief.source),
            brief.branch or brief.session_id,
            brief.base,
            brief.remote,
            brief.ended,
        )


def source_of(machine: Machine, written: str) -> Path:
    """A path of a configuration on the machine it is of: ``~`` is the home over there."""
    if written == "~" or written.startswith("~/"):
        return machine.home / written[2:]
    return Path(written)
