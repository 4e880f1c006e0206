"""Gives what older versions saw and remembered of a session's life the names it has now."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

PRESENCE = (
    """UPDATE facts SET value = replace(value, '"sighting":', '"presence":') WHERE kind IN ('process', 'forge')""",  # noqa: E501
)
_NAMES = {"wish": "desired", "stage": "phase"}


def rename_lifecycle(sql: Callable[..., Any]) -> None:
    """Rename the fields of each session's state; a text that is no object is left as it stands."""
    for session_id, text in sql("SELECT session_id, value FROM memories").fetchall():
        state = _read(text)
        if state is not None:
            renamed = {_NAMES.get(name, name): value for name, value in state.items()}
            sql(
                "UPDATE memories SET value = ? WHERE session_id = ?",
                (json.dumps(renamed), session_id),
            )


def _read(text: str) -> dict[str, Any] | None:
    try:
        state = json.loads(text)
    except ValueError:
        return None
    return state if isinstance(state, dict) else None
