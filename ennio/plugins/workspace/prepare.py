"""What every kind of working copy gets after it was made: its submodules, links, then
the project's own commands.
"""

from __future__ import annotations

from ennio.plugins.git import HEAVY, NETWORK, Git
from ennio.plugins.workspace import hooks, links, private
from ennio.plugins.workspace.interface import Created, WorkspaceSpec


def prepare(spec: WorkspaceSpec, made: Created) -> None:
    """Fill the submodules if they are wanted, place the links and run ``post_create``.

    Raises Refused naming what failed, and Unreachable when a server of a submodule does not answer.
    """
    if spec.submodules:
        _fill(Git(made.path))
    links.place(spec.symlinks, made.path, spec.source)
    git = Git(made.path)
    if spec.symlinks and git.common is not None:
        links.exclude(spec.symlinks, git)
    hooks.run_all(
        spec.post_create, made.path, _environment(spec, made), spec.post_create_timeout, spec.log
    )


def _fill(git: Git) -> None:
    """With those of submodules too; what was filled before and worked on since is left as it is."""
    if not (git.directory / ".gitmodules").is_file():
        return
    told = git.run("submodule", "status", "--recursive", timeout=HEAVY).lines
    if not told or any(line.startswith("-") for line in told):
        git.run("submodule", "update", "--init", "--recursive", "--progress", timeout=NETWORK)


def _environment(spec: WorkspaceSpec, made: Created) -> dict[str, str]:
    """``ENNIO_SESSION_ID`` marks the processes as the session's, so that what they
    leave behind can be found.
    """
    who = {
        "ENNIO_SESSION_ID": spec.session_id,
        "ENNIO_PROJECT_ID": spec.project_id,
        "ENNIO_BRANCH": made.branch,
    }
    return hooks.environment({**spec.env, **private.environment(made.path), **who})
