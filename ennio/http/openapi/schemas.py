"""What the answers are made of: one component for each class that is shown, made from its fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ennio.actors.orchestrator import (
    CleanupItem,
    Contents,
    Issue,
    Merged,
    Notice,
    Preserved,
    Preview,
    ReactionRecord,
    Restored,
    SessionDetail,
    UnsavedPath,
    Waiting,
)
from ennio.http.shapes import TEXT, Schema, object_schema, schema_of
from ennio.http.views import ErrorView, LoginCode, ProjectView, PullView
from ennio.model.changes import Diff, Files
from ennio.model.events import Event
from ennio.model.evidence import Evidence
from ennio.model.message import Message

COMPONENTS: Mapping[type[Any], str] = {
    SessionDetail: "Session",
    Preview: "Preview",
    Message: "Message",
    PullView: "Pull",
    Files: "Files",
    Diff: "Diff",
    Merged: "Merged",
    Event: "Event",
    Evidence: "Evidence",
    ReactionRecord: "Reaction",
    Notice: "Notice",
    CleanupItem: "CleanupItem",
    Preserved: "Preserved",
    Contents: "PreservedContents",
    Restored: "PreservedRestored",
    UnsavedPath: "Unsaved",
    ProjectView: "Project",
    Issue: "Issue",
    Waiting: "Waiting",
    LoginCode: "Code",
}

_ERROR_CODE: Schema = {"type": "integer", "minimum": 400, "maximum": 599}

SCHEMAS: dict[str, Schema] = {
    **{name: object_schema(cls, COMPONENTS) for cls, name in COMPONENTS.items()},
    "Error": object_schema(ErrorView, COMPONENTS) | {"properties": {"error": TEXT, "code": _ERROR_CODE}},
    "Events": schema_of(list[Event], COMPONENTS),
}
