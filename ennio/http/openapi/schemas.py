"""What the answers are made of: the JSON Schema of a dataclass, and one component for
each class that is shown.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import is_dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from ennio.actors.orchestrator import (
    AccountView,
    BudgetCheck,
    BudgetView,
    CleanupItem,
    ConflictReport,
    Contents,
    CostReport,
    Issue,
    NodeView,
    Notice,
    Preserved,
    Preview,
    ReactionRecord,
    Restored,
    ReviewPack,
    SentReview,
    SessionDetail,
    SessionMetrics,
    SessionPhase,
    SessionRow,
    Spend,
    UnsavedPath,
    Waiting,
)
from ennio.http.views import ErrorView, LoginCode, MergedView, ProjectView, PullView
from ennio.model.changes import Diff, Files
from ennio.model.check_log import CheckLog
from ennio.model.conflicts import ConflictWith
from ennio.model.events import Event
from ennio.model.evidence import Evidence
from ennio.model.message import Message
from ennio.model.shape import wire_fields
from ennio.model.verbs import SessionVerb
from ennio.model.workspace_changes import ChangedFile, FilePatch, WorkspaceDiff

Schema = dict[str, Any]
TEXT: Schema = {"type": "string"}
ANY: Schema = {"type": "object"}
_SCALARS: Mapping[Any, Schema] = {
    str: TEXT,
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    datetime: {"type": "string", "format": "date-time"},
    Decimal: {"type": "string", "format": "decimal"},
}


def schema_of(hint: Any, named: Mapping[Any, str]) -> Schema:
    """The schema of what ``ennio.model.codec.shown`` makes of a value with this annotation; a class
    that is ``named`` is referred to.

    Raises TypeError for an annotation whose values have no JSON form.
    """
    if hint in named:
        return {"$ref": f"#/components/schemas/{named[hint]}"}
    if hint in _SCALARS:
        return _SCALARS[hint]
    if is_dataclass(hint):
        return object_schema(hint, named)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return {"type": "string", "enum": [str(word.value) for word in hint]}
    return _generic(hint, named)


def object_schema(cls: Any, named: Mapping[Any, str]) -> Schema:
    """The schema of a dataclass: an object with just the fields that are shown, all of them
    there but the optional ones.
    """
    shown = wire_fields(cls)
    return {
        "type": "object",
        "properties": {each.wire: schema_of(each.hint, named) for each in shown},
        "required": [each.wire for each in shown if not each.optional],
        "additionalProperties": False,
    }


def _generic(hint: Any, named: Mapping[Any, str]) -> Schema:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        kinds = [schema_of(each, named) for each in arguments if each is not type(None)]
        return {"anyOf": [*kinds, *([{"type": "null"}] if type(None) in arguments else [])]}
    if origin is typing.Literal:
        return {"type": "string", "enum": list(arguments)}
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return (
            ANY
            if arguments[1] is Any
            else {"type": "object", "additionalProperties": schema_of(arguments[1], named)}
        )
    if isinstance(origin, type) and issubclass(origin, (Sequence, AbstractSet)):
        return {"type": "array", "items": schema_of(arguments[0], named)}
    raise TypeError(f"{hint!r} has no JSON form")


COMPONENTS: Mapping[type[Any], str] = {
    SessionDetail: "Session",
    SessionRow: "SessionRow",
    SessionPhase: "Phase",
    Preview: "Preview",
    Message: "Message",
    PullView: "Pull",
    Files: "Files",
    Diff: "Diff",
    MergedView: "Merged",
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
    ConflictReport: "Conflicts",
    ConflictWith: "ConflictWith",
    ReviewPack: "ReviewPack",
    Waiting: "Waiting",
    NodeView: "Node",
    LoginCode: "Code",
    SessionMetrics: "Metrics",
    CostReport: "Costs",
    AccountView: "Account",
    Spend: "Spend",
    BudgetView: "Budget",
    BudgetCheck: "BudgetCheck",
    SessionVerb: "Verb",
    WorkspaceDiff: "SessionDiff",
    ChangedFile: "ChangedFile",
    FilePatch: "FilePatch",
    CheckLog: "CheckLog",
    SentReview: "SentReview",
}

_ERROR_CODE: Schema = {"type": "integer", "minimum": 400, "maximum": 599}

SCHEMAS: dict[str, Schema] = {
    **{name: object_schema(cls, COMPONENTS) for cls, name in COMPONENTS.items()},
    "Error": object_schema(ErrorView, COMPONENTS)
    | {"properties": {"error": TEXT, "code": _ERROR_CODE}},
    "Events": schema_of(list[Event], COMPONENTS),
}
