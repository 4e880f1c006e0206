"""The environment of agents and hooks: cleared, then only what is needed and what was declared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ennio.machine.inherited import inherited


def plain(
    source: Mapping[str, str], session_id: str, project_id: str, home: Path
) -> dict[str, str]:
    """What every process of a session gets; no secret is among it.

    ``ENNIO_SESSION_ID`` also marks the process: what an agent leaves behind is found by it.
    """
    return {
        **inherited(source),
        "TERM": "xterm-256color",
        "ENNIO_SESSION_ID": session_id,
        "ENNIO_PROJECT_ID": project_id,
        "ENNIO_HOME": str(home),
    }


def passed(source: Mapping[str, str], names: Sequence[str]) -> dict[str, str]:
    """The variables a plugin declared it needs, as far as they are set."""
    return {name: source[name] for name in names if name in source}
