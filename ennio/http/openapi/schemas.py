"""What the answers are made of."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from ennio.http.openapi.operation import Schema, listed, ref
from ennio.model.message import MessageState, Origin
from ennio.model.pulls import CheckState, Mergeability, PullState, ReviewState
from ennio.model.session import Activity, Priority, SessionStatus

TEXT: Schema = {"type": "string"}
WHOLE: Schema = {"type": "integer"}
YES: Schema = {"type": "boolean"}
TIME: Schema = {"type": "string", "format": "date-time"}
TEXTS = listed(TEXT)
ANY: Schema = {"type": "object"}


def _maybe(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _one_of(words: type[StrEnum]) -> Schema:
    return {"type": "string", "enum": [str(word) for word in words]}


def _object(optional: dict[str, Schema] | None = None, **fields: Schema) -> dict[str, Any]:
    """An object with just these fields, all of them there but the optional ones."""
    return {"type": "object", "properties": fields | (optional or {}), "required": list(fields), "additionalProperties": False}


_METRICS = _object(
    total_tokens_in=WHOLE,
    total_tokens_out=WHOLE,
    estimated_cost_usd=_maybe(TEXT),
    ci_runs=WHOLE,
    ci_failures=WHOLE,
    review_rounds=WHOLE,
    time_to_first_pr_secs=_maybe(WHOLE),
    time_to_merge_secs=_maybe(WHOLE),
)

_SESSION = _object(
    {"status_since": _maybe(TIME), "metrics": _METRICS},
    id=TEXT,
    project_id=TEXT,
    status=_one_of(SessionStatus),
    activity=_maybe(_one_of(Activity)),
    branch=_maybe(TEXT),
    pr_url=_maybe(TEXT),
    pr_number=_maybe(WHOLE),
    agent_name=_maybe(TEXT),
    created_at=TIME,
    last_activity_at=TIME,
    reason=_maybe(TEXT),
    outcome=_maybe(TEXT),
    issue_id=_maybe(TEXT),
    prompt=_maybe(TEXT),
    summary=_maybe(TEXT),
    base=_maybe(TEXT),
    workspace_path=_maybe(TEXT),
    workspace=_maybe(TEXT),
    runtime=_maybe(TEXT),
    tmux_name=_maybe(TEXT),
    role=_maybe(TEXT),
    priority=WHOLE,
    no_signal_since=_maybe(TIME),
    no_signal=_maybe(TEXT),
    usage=_maybe(_object(input_tokens=WHOLE, output_tokens=WHOLE, cost_usd=_maybe(TEXT), model=_maybe(TEXT))),
    queued=_maybe(_object(position=WHOLE, reason=TEXT, held=YES)),
    message_waits=_maybe(_object(since=TIME, reason=TEXT)),
    question=_maybe(TEXT),
    detail=_maybe(TEXT),
    helpers=WHOLE,
    silent_since=_maybe(TIME),
    restored_at=_maybe(TIME),
    archived_at=_maybe(TIME),
)

_PREVIEW = _object(
    session_id=TEXT,
    agent=TEXT,
    runtime=TEXT,
    workspace_kind=TEXT,
    workspace=TEXT,
    branch=TEXT,
    base=TEXT,
    prompt=TEXT,
    system=TEXT,
    command=TEXTS,
    env=TEXTS,
    post_create=TEXTS,
    queue_reason=_maybe(TEXT),
)

_MESSAGE = _object(
    id=TEXT,
    session_id=TEXT,
    text=TEXT,
    origin=_one_of(Origin),
    created_at=TIME,
    state=_one_of(MessageState),
    fingerprint=_maybe(TEXT),
    reaction=_maybe(TEXT),
    started_at=_maybe(TIME),
    delivered_at=_maybe(TIME),
    attempts=WHOLE,
    launch=_maybe(WHOLE),
    error=_maybe(TEXT),
    detail=TEXT,
)

_PULL = _object(
    project_id=TEXT,
    number=WHOLE,
    url=TEXT,
    title=TEXT,
    branch=TEXT,
    base=TEXT,
    head=TEXT,
    state=_one_of(PullState),
    draft=YES,
    base_head=_maybe(TEXT),
    mergeability=_one_of(Mergeability),
    conflicts=TEXTS,
    checks=_one_of(CheckState),
    check_runs=listed(_object(id=TEXT, name=TEXT, state=_one_of(CheckState), url=_maybe(TEXT), log_tail=TEXT, unread=YES)),
    review=_one_of(ReviewState),
    comments=listed(
        _object(
            id=TEXT,
            author=TEXT,
            body=TEXT,
            at=TIME,
            bot=YES,
            path=_maybe(TEXT),
            line=_maybe(WHOLE),
            url=_maybe(TEXT),
            thread=_maybe(TEXT),
            decision=_maybe(_one_of(ReviewState)),
            own=YES,
        )
    ),
    merge_commit=_maybe(TEXT),
    head_since=_maybe(TIME),
    merging=YES,
    opinions=_maybe(listed(_object(author=TEXT, decision=_one_of(ReviewState), head=TEXT))),
    merged_by_push=_maybe(YES),
)

SCHEMAS: dict[str, Schema] = {
    "Error": _object(error=TEXT, code={"type": "integer", "minimum": 400, "maximum": 599}),
    "Session": _SESSION,
    "Preview": _PREVIEW,
    "Message": _MESSAGE,
    "Pull": _PULL,
    "Files": _object(
        base=TEXT,
        head=TEXT,
        files=listed(_object(path=TEXT, status=TEXT, added=_maybe(WHOLE), removed=_maybe(WHOLE), before=_maybe(TEXT))),
        truncated=YES,
    ),
    "Diff": _object(base=TEXT, head=TEXT, text=TEXT, truncated=YES),
    "Merged": _object(commit=TEXT, message=TEXT),
    "Event": _object(
        seq=WHOLE,
        id=TEXT,
        event_type=TEXT,
        priority=_one_of(Priority),
        session_id=TEXT,
        project_id=TEXT,
        timestamp=TIME,
        message=TEXT,
        data=ANY,
    ),
    "Evidence": _object(
        at=TIME,
        status=_one_of(SessionStatus),
        rule=TEXT,
        facts=listed(_object(what=TEXT, source=TEXT, at=_maybe(TIME))),
    ),
    "Reaction": _object(
        id=TEXT,
        session_id=TEXT,
        key=TEXT,
        at=TIME,
        action=TEXT,
        attempt=WHOLE,
        fingerprint=_maybe(TEXT),
        outcome=TEXT,
        detail=_maybe(TEXT),
    ),
    "Notice": _object(
        id=TEXT,
        event_type=TEXT,
        priority=_one_of(Priority),
        session_id=TEXT,
        project_id=TEXT,
        message=TEXT,
        at=TIME,
        reaction=_maybe(TEXT),
        fingerprint=_maybe(TEXT),
        channels=TEXTS,
        sent=TEXTS,
        failed={"type": "object", "additionalProperties": TEXT},
        attempts=WHOLE,
        done_at=_maybe(TIME),
    ),
    "CleanupItem": _object(
        session_id=TEXT,
        path=TEXT,
        size=WHOLE,
        action={"type": "string", "enum": ["removed", "removing", "would remove", "kept", "nothing"]},
        reason=TEXT,
        preserved=_maybe(TEXT),
        unsaved={"type": "array", "items": ref("Unsaved")},
    ),
    "Preserved": _object(id=TEXT, project_id=TEXT, source=TEXT, place=TEXT, commit=TEXT, at=TIME, subject=TEXT),
    "PreservedContents": _object(item=ref("Preserved"), commits=TEXTS, files=TEXTS, more=YES),
    "PreservedRestored": _object(item=ref("Preserved"), branch=TEXT),
    "Unsaved": _object(path=TEXT, size=WHOLE, why=TEXT),
    "Project": _object(
        id=TEXT,
        name=TEXT,
        repo=TEXT,
        path=TEXT,
        default_branch=TEXT,
        session_prefix=TEXT,
        runtime=TEXT,
        agent=TEXT,
        workspace=TEXT,
        tracker=_maybe(TEXT),
        scm=_maybe(TEXT),
        max_sessions=_maybe(WHOLE),
        remote=_maybe(TEXT),
        sessions=WHOLE,
    ),
    "Issue": _object(
        id=TEXT,
        title=TEXT,
        body=TEXT,
        url=_maybe(TEXT),
        labels=TEXTS,
        comments=TEXTS,
        state=TEXT,
        branch=_maybe(TEXT),
    ),
    "Waiting": _object(
        session_id=TEXT,
        project_id=TEXT,
        priority=WHOLE,
        position=WHOLE,
        held=YES,
        enqueued_at=TIME,
        reason=TEXT,
    ),
    "Code": _object(code=TEXT, expires_in=WHOLE),
    "Events": listed(ref("Event")),
}
