"""A session with its project and host, resolved once at the start of whatever is done with it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ennio.actors.dependencies import Dependencies
from ennio.config.model import AgentConfig, Project, StaleApprovals
from ennio.config.sandbox import Sandbox
from ennio.hosts.brief import Brief, LinkSpec, SandboxSpec
from ennio.hosts.interface import Host
from ennio.model.isolation import IsolationKind
from ennio.model.session import Session
from ennio.policy.lifecycle import Spec

ISOLATION = "isolation"
"""Under this name in what is noted of a session: behind what it began."""


@dataclass(frozen=True, slots=True)
class SessionContext:
    """What an effect needs. ``brief`` is the session as its host must know it."""

    deps: Dependencies
    session: Session
    project: Project
    host: Host
    brief: Brief

    @property
    def spec(self) -> Spec:
        """What the configuration says about this session's life."""
        traits, config = self.host.traits(self.brief), self.deps.config
        return Spec(
            tells=traits.tells,
            one_shot=traits.one_shot,
            forge=self.project.forge is not None,
            ready_threshold=config.ready_threshold,
            count_stale=self.project.stale_approvals is StaleApprovals.COUNT,
            restart=self.project.restart,
            cleanup=config.cleanup,
            resume_at_reset=self.project.resume_at_reset,
        )

    def now_of(self, session: Session) -> SessionContext:
        """The same after the session itself changed."""
        return replace(self, session=session, brief=brief(session, self.project))


def context(deps: Dependencies, session: Session) -> SessionContext:
    """Resolve it. Raises NotFound when its project is not in the configuration."""
    project = deps.project(session.project_id)
    return SessionContext(deps, session, project, deps.host(session), brief(session, project))


def brief(session: Session, project: Project) -> Brief:
    """The session as a host must know it; no secret of the project's trackers,
    forges or channels is in it.
    """
    return Brief(
        session_id=session.id,
        project_id=project.id,
        agent=session.agent_name or project.agent,
        runtime=session.runtime_name or project.runtime,
        workspace=session.workspace_name or project.workspace,
        agent_config=_agent_config(session, project),
        env=project.env,
        repo=project.repo,
        source=str(project.path),
        path=session.workspace_path or "",
        branch=session.branch or "",
        base=session.base or project.default_branch,
        remote=remote(session),
        symlinks=tuple(LinkSpec(str(link.source), str(link.target)) for link in project.symlinks),
        post_create=project.post_create,
        post_create_timeout=project.post_create_timeout,
        submodules=project.submodules,
        handle=session.runtime_handle,
        ended=session.status.terminal,
        sandbox=sandbox(session, project),
    )


def brief_without_project(session: Session) -> Brief:
    """What is left to say of a session whose project is not in the
    configuration: enough to end it.
    """
    return Brief(
        session_id=session.id,
        project_id=session.project_id,
        agent=session.agent_name or "",
        runtime=session.runtime_name or "",
        workspace=session.workspace_name or "",
        path=session.workspace_path or "",
        handle=session.runtime_handle,
    )


def sandbox(session: Session, project: Project) -> SandboxSpec | None:
    """What is there for its programs, None for one without a sandbox. One that began in a sandbox
    stays in it whatever the configuration says by now: what lies in its working copy was made by
    whom nobody trusted.
    """
    begun = session.metadata.get(ISOLATION) == IsolationKind.BUBBLEWRAP
    apart = begun or project.isolation is IsolationKind.BUBBLEWRAP
    return _sandbox_spec(project.sandbox) if apart else None


def _agent_config(session: Session, project: Project) -> AgentConfig:
    """What the project passes on as it is, is for its own agent; another one, which a person named
    or which it had before, does not know it.
    """
    if (session.agent_name or project.agent) == project.agent:
        return project.agent_config
    return replace(project.agent_config, passthrough={})


def _sandbox_spec(wanted: Sandbox) -> SandboxSpec:
    readable, writable = (tuple(map(str, paths)) for paths in (wanted.readable, wanted.writable))
    return SandboxSpec(wanted.network, readable, writable, wanted.ports)


def remote(session: Session) -> str:
    """What the project's repository is called in the working copy; empty where a
    commit in it is all it takes.
    """
    return session.metadata.get("remote", "origin")
