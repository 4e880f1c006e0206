"""What every kind of working copy gets after it was made: its submodules, links, then
the project's own commands.
"""

from __future__ import annotations

from ennio.machine import single
from ennio.machine.interface import Machine
from ennio.plugins.git import HEAVY, NETWORK, Git
from ennio.plugins.workspace import hooks, links, private
from ennio.plugins.workspace.interface import Created, WorkspaceSpec


def prepare(machine: Machine, spec: WorkspaceSpec, made: Created) -> None:
    """Fill the submodules if they are wanted, place the links and run ``post_create``.

    Raises Refused naming what failed, and Unreachable when a server of a submodule does not answer.
    """
    git = Git(machine, made.path)
    if spec.submodules:
        _fill(git)
    links.place(machine, spec.symlinks, made.path, spec.source)
    if spec.symlinks and git.common is not None:
        links.exclude(spec.symlinks, git)
    env = _environment(machine, spec, made)
    hooks.run_all(machine, spec.post_create, made.path, env, spec.post_create_timeout, spec.log)


def _fill(git: Git) -> None:
    """With those of submodules too; what was filled before and worked on since is left as it is."""
    if not single.is_file(git.machine, git.directory / ".gitmodules"):
        return
    told = git.run("submodule", "status", "--recursive", timeout=HEAVY).lines
    if not told or any(line.startswith("-") for line in told):
        git.run("submodule", "update", "--init", "--recursive", "--progress", timeout=NETWORK)


def _environment(machine: Machine, spec: WorkspaceSpec, made: Created) -> dict[str, str]:
    """``ENNIO_SESSION_ID`` marks the processes as the session's, so that what they
    leave behind can be found.
    """
    who = {
        "ENNIO_SESSION_ID": spec.session_id,
        "ENNIO_PROJECT_ID": spec.project_id,
        "ENNIO_BRANCH": made.branch,
    }
    more = {**spec.env, **private.environment(machine, made.path), **who}
    return hooks.environment(machine, more)
