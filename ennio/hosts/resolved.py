"""A brief with the plugins and places that it names on this host."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ennio.hosts.brief import Brief
from ennio.hosts.sandboxes import SessionSandbox
from ennio.hosts.session_files import SessionFiles
from ennio.machine.interface import Machine
from ennio.model.session import RuntimeHandle
from ennio.plugins.agent.interface import Agent, AgentContext
from ennio.plugins.runtime.interface import Runtime
from ennio.plugins.workspace.interface import Workspace


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


def source_of(machine: Machine, written: str) -> Path:
    """A path of a configuration on the machine it is of: ``~`` is the home over there."""
    if written == "~" or written.startswith("~/"):
        return machine.home / written[2:]
    return Path(written)
