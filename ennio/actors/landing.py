"""A person reviews or merges. Before a merge what is missing is said first, and whoever merges all
the same is written down first.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, Any

from ennio.actors.dependencies import Dependencies
from ennio.actors.session_context import context
from ennio.config.model import Project, StaleApprovals
from ennio.model import codec
from ennio.model.errors import Conflict, Refused
from ennio.model.events import Draft, EventType
from ennio.model.message import MessageState
from ennio.model.name_field import NameField
from ennio.model.pulls import CheckState, MergeMethod, PullRequest, PullState, ReviewState, lacking
from ennio.model.request_fields import ChoiceField, FlagField, TextField
from ennio.model.session import Priority, Session
from ennio.plugins.forge.interface import Forge, HeadMoved, Merged
from ennio.policy.lifecycle import LifecycleState
from ennio.policy.lifecycle.pull_request import settled_checks


@dataclass(frozen=True, slots=True)
class MergeOrder:
    """What a person wants of a merge. ``head`` is the commit they saw, or its beginning;
    None: whatever it is now.

    ``force`` merges what is not green, or lacks an approval it needs; ``by`` names who wants it.
    """

    method: Annotated[MergeMethod | None, ChoiceField(MergeMethod)] = None
    head: Annotated[str | None, TextField(longest=64)] = None
    force: Annotated[bool, FlagField()] = False
    by: Annotated[str, NameField()] = "a person"


def merge(
    deps: Dependencies, project: Project, forge: Forge, number: int, order: MergeOrder
) -> Merged:
    """Merge the head that was looked at. Raises Refused with what is missing, Conflict when the
    head is not the one that was seen.
    """
    pull = forge.look(number)
    if order.head is not None and not pull.head.startswith(order.head):
        raise Conflict(
            f"#{number} is not merged: its head is {pull.head[:10]}, not {order.head[:10]}; look "
            f"at it again: ennio pr diff {project.id}#{number}"
        )
    if pull.state is PullState.OPEN:
        _permit(deps, project, pull, order)
    if order.force and _takes(forge.merge, "force"):
        return forge.merge(number, pull.head, order.method, force=True)
    return forge.merge(number, pull.head, order.method)


def review(
    deps: Dependencies,
    project: Project,
    forge: Forge,
    number: int,
    author: str,
    decision: ReviewState,
    body: str,
    path: str | None,
    line: int | None,
    head: str | None,
) -> PullRequest:
    """Review as a person. Raises Refused for a session that approves, Conflict when the head is
    not the one that was seen.
    """
    if decision is ReviewState.APPROVED and deps.store.sessions.get(author) is not None:
        raise Refused(f"author: {author} is a session; agents do not approve, a person does")
    seen = {"head": head} if head is not None and _takes(forge.review, "head") else {}
    try:
        return forge.review(number, author, decision, body, path=path, line=line, **seen)
    except HeadMoved as error:
        raise Conflict(f"{error}: ennio pr diff {project.id}#{number}") from error


def _takes(call: Callable[..., Any], name: str) -> bool:
    """Whether a call knows this keyword: a forge of somebody's own may be older than it."""
    parameters = inspect.signature(call).parameters
    return name in parameters or any(
        one.kind is inspect.Parameter.VAR_KEYWORD for one in parameters.values()
    )


def _permit(deps: Dependencies, project: Project, pull: PullRequest, order: MergeOrder) -> None:
    session = _session(deps, project, pull.number)
    missing = lacking(
        _settled(deps, session, pull), count_stale=project.stale_approvals is StaleApprovals.COUNT
    )
    if not missing:
        return
    if not order.force:
        # a forge takes no approval from whoever opened it
        waits = pull.review is ReviewState.REQUIRED and not pull.own
        way = f" (`ennio pr approve {project.id}#{pull.number}` gives it one)" if waits else ""
        raise Refused(
            f"#{pull.number} is not merged: {'; '.join(missing)}{way}. Who merges it all the same "
            "says --force (force: true), and that is an event"
        )
    data = {"number": pull.number, "head": pull.head, "by": order.by, "missing": list(missing)}
    words = (
        f"{order.by} merges #{pull.number} at {pull.head[:7]} by force, although "
        f"{'; '.join(missing)}"
    )
    with deps.store.transaction() as tx:
        tx.emit(
            session.id if session is not None else "",
            project.id,
            Draft(EventType.MERGE_FORCED, words, Priority.ACTION, data),
        )


def undelivered(deps: Dependencies, project: Project, number: int) -> int:
    """How many messages wait for the agent of a pull request that has not got them; once it is
    merged its session ends, and nobody gets them any more.
    """
    session = _session(deps, project, number)
    pending = () if session is None else deps.store.messages.pending(session.id)
    return sum(one.state is MessageState.QUEUED for one in pending)


def _session(deps: Dependencies, project: Project, number: int) -> Session | None:
    """The session whose pull request it is, if any."""
    return next(
        (one for one in deps.store.sessions.list(project.id) if one.pr_number == number), None
    )


def _settled(deps: Dependencies, session: Session | None, pull: PullRequest) -> PullRequest:
    """The pull request with "no checks" taken for pending while the head is so new
    that some may yet appear.
    """
    text = (
        deps.store.memories.get(session.id)
        if session is not None and pull.checks is CheckState.NONE
        else None
    )
    if session is None or text is None:
        return pull
    state = settled_checks(
        context(deps, session).spec, codec.loads(LifecycleState, text), pull, deps.clock.now()
    )
    return replace(pull, checks=CheckState.PENDING) if state is CheckState.NONE else pull
