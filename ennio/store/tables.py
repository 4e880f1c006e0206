"""Every table, declared once: its columns, keys and indices.

From here a new PostgreSQL database is made, and what statements need to know of a table is read.
SQLite's databases have grown by the steps of ``ennio.store.migrations`` since v0.1; a test holds
that these lead to the very tables declared here. So a new column is a field here and a step there.

``SessionTable``, ``EventTable``, ``ProjectTable`` and ``MetricsTable`` have the documented columns,
types, defaults, keys and indices, and nullable columns beside them. Whatever belongs to one session
goes with it (``ON DELETE CASCADE``); what may concern none (the reactions of a project,
notifications) has no such tie. Booleans are 0 and 1, times RFC 3339, structures JSON. ``ordinal``
is the order in which rows were added.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ennio.store import declaring
from ennio.store.declaring import (
    DeclaredTable,
    index,
    meta,
    name_of,
    number_column,
    owner,
    refers,
    text_column,
    time_column,
)
from ennio.store.ledger_rules import ledger_rules
from ennio.store.statements import peewee


class SessionTable(DeclaredTable):
    """Sessions; documented."""

    id = text_column(primary_key=True)
    project_id = text_column()
    status = text_column("spawning")
    activity = text_column(null=True)
    branch = text_column(null=True)
    issue_id = text_column(null=True)
    workspace_path = text_column(null=True)
    runtime_handle = text_column(null=True)
    agent_info = text_column(null=True)
    agent_name = text_column(null=True)
    pr_url = text_column(null=True)
    pr_number = number_column(null=True)
    tmux_name = text_column(null=True)
    config_hash = text_column()
    role = text_column(null=True)
    metadata = text_column("{}")
    created_at = time_column()
    last_activity_at = time_column()
    restored_at = text_column(null=True)
    archived_at = text_column(null=True)
    # ours
    base = text_column(null=True)
    prompt = text_column(null=True)
    workspace_name = text_column(null=True)
    runtime_name = text_column(null=True)
    priority = number_column(null=True)
    reason = text_column(null=True)
    outcome = text_column(null=True)
    no_signal_since = text_column(null=True)
    no_signal = text_column(null=True)
    host = text_column(null=True)
    paused_since = text_column(null=True)
    paused = text_column(null=True)

    Meta = meta("sessions")


index(SessionTable, "idx_sessions_project_status", "project_id", "status")
index(SessionTable, "idx_sessions_status", "status")
index(SessionTable, "idx_sessions_project_branch", "project_id", "branch")


class EventTable(DeclaredTable):
    """The log, as far as it concerns sessions; documented."""

    id = text_column(primary_key=True)
    event_type = text_column()
    priority = text_column()
    session_id = owner(SessionTable)
    project_id = text_column()
    timestamp = time_column()
    message = text_column()
    data = text_column("{}")
    # ours
    seq = number_column(null=True)

    Meta = meta("events")


index(EventTable, "idx_events_session_id", "session_id")
index(EventTable, "idx_events_event_type", "event_type")
index(EventTable, "idx_events_seq", "seq", unique=True)
index(EventTable, "idx_events_session_seq", "session_id", "seq")
index(EventTable, "idx_events_project_seq", "project_id", "seq")


class SystemEventTable(DeclaredTable):
    """Events of no session, which cannot stand in the documented table; one numbering with it."""

    id = text_column(primary_key=True)
    event_type = text_column()
    priority = text_column()
    session_id = text_column()
    project_id = text_column()
    timestamp = text_column()
    message = text_column()
    data = text_column()
    seq = number_column()

    Meta = meta("house_events")


index(SystemEventTable, "idx_house_events_seq", "seq", unique=True)
index(SystemEventTable, "idx_house_events_session_seq", "session_id", "seq")
index(SystemEventTable, "idx_house_events_project_seq", "project_id", "seq")

EVENT_COLUMNS = (
    "seq",
    "id",
    "event_type",
    "priority",
    "session_id",
    "project_id",
    "timestamp",
    "message",
    "data",
)


class ProjectTable(DeclaredTable):
    """Projects; documented."""

    project_id = text_column(primary_key=True)
    name = text_column()
    repo = text_column()
    path = text_column()
    default_branch = text_column("main")
    config_hash = text_column()
    created_at = time_column()
    updated_at = time_column()

    Meta = meta("projects")


class MetricsTable(DeclaredTable):
    """Numbers of sessions; documented."""

    session_id = owner(SessionTable, primary_key=True)
    total_tokens_in = number_column(0)
    total_tokens_out = number_column(0)
    estimated_cost_usd = peewee.DoubleField(constraints=[peewee.SQL("DEFAULT 0.0")])
    ci_runs = number_column(0)
    ci_failures = number_column(0)
    review_rounds = number_column(0)
    time_to_first_pr_secs = number_column(null=True)
    time_to_merge_secs = number_column(null=True)
    updated_at = time_column()
    # ours
    cost_usd = text_column(null=True)
    unpriced_requests = number_column(null=True)

    Meta = meta("session_metrics")


class SequenceTable(DeclaredTable):
    """The last number of each sequence."""

    name = text_column(primary_key=True)
    value = number_column()

    Meta = meta("sequence")


class MemoryTable(DeclaredTable):
    """What the lifecycle remembers of a session."""

    session_id = owner(SessionTable, primary_key=True)
    value = text_column()

    Meta = meta("memories")


class AgentTable(DeclaredTable):
    """What is kept of each session's agent."""

    session_id = owner(SessionTable, primary_key=True)
    read_to = text_column()
    hook_digest = text_column(null=True)
    draft = text_column(null=True)
    running_total = text_column(null=True)

    Meta = meta("agents")


