"""What is wrong with a working copy, and what mends it, in words."""

from __future__ import annotations

from shlex import quote

from ennio.hosts.brief import Brief
from ennio.model.facts import Place
from ennio.plugins.workspace.interface import Glance


def way_out(told: Glance, brief: Brief) -> str:
    """What is wrong with a working copy, and what mends it."""
    session_id = brief.session_id
    path, branch, source = (quote(each) for each in (brief.path, brief.branch, brief.source))
    where, elsewhere = quote(told.where), quote(told.elsewhere)  # an agent may have chosen these
    back = f"`git -C {path} switch {branch}` goes back"
    if told.elsewhere:
        back = (
            f"{branch} is checked out in {elsewhere}: `git -C {elsewhere} switch --detach`, then "
            f"{back}"
        )
    match told.place:
        case Place.GONE:
            lost = f" and its branch {branch} is deleted" if told.where else ""
            return (
                f"its working copy {path} is gone{lost}; messages wait, `ennio session restore "
                f"{session_id}` makes it again"
            )
        case Place.MOVED:
            return (
                f"its working copy was moved to {where}; messages wait, `git -C {source} "
                f"worktree move {where} {path}` brings it back"
            )
        case Place.CUT_OFF:
            return (
                f"its working copy {path} has lost its repository; messages wait, `git -C "
                f"{source} worktree repair {path}` may help"
            )
        case Place.BRANCHLESS:
            tip = where if told.where else "COMMIT"
            return (
                f"its branch {branch} was deleted; `git -C {path} update-ref refs/heads/{branch} "
                f"{tip}` brings it back"
            )
        case Place.DETACHED:
            return f"its working copy is on no branch (HEAD is {told.where}); {back}"
        case Place.ASTRAY:
            return f"its working copy is on {told.where} instead of {branch}; {back}"
        case Place.STANDING:
            return ""
