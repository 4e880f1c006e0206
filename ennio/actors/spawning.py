"""Asking for a session: checked as a whole, then written as a whole; its
steps follow on their own.
"""

from __future__ import annotations

import secrets
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Annotated

import gevent

from ennio.actors import budgets, effects, forecasting
from ennio.actors.branch_rivals import refuse_rival
from ennio.actors.dependencies import Dependencies
from ennio.actors.forecasting import kind_of
from ennio.actors.messages import Ping, QueueChanged, StartSession
from ennio.actors.registry import QUEUE, ROOT
from ennio.actors.session_context import ISOLATION, SessionContext, brief, context
from ennio.actors.task import composed, rules, task
from ennio.config.host_name import host_of
from ennio.config.model import Project
from ennio.hosts.brief import Brief
from ennio.hosts.session_results import CommandPreview
from ennio.model import codec
from ennio.model.branch import check_work_branch
from ennio.model.errors import EnnioError, Invalid, NotFound, Refused, Unreachable
from ennio.model.events import Draft, EventType
from ennio.model.forecast import TaskForecast
from ennio.model.idempotency import IdempotentRequest
from ennio.model.isolation import IsolationKind
from ennio.model.request_fields import BODY_LIMIT, FlagField, IdField, NumberField, TextField
from ennio.model.session import Session, SessionStatus
from ennio.plugins.agent.words import checked
from ennio.policy.budgets.reserving import LikelyCost
from ennio.policy.lifecycle import orders
from ennio.store import Waiting
from ennio.store.idempotency import RequestRepeatedError

JUDGED_WITHIN = 5.0
"""Seconds that another machine may take to say what it lacks; it is asked once."""
SHOWN_WITHIN = 30.0
"""Seconds that another machine may take to show what it would run."""


@dataclass(frozen=True, slots=True)
class SpawnRequest:
    """What a person asks for; the project's configuration fills in what is left out."""

    project_id: Annotated[str, IdField()]
    issue_id: Annotated[str | None, TextField()] = None
    prompt: Annotated[str | None, TextField(longest=BODY_LIMIT)] = None
    branch: Annotated[str | None, TextField(longest=250)] = None
    role: Annotated[str | None, TextField()] = None
    agent: Annotated[str | None, IdField()] = None
    runtime: Annotated[str | None, IdField()] = None
    workspace: Annotated[str | None, IdField()] = None
    priority: Annotated[int, NumberField(-1000, 1000)] = 0
    held: Annotated[bool, FlagField()] = False


@dataclass(frozen=True, slots=True)
class Preview:
    """What a spawn would do; ``env`` holds names only. ``unseen``: why its machine could not be
    looked at, whose folder and command are not known then.
    """

    session_id: str
    agent: str
    runtime: str
    workspace_kind: str
    workspace: str
    branch: str
    base: str
    prompt: str
    system: str
    command: tuple[str, ...]
    env: tuple[str, ...]
    post_create: tuple[str, ...]
    queue_reason: str | None
    forecast: TaskForecast | None = None
    unseen: str | None = None


@dataclass(frozen=True, slots=True)
class _Judged:
    """A session that may be made, as far as is known before anything is, and what it will likely
    cost.
    """

    at: SessionContext
    cost: LikelyCost

    @property
    def session(self) -> Session:
        return self.at.session


def _judged(deps: Dependencies, request: SpawnRequest) -> _Judged:
    """All that a spawn is refused for, in one place and one order: whoever only asks what a spawn
    would do is refused in the same words. Raises Invalid, Refused, NotFound, OverBudget.

    An issue is read when its session begins, so that nobody waits for a tracker. A machine that is
    away is not waited for either: it tells what it lacks when its turn comes.
    """
    project = _checked(deps, request)
    session = _drawn(deps, project, request)
    at = context(deps, session)
    _judge_launch(at)
    cost = budgets.likely(deps, session)
    budgets.insist_on_room(deps, session, cost)
    return _Judged(at, cost)


def _judge_launch(at: SessionContext) -> None:
    """Refuse what its agent cannot be started with; what cannot be seen is no reason."""
    branch = at.session.branch or at.session.id
    words = at.session.prompt or "" if at.session.issue_id else composed(at, None).words
    checked(words)
    within = gevent.Timeout(JUDGED_WITHIN if at.session.host else None, False)
    with suppress(Unreachable, OSError), within:
        at.host.judge(replace(at.brief, branch=branch), words, rules(at, branch))


def _checked(deps: Dependencies, request: SpawnRequest) -> Project:
    """What is wrong with the request itself."""
    project = deps.project(request.project_id)
    if not (request.prompt and request.prompt.strip()) and not request.issue_id:
        raise Invalid("prompt: give a prompt or an issue_id, so that the agent has something to do")
    if request.issue_id and project.tracker is None:
        raise Invalid(
            f"issue_id: project {project.id} has no tracker_config to read issues from; give a "
            "prompt instead"
        )
    if request.branch is not None:
        check_work_branch(request.branch, project.default_branch, project.protected_branches)
        refuse_rival(deps, project.id, request.branch)
    return project


def _drawn(deps: Dependencies, project: Project, request: SpawnRequest) -> Session:
    """The session that would be; without a branch or an issue to name one it
    works on one of its own name.
    """
    now = deps.clock.now()
    session = Session(
        id=f"{project.session_prefix or project.id[:3]}-{secrets.token_hex(4)}",
        project_id=project.id,
        status=SessionStatus.SPAWNING,
        created_at=now,
        last_activity_at=now,
        config_hash=project.config_hash,
        branch=request.branch,
        base=project.default_branch,
        issue_id=request.issue_id,
        prompt=request.prompt,
        workspace_name=request.workspace or project.workspace,
        runtime_name=_runtime(project, request.runtime),
        agent_name=request.agent or project.agent,
        role=request.role,
        priority=request.priority,
        host=host_of(project),
        metadata=_walls(project),
    )
    if session.issue_id is None:
        check_work_branch(
            session.branch or session.id, project.default_branch, project.protected_branches
        )
    deps.host(session).check(brief(session, project))
    return session