class FactTable(DeclaredTable):
    """What was last seen of a session, by kind."""

    session_id = owner(SessionTable)
    kind = text_column()
    value = text_column()
    source = text_column()
    observed_at = text_column()

    Meta = meta("facts", key=("session_id", "kind"))


class EvidenceTable(DeclaredTable):
    """Why a session had each of its statuses."""

    session_id = owner(SessionTable)
    ordinal = number_column()
    at = text_column()
    status = text_column()
    rule = text_column()
    facts = text_column()

    Meta = meta("evidence", key=("session_id", "ordinal"))


index(EvidenceTable, "idx_evidence_at", "at")


class PrunedTable(DeclaredTable):
    """What was counted of rows that are no longer kept, by name."""

    name = text_column(primary_key=True)
    amount = text_column()

    Meta = meta("pruned")


class MetaTable(DeclaredTable):
    """Small facts of the instance."""

    key = text_column(primary_key=True)
    value = text_column()

    Meta = meta("meta")


class MessageTable(DeclaredTable):
    """Messages to agents; how far each got is its delivery's."""

    id = text_column(primary_key=True)
    ordinal = number_column()
    session_id = owner(SessionTable)
    text = text_column()
    origin = text_column()
    created_at = text_column()
    fingerprint = text_column(null=True)
    reaction = text_column(null=True)
    launch = number_column(null=True)
    carried = number_column(null=True)
    by_person = number_column(null=True)

    Meta = meta("messages", unique=("session_id, fingerprint",))


index(MessageTable, "idx_messages_session_ordinal", "session_id", "ordinal")


class ReactionTable(DeclaredTable):
    """What each reaction remembers, and which of its calls a person has seen."""

    session_id = text_column()
    key = text_column()
    value = text_column()
    seen = text_column(null=True)

    Meta = meta("reactions", key=("session_id", "key"))


class ProjectReactionTable(DeclaredTable):
    """What each reaction to a whole project remembers."""

    project_id = text_column()
    key = text_column()
    value = text_column()

    Meta = meta("project_reactions", key=("project_id", "key"))


class ReactionHistoryTable(DeclaredTable):
    """What the reactions did."""

    id = text_column(primary_key=True)
    ordinal = number_column()
    session_id = text_column()
    key = text_column()
    at = text_column()
    action = text_column()
    attempt = number_column()
    fingerprint = text_column(null=True)
    outcome = text_column()
    detail = text_column()

    Meta = meta("reaction_history", unique=("ordinal",))


index(ReactionHistoryTable, "idx_reaction_history_session", "session_id", "ordinal")


