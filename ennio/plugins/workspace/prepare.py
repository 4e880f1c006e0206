"""What every kind of working copy gets after it was made: its submodules, links, then
the project's own commands.
"""

from __future__ import annotations

from pathlib import Path

from ennio.machine import single
from ennio.machine.interface import Machine
from ennio.plugins.git import HEAVY, NETWORK, Git
from ennio.plugins.workspace import foresight, hooks, links, private
from ennio.plugins.workspace.interface import WorkspaceSpec


def prepare(machine: Machine, spec: WorkspaceSpec) -> None:
    """Fill the submodules if they are wanted, place the links and run ``post_create``.

    Raises Refused naming what failed, and Unreachable when a server of a submodule does not answer.
    """
    git = Git(machine, spec.path)
    if spec.submodules:
        _fill(git)
    asked = foresight.of_preparing(machine, spec, spec.path)
    with links.refusing(), machine.foreseen(asked), machine.gathered():
        is_repository = bool(spec.symlinks) and git.common is not None
        # asked before the links stand, which changes nothing of the answer
        exclusion = links.Exclusion.of(spec.symlinks, git) if is_repository else None
        links.place(machine, spec.symlinks, spec.path, spec.source)
        excluded = exclusion.write() if exclusion is not None else None
        if spec.post_create:
            env, limit = _environment(machine, spec, excluded), spec.post_create_timeout
            hooks.run_all(machine, spec.post_create, spec.path, env, limit, spec.log)


def _fill(git: Git) -> None:
    """With those of submodules too; what was filled before and worked on since is left as it is."""
    if not single.is_file(git.machine, git.directory / ".gitmodules"):
        return
    told = git.run("submodule", "status", "--recursive", timeout=HEAVY).lines
    if not told or any(line.startswith("-") for line in told):
        git.run("submodule", "update", "--init", "--recursive", "--progress", timeout=NETWORK)


def _environment(machine: Machine, spec: WorkspaceSpec, excluded: Path | None) -> dict[str, str]:
    """``ENNIO_SESSION_ID`` marks the processes as the session's, so that what they
    leave behind can be found.
    """
    who = {
        "ENNIO_SESSION_ID": spec.session_id,
        "ENNIO_PROJECT_ID": spec.project_id,
        "ENNIO_BRANCH": spec.branch,
    }
    own = (
        private.environment(machine, spec.path) if excluded is None else private.settings(excluded)
    )
    more = {**spec.env, **own, **who}
    return hooks.environment(machine, more)
