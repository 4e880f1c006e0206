"""Keys that begin with ``x-``: a place to keep YAML anchors, read by nobody.

They may stand at the top of the file and in each project. What lies below them means nothing until
an alias brings it to a place that has a meaning: a variable in it need not even be set.
"""

from __future__ import annotations

from typing import Any

PREFIX = "x-"


def without(data: Any) -> Any:
    """The values of a file without these keys, at the places where they may stand."""
    if not isinstance(data, dict):
        return data
    kept = _plain(data)
    if isinstance(kept.get("projects"), list):
        kept["projects"] = [
            _plain(project) if isinstance(project, dict) else project
            for project in kept["projects"]
        ]
    return kept


def _plain(mapping: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in mapping.items() if not key.startswith(PREFIX)}