class MergeTable(DeclaredTable):
    """Merges, of each head of a session one."""

    session_id = owner(SessionTable)
    number = number_column()
    head = text_column()
    method = text_column()
    fingerprint = text_column()
    at = text_column()
    attempts = number_column(null=True)
    held = text_column(null=True)
    held_since = text_column(null=True)
    handed = number_column(null=True)
    id = text_column(null=True)

    Meta = meta("merges", key=("session_id", "head"))


index(MergeTable, "idx_merges_id", "id", unique=True)


class NotificationTable(DeclaredTable):
    """Notifications to people."""

    id = text_column(primary_key=True)
    ordinal = number_column()
    event_type = text_column()
    priority = text_column()
    session_id = text_column()
    project_id = text_column()
    message = text_column()
    at = text_column()
    reaction = text_column(null=True)
    fingerprint = text_column(null=True)
    channels = text_column()
    done_at = text_column(null=True)
    resolved_at = text_column(null=True)
    withdrawn_at = text_column(null=True)
    folds = number_column(null=True)

    Meta = meta("notifications", unique=("ordinal", "fingerprint"))


index(NotificationTable, "idx_notifications_done", "done_at", "ordinal")
index(NotificationTable, "idx_notifications_cause", "session_id", "reaction")
index(NotificationTable, "idx_notifications_resolved", "withdrawn_at", "resolved_at")


class AnswerLinkTable(DeclaredTable):
    """Links in notices that answer one question once."""

    digest = text_column(primary_key=True)
    notice_id = text_column()
    channel = text_column()
    session_id = text_column()
    question = text_column()
    answer = text_column()
    expires_at = text_column()
    used_at = text_column(null=True)

    Meta = meta("answer_links")


index(AnswerLinkTable, "idx_answer_links_notice", "notice_id")


class QueueTable(DeclaredTable):
    """Sessions that wait for a place."""

    session_id = owner(SessionTable, primary_key=True)
    project_id = text_column()
    priority = number_column()
    position = number_column()
    held = number_column()
    enqueued_at = text_column()
    reason = text_column()
    held_at = text_column(null=True)
    blocked_at = text_column(null=True)

    Meta = meta("queue")


index(QueueTable, "idx_queue_order", "-priority", "position", "enqueued_at")


class PullTable(DeclaredTable):
    """Pull requests of the local forge."""

    project_id = text_column()
    number = number_column()
    branch = text_column()
    base = text_column()
    title = text_column()
    body = text_column()
    author = text_column()
    draft = number_column()
    state = text_column()
    head = text_column()
    opened_at = text_column()
    updated_at = text_column()
    head_since = text_column()
    merged_at = text_column(null=True)
    merge_commit = text_column(null=True)
    closed_at = text_column(null=True)
    by_push = number_column(null=True)

    Meta = meta("forge_pulls", key=("project_id", "number"))


index(PullTable, "idx_forge_pulls_branch", "project_id", "branch", "number")
index(PullTable, "idx_forge_pulls_state", "project_id", "state", "number")


class CheckTable(DeclaredTable):
    """Checks of the local forge."""

    project_id = text_column()
    head = text_column()
    name = text_column()
    state = text_column()
    run = number_column()
    started_at = text_column(null=True)
    finished_at = text_column(null=True)
    exit_code = number_column(null=True)
    log = text_column(null=True)
    url = text_column(null=True)

    Meta = meta("forge_checks", key=("project_id", "head", "name"))


index(CheckTable, "idx_forge_checks_finished", "project_id", "finished_at")


class ReviewTable(DeclaredTable):
    """Reviews and comments of the local forge."""

    id = text_column(primary_key=True)
    ordinal = number_column()
    project_id = text_column()
    number = number_column()
    author = text_column()
    decision = text_column()
    body = text_column()
    path = text_column(null=True)
    line = number_column(null=True)
    head = text_column()
    at = text_column()
    resolved = number_column()
    dismissed = number_column()
    bot = number_column()

    Meta = meta("forge_reviews")


index(ReviewTable, "idx_forge_reviews_pull", "project_id", "number", "ordinal")


