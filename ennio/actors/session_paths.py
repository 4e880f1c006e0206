"""The desk of a session: where its agent works and what its plugin may know of it."""

from __future__ import annotations

import os
import uuid
from functools import lru_cache
from pathlib import Path

from ennio.actors.dependencies import Dependencies
from ennio.hosts import environment
from ennio.machine.home import private
from ennio.model.session import Session
from ennio.plugins.agent.interface import AgentContext
from ennio.plugins.workspace.interface import WorkspaceSpec

_CONVERSATIONS = uuid.UUID("6f6b4a3e-6a0e-4b57-9d0f-2a3f0b8b7c11")


@lru_cache(maxsize=4096)
def _conversation(session_id: str) -> str:
    return str(uuid.uuid5(_CONVERSATIONS, session_id))


def workspace_path(deps: Dependencies, session: Session) -> Path:
    """The one place this session's working copy can be."""
    kind = session.workspace_name or deps.project(session.project_id).workspace
    return Path(session.workspace_path or deps.home.workspace(kind, session.project_id, session.id))


def desk(deps: Dependencies, session: Session, *, make: bool = True) -> AgentContext:
    """The desk; its folder is made when it is not there (unless told not to)."""
    project = deps.project(session.project_id)
    directory = deps.home.session(session.id)
    if make and not directory.is_dir():
        private(directory)
    system = directory / "system.md"
    return AgentContext(
        session_id=session.id,
        project_id=session.project_id,
        # agents know the folder they work in by its real path, whatever links lead there
        workspace=Path(os.path.realpath(workspace_path(deps, session))),
        directory=directory,
        conversation=_conversation(session.id),
        config=project.agent_config,
        system=system.read_text(encoding="utf-8") if system.exists() else "",
        branch=session.branch or "",
        base=session.base or project.default_branch,
    )


def order(deps: Dependencies, session: Session) -> WorkspaceSpec:
    """The order for the session's working copy. The branch must be known."""
    project = deps.project(session.project_id)
    return WorkspaceSpec(
        project_id=project.id,
        session_id=session.id,
        repo=project.repo,
        source=project.path,
        path=workspace_path(deps, session),
        branch=session.branch or session.id,
        base=session.base or project.default_branch,
        symlinks=project.symlinks,
        post_create=project.post_create,
        post_create_timeout=project.post_create_timeout,
        submodules=project.submodules,
        env={
            **environment.plain(os.environ, session.id, project.id, deps.home.root),
            "ENNIO_REMOTE": environment.remote(session),
            **project.env,
        },
        log=deps.home.session(session.id) / "hooks.log",
    )
