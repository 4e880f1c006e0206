"""Checks behind walls: what an agent pushed is its own code, and who runs it runs the agent.

Where a project's sessions run in a sandbox, so do its checks, with what the project lists. Of the
repository the objects can be read, which the check-out borrows.
"""

from __future__ import annotations

import platform
import shutil
from dataclasses import dataclass
from pathlib import Path

from ennio.config.model import Project
from ennio.config.sandbox import Sandbox
from ennio.machine.interface import Machine
from ennio.machine.sandbox import availability, bubblewrap, seccomp
from ennio.machine.sandbox.isolation import Isolation
from ennio.model.errors import Refused
from ennio.model.isolation import IsolationKind


@dataclass(frozen=True, slots=True)
class CheckWalls:
    """Those of the checks of one project."""

    machine: Machine
    sandbox: Sandbox
    repository: Path

    @classmethod
    def of(cls, project: Project, machine: Machine, repository: Path) -> CheckWalls | None:
        """None for a project whose sessions run without a sandbox."""
        if project.isolation is IsolationKind.NONE:
            return None
        return cls(machine, project.sandbox, repository)

    def words(self, command: tuple[str, ...], checkout: Path) -> tuple[str, ...]:
        """The words that run a command in a check-out, behind walls that are made ready for it.
        Raises Refused where there can be none.
        """
        why = availability.obstacle(self.machine)
        if why is not None:
            raise Refused(f"isolation: checks cannot be kept apart here: {why}")
        isolation = self._isolation(checkout)
        for folder in (isolation.folder, isolation.doors):
            self.machine.make_folder(folder, private=True)
        program = seccomp.program(platform.machine(), isolation.network)
        self.machine.write(isolation.filter, program)
        return bubblewrap.words(isolation, command, cwd=isolation.workspace, doors=True)

    def clear(self, checkout: Path) -> None:
        """Nobody runs there any more."""
        shutil.rmtree(_folder(checkout), ignore_errors=True)

    def _isolation(self, checkout: Path) -> Isolation:
        real = self.machine.real
        (copy,) = real([checkout])
        objects = [self.repository / place for place in ("objects", ".git/objects")]
        return Isolation(
            workspace=copy,
            folder=_folder(copy),
            home=self.machine.home,
            writable=real(self.sandbox.writable),
            readable=real((*objects, *self.sandbox.readable)),
            network=self.sandbox.network,
        )


def _folder(checkout: Path) -> Path:
    return checkout.with_name(f"{checkout.name}.walls")
