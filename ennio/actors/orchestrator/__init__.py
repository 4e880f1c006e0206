"""What people and programs can ask of the running supervisor, by noun: reads from the
store, orders to the actors.

Every method runs in the caller's greenlet and may raise the errors of ``ennio.model.errors``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ennio.actors.cleaning import CleanupItem
from ennio.actors.dependencies import Dependencies
from ennio.actors.disk_usage import DiskReader, DiskUsage
from ennio.actors.feed import Feed
from ennio.actors.landing import MergeOrder
from ennio.actors.metrics import MetricsReader, Numbers
from ennio.actors.orchestrator.budget_view import BudgetCheck, BudgetOrder, BudgetView, RaiseOrder
from ennio.actors.orchestrator.budgets import BudgetApi
from ennio.actors.orchestrator.changes import ChangesApi, SentReview
from ennio.actors.orchestrator.conflicts import ConflictApi, ConflictReport
from ennio.actors.orchestrator.costs import (
    AccountView,
    CostApi,
    CostKey,
    CostReport,
)
from ennio.actors.orchestrator.events import EventApi
from ennio.actors.orchestrator.issues import IssueApi
from ennio.actors.orchestrator.nodes import NodeApi, NodeLog, NodeParted, NodeView
from ennio.actors.orchestrator.notices import ChannelView, NoticeApi
from ennio.actors.orchestrator.packs import PackApi, ReviewPack
from ennio.actors.orchestrator.projects import ProjectApi
from ennio.actors.orchestrator.pulls import PullApi
from ennio.actors.orchestrator.queue import QueueApi
from ennio.actors.orchestrator.requests import RequestApi
from ennio.actors.orchestrator.session_row import SessionRow, row_of
from ennio.actors.orchestrator.session_view import SessionDetail, SessionView
from ennio.actors.orchestrator.sessions import AnsweredByLink, SessionApi
from ennio.actors.orchestrator.spend import MergedCost, Spend
from ennio.actors.orchestrator.supervisor import SupervisorApi
from ennio.actors.orchestrator.terminals import ControlView, TerminalApi
from ennio.actors.orchestrator.trend import CostTrend
from ennio.actors.orchestrator.workspaces import WorkspaceApi
from ennio.actors.spawning import Preview, SpawnRequest
from ennio.config.model import Config
from ennio.model.clock import Clock
from ennio.plugins.forge.interface import Merged
from ennio.plugins.tracker.interface import Issue
from ennio.plugins.workspace.interface import UnsavedPath
from ennio.plugins.workspace.preserved import Contents, Preserved, Restored
from ennio.policy.forecast import CalibrationReport
from ennio.policy.metering import SessionMetrics
from ennio.policy.phases import SessionPhase
from ennio.store import LastKnown, Waiting
from ennio.store.ledger import Selection
from ennio.store.notifications import Notice
from ennio.store.reactions import ReactionRecord

__all__ = [
    "APIS",
    "AccountView",
    "AnsweredByLink",
    "BudgetApi",
    "BudgetCheck",
    "BudgetOrder",
    "BudgetView",
    "CalibrationReport",
    "ChangesApi",
    "ChannelView",
    "CleanupItem",
    "ConflictApi",
    "ConflictReport",
    "Contents",
    "ControlView",
    "CostApi",
    "CostKey",
    "CostReport",
    "CostTrend",
    "DiskUsage",
    "EventApi",
    "Issue",
    "IssueApi",
    "MergeOrder",
    "Merged",
    "MergedCost",
    "NodeApi",
    "NodeLog",
    "NodeParted",
    "NodeView",
    "Notice",
    "NoticeApi",
    "Numbers",
    "Orchestrator",
    "PackApi",
    "Preserved",
    "Preview",
    "ProjectApi",
    "PullApi",
    "QueueApi",
    "RaiseOrder",
    "ReactionRecord",
    "RequestApi",
    "Restored",
    "ReviewPack",
    "Selection",
    "SentReview",
    "SessionApi",
    "SessionDetail",
    "SessionMetrics",
    "SessionPhase",
    "SessionRow",
    "SessionView",
    "SpawnRequest",
    "Spend",
    "SupervisorApi",
    "TerminalApi",
    "UnsavedPath",
    "Waiting",
    "WorkspaceApi",
    "row_of",
]


APIS: Mapping[str, type[Any]] = {
    "sessions": SessionApi,
    "changes": ChangesApi,
    "queue": QueueApi,
    "projects": ProjectApi,
    "pulls": PullApi,
    "conflicts": ConflictApi,
    "packs": PackApi,
    "issues": IssueApi,
    "workspaces": WorkspaceApi,
    "events": EventApi,
    "notices": NoticeApi,
    "requests": RequestApi,
    "costs": CostApi,
    "budgets": BudgetApi,
    "supervisor": SupervisorApi,
    "terminals": TerminalApi,
    "nodes": NodeApi,
}
"""The nouns, as the orchestrator has them."""


@dataclass(frozen=True, slots=True)
class Orchestrator:
    """All that can be asked, each noun with its own reads and orders;
    nobody else needs the store.
    """

    config: Config
    clock: Clock
    data_version: Callable[[], object]
    last_known: Callable[[], LastKnown]
    sessions: SessionApi
    changes: ChangesApi
    queue: QueueApi
    projects: ProjectApi
    pulls: PullApi
    conflicts: ConflictApi
    packs: PackApi
    issues: IssueApi
    workspaces: WorkspaceApi
    events: EventApi
    notices: NoticeApi
    requests: RequestApi
    costs: CostApi
    budgets: BudgetApi
    supervisor: SupervisorApi
    terminals: TerminalApi
    nodes: NodeApi

    @classmethod
    def of(
        cls,
        deps: Dependencies,
        feed: Feed,
        started_at: datetime,
        stop: Callable[[], None],
        config_problem: str | None = None,
        adopted: Sequence[str] = (),
        pid: int = 0,
    ) -> Orchestrator:
        """The orchestrator over these parts; see SupervisorApi for what the rest means."""
        sessions = SessionApi(deps, feed)
        return cls(
            config=deps.config,
            clock=deps.clock,
            data_version=deps.store.data_version,
            last_known=deps.store.last_known,
            sessions=sessions,
            changes=ChangesApi(deps, sessions),
            queue=QueueApi(deps, sessions),
            projects=ProjectApi(deps),
            pulls=PullApi(deps),
            conflicts=ConflictApi(deps),
            packs=PackApi(deps, sessions),
            issues=IssueApi(deps),
            workspaces=WorkspaceApi(deps),
            events=EventApi(deps, feed),
            notices=NoticeApi(deps),
            requests=RequestApi(deps),
            supervisor=SupervisorApi(
                deps,
                started_at,
                stop,
                config_problem,
                adopted,
                pid,
                MetricsReader(deps),
                DiskReader(deps),
            ),
            costs=CostApi(deps),
            budgets=BudgetApi(deps),
            terminals=TerminalApi(deps),
            nodes=NodeApi(deps, started_at),
        )
