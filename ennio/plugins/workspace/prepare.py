"""What every kind of working copy gets after it was made: links, then the project's own commands."""

from __future__ import annotations

from ennio.plugins.git import Git
from ennio.plugins.workspace import hooks, links, private
from ennio.plugins.workspace.interface import Made, WorkspaceOrder


def prepare(order: WorkspaceOrder, made: Made) -> None:
    """Place the links and run ``post_create``. Raises Refused naming the link or command that failed."""
    links.place(order.symlinks, made.path, order.source)
    git = Git(made.path)
    if order.symlinks and git.common is not None:
        links.exclude(order.symlinks, git)
    hooks.run_all(order.post_create, made.path, _environment(order, made), order.post_create_timeout, order.log)


def _environment(order: WorkspaceOrder, made: Made) -> dict[str, str]:
    """``ENNIO_SESSION_ID`` marks the processes as the session's, so that what they leave behind can be found."""
    who = {"ENNIO_SESSION_ID": order.session_id, "ENNIO_PROJECT_ID": order.project_id, "ENNIO_BRANCH": made.branch}
    return hooks.environment({**order.env, **private.environment(made.path), **who})