def _runtime(project: Project, asked: str | None) -> str:
    """``ssh`` is how a project's machine is reached; what runs there is the project's."""
    if asked == "ssh" and project.ssh is None:
        raise Invalid(f"runtime: ssh needs ssh_config in project {project.id}, which says where")
    return project.runtime if asked in (None, "ssh") else asked


def _walls(project: Project) -> dict[str, str]:
    """What is noted of a session that begins in a sandbox."""
    apart = project.isolation is not IsolationKind.NONE
    return {ISOLATION: str(project.isolation)} if apart else {}


def begin(
    deps: Dependencies, request: SpawnRequest, once: IdempotentRequest | None = None
) -> Session:
    """Spawn a session and have it begin: admitted by the queue, or with what it waits for there.

    The one there is, where it was spawned ``once`` already. Raises as ``spawn`` does.
    """
    made = _made(deps, once)
    if made is not None:
        return made
    try:
        session = spawn(deps, request, once)
    except RequestRepeatedError as repeated:
        return deps.store.sessions.need(repeated.done.subject)
    except Refused:  # perhaps since the same request was carried out meanwhile
        made = _made(deps, once)
        if made is None:
            raise
        return made
    deps.actors.tell(ROOT, StartSession(session.id))
    deps.actors.tell(QUEUE, QueueChanged())
    return in_its_place(deps, session)


def _made(deps: Dependencies, once: IdempotentRequest | None) -> Session | None:
    """The session that the same request made already."""
    done = deps.store.idempotency.find(once, deps.clock.now()) if once is not None else None
    return None if done is None else deps.store.sessions.need(done.subject)


def in_its_place(deps: Dependencies, session: Session) -> Session:
    """The session once the queue has looked: it is admitted, or its place has a reason."""
    # it is written down; a queue that is being restarted finds it there
    with suppress(NotFound, Unreachable):
        deps.actors.ask(QUEUE, Ping())
    return deps.store.sessions.get(session.id) or session


def spawn(
    deps: Dependencies, request: SpawnRequest, once: IdempotentRequest | None = None
) -> Session:
    """Write down a new session and its place in the queue. Raises Invalid, Refused,
    NotFound, OverBudget; makes nothing then.

    Neither where it was made ``once`` already: that raises RequestRepeatedError.
    """
    judged = _judged(deps, request)
    session, project = judged.session, judged.at.project
    waiting = Waiting(
        session.id,
        project.id,
        request.priority,
        0,
        request.held,
        session.created_at,
        "",
        session.created_at if request.held else None,
    )
    what = (
        f"issue {request.issue_id}"
        if request.issue_id
        else (request.prompt or "").strip().splitlines()[0][:72]
    )
    told = forecasting.foretold(deps, session)
    with deps.store.transaction() as tx:
        if once is not None:
            deps.store.idempotency.begin(once, session.id, session.created_at)
        deps.store.projects.upsert(project)
        deps.store.sessions.insert(session)
        budgets.admit(deps, session, judged.cost)  # others may have been admitted meanwhile
        deps.store.memories.save(session.id, codec.dumps(orders.fresh(session.created_at)))
        deps.store.queue.add(waiting)
        deps.store.forecasts.save(told)
        tx.emit(
            session.id,
            project.id,
            Draft(
                EventType.SESSION_QUEUED, f"asked for: {what}", data={"priority": request.priority}
            ),
        )
    return session


def preview(deps: Dependencies, request: SpawnRequest) -> Preview:
    """What a spawn would do, having done nothing. Raises as ``spawn`` does, and what is known of
    the issue and by a far machine; one that is away keeps no session from waiting for it.
    """
    judged = _judged(deps, request)
    at, session, project = judged.at, judged.session, judged.at.project
    far = JUDGED_WITHIN if session.host else None
    with suppress(EnnioError), gevent.Timeout(far, False):  # what is in its way the making tells
        at = at.now_of(effects.called(session, at.host.remote(at.brief)))
    work = task(at)
    refuse_rival(deps, project.id, work.branch)
    system = rules(at, work.branch)
    shown = _shown(at, replace(at.brief, branch=work.branch), work.words, system)
    return Preview(
        session_id=session.id,
        agent=at.brief.agent,
        runtime=at.brief.runtime,
        workspace_kind=at.brief.workspace,
        workspace=shown.path,
        branch=work.branch,
        base=at.brief.base,
        prompt=work.words,
        system=system,
        command=shown.command.argv,
        env=shown.command.env,
        post_create=project.post_create,
        queue_reason="held" if request.held else None,
        forecast=forecasting.told(deps, kind_of(deps, session, work.asked)),
        unseen=shown.unseen,
    )


@dataclass(frozen=True, slots=True)
class _Shown:
    """What the host tells of a first launch."""

    command: CommandPreview
    path: str
    unseen: str | None = None


def _shown(at: SessionContext, brief: Brief, words: str, system: str) -> _Shown:
    host = at.session.host
    if not host:
        return _Shown(at.host.preview(brief, words, system), at.host.workspace_path(brief))
    late = Unreachable(f"{host} has not answered within {SHOWN_WITHIN:g} s")
    try:
        with gevent.Timeout(SHOWN_WITHIN, late):
            return _Shown(at.host.preview(brief, words, system), at.host.workspace_path(brief))
    except (Unreachable, OSError) as error:
        return _Shown(CommandPreview((), ()), "", str(error))