class IssueTable(DeclaredTable):
    """Issues of the local tracker."""

    project_id = text_column()
    id = text_column()
    ordinal = number_column()
    title = text_column()
    body = text_column()
    state = text_column()
    labels = text_column()
    comments = text_column()
    created_at = text_column()
    closed_at = text_column(null=True)

    Meta = meta("forge_issues", key=("project_id", "id"))


index(IssueTable, "idx_forge_issues_order", "project_id", "ordinal")


class MigrationTable(DeclaredTable):
    """The steps a database has taken."""

    version = number_column(primary_key=True)
    name = text_column()
    applied_at = text_column()

    Meta = meta("schema_migrations")


class IdempotencyTable(DeclaredTable):
    """Requests that may be sent again."""

    key = text_column(primary_key=True)
    digest = text_column()
    subject = text_column()
    at = text_column()
    answer = text_column(null=True)

    Meta = meta("idempotency_keys")


index(IdempotencyTable, "idx_idempotency_keys_at", "at")


class CursorTable(DeclaredTable):
    """How far each follower of the log has come."""

    name = text_column(primary_key=True)
    seq = number_column()

    Meta = meta("cursors")


class DeliveryTable(DeclaredTable):
    """What is to reach which destination, and whether it did."""

    kind = text_column()
    subject = text_column()
    lane = text_column()
    ordinal = number_column()
    state = text_column()
    attempts = number_column()
    tried_at = text_column(null=True)
    not_before = text_column(null=True)
    error = text_column(null=True)
    result = text_column(null=True)
    settled_at = text_column(null=True)
    broken_off = number_column(null=True)

    Meta = meta("deliveries", key=("kind", "subject", "lane"))


index(DeliveryTable, "idx_deliveries_subject", "kind", "subject", "ordinal")
index(DeliveryTable, "idx_deliveries_lane", "kind", "lane", "ordinal")
index(DeliveryTable, "idx_deliveries_open", "kind", "settled_at", "lane", "ordinal")


class LedgerAccountTable(DeclaredTable):
    """The accounts of the books."""

    id = text_column(primary_key=True)
    type = text_column()
    opened_at = text_column()

    Meta = meta("ledger_accounts", checks=("type IN ('asset', 'liability', 'revenue', 'expense')",))


class LedgerTransferTable(DeclaredTable):
    """What was moved between two accounts, in units of 10^-12 dollars."""

    id = text_column(primary_key=True)
    debit = refers(LedgerAccountTable, "debit")
    credit = refers(LedgerAccountTable, "credit")
    amount = number_column()
    at = text_column()
    posted_at = text_column()

    Meta = meta("ledger_transfers", checks=("amount > 0", "debit <> credit"))


class LedgerEntryTable(DeclaredTable):
    """What was used, request by request; it stays when its session is gone."""

    id = text_column(primary_key=True)
    session_id = text_column()
    usage_id = text_column()
    revision = number_column()
    project_id = text_column()
    agent = text_column()
    at = text_column()
    posted_at = text_column()
    source = text_column()
    billing = text_column()
    requests = number_column()
    unpriced = number_column()
    input_tokens = number_column()
    output_tokens = number_column()
    cache_read_tokens = number_column()
    cache_write_tokens = number_column()
    cache_write_1h_tokens = number_column()
    web_searches = number_column(null=True)
    amount = number_column(null=True)
    launch = number_column(null=True)
    model = text_column(null=True)
    tier = text_column(null=True)

    Meta = meta(
        "ledger_entries",
        checks=("source IN ('provider', 'local')", "billing IN ('metered', 'plan')"),
    )


index(
    LedgerEntryTable, "idx_ledger_entries_usage", "session_id", "usage_id", "revision", unique=True
)
index(LedgerEntryTable, "idx_ledger_entries_project", "project_id", "at")
index(LedgerEntryTable, "idx_ledger_entries_at", "at")


class ForecastTable(DeclaredTable):
    """What was forecast of sessions, and what became of them; it stays when they are gone."""

    session_id = text_column(primary_key=True)
    project_id = text_column()
    agent = text_column()
    model = text_column(null=True)
    words = number_column(null=True)
    made_at = text_column()
    forecast = text_column(null=True)
    silence = number_column(null=True)
    ended_at = text_column(null=True)
    outcome = text_column(null=True)
    seconds = number_column(null=True)
    tokens = number_column(null=True)
    cost_usd = text_column(null=True)

    Meta = meta("forecasts")


index(ForecastTable, "idx_forecasts_ended", "ended_at")


class BudgetTable(DeclaredTable):
    """Budgets that were set beside those of the file."""

    name = text_column(primary_key=True)
    budget = text_column()
    at = text_column()
    by = text_column()

    Meta = meta("budgets")


class BudgetRaiseTable(DeclaredTable):
    """What budgets were raised by, each in one window; rows are added alone."""

    id = text_column(primary_key=True)
    budget = text_column()
    good_for = text_column()
    usd = text_column(null=True)
    tokens = number_column(null=True)
    at = text_column()
    by = text_column()

    Meta = meta("budget_raises")


index(BudgetRaiseTable, "idx_budget_raises_budget", "budget", "good_for")


class BudgetNoticeTable(DeclaredTable):
    """What was told of budgets, so that it is told once."""

    budget = text_column()
    mark = text_column()
    level = text_column()
    at = text_column()

    Meta = meta("budget_notices", key=("budget", "mark", "level"))


class ReservationTable(DeclaredTable):
    """What is kept of budgets for sessions that have begun."""

    session_id = owner(SessionTable, primary_key=True)
    project_id = text_column()
    likely = text_column()
    at = text_column()

    Meta = meta("budget_reservations")


class ConflictTable(DeclaredTable):
    """Conflicts that are expected between the branches of living sessions."""

    one = text_column()
    other = text_column()
    project_id = text_column()
    one_branch = text_column()
    other_branch = text_column()
    one_head = text_column()
    other_head = text_column()
    paths = text_column()
    since = text_column()

    Meta = meta("conflicts", key=("one", "other"))


class BranchDiffTable(DeclaredTable):
    """How much the branch of each session changes."""

    session_id = owner(SessionTable, primary_key=True)
    head = text_column()
    added = number_column()
    removed = number_column()
    files = number_column()

    Meta = meta("branch_diffs")


class ReviewOrderTable(DeclaredTable):
    """Reviews that are to be on pull requests."""

    id = text_column(primary_key=True)
    session_id = owner(SessionTable)
    number = number_column()
    review = text_column()
    at = text_column()

    Meta = meta("review_orders")


index(ReviewOrderTable, "idx_review_orders_session", "session_id")


TABLES: tuple[type[DeclaredTable], ...] = (
    SessionTable,
    EventTable,
    SystemEventTable,
    ProjectTable,
    MetricsTable,
    SequenceTable,
    MemoryTable,
    AgentTable,
    FactTable,
    EvidenceTable,
    PrunedTable,
    MetaTable,
    MessageTable,
    ReactionTable,
    ProjectReactionTable,
    ReactionHistoryTable,
    MergeTable,
    NotificationTable,
    AnswerLinkTable,
    QueueTable,
    PullTable,
    CheckTable,
    ReviewTable,
    IssueTable,
    IdempotencyTable,
    CursorTable,
    DeliveryTable,
    LedgerAccountTable,
    LedgerTransferTable,
    LedgerEntryTable,
    ForecastTable,
    BudgetTable,
    BudgetRaiseTable,
    BudgetNoticeTable,
    ReservationTable,
    ConflictTable,
    BranchDiffTable,
    ReviewOrderTable,
    MigrationTable,
)
"""All of them; who is referred to comes before whoever refers to it."""

EVENT_VIEW = "event_log"
_HALVES = (
    f"SELECT {', '.join(EVENT_COLUMNS)} FROM {name_of(table)}"  # noqa: S608
    for table in (EventTable, SystemEventTable)
)
VIEWS: Mapping[str, str] = {EVENT_VIEW: " UNION ALL ".join(_HALVES)}
"""Both tables of events as one log."""


def creation(database: Any) -> Iterator[str]:
    """The statements that make everything in an empty database, in the words of
    this one of ``statements``.
    """
    yield from declaring.creation(TABLES, VIEWS, database)
    yield from ledger_rules(database)
