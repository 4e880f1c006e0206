"""A client that follows a terminal: answered at once where there is more than it has, else as soon
as there is.
"""

from __future__ import annotations

from typing import Any

from ennio.plugins.runtime.ptyd.pty_process import RING, PtyProcess


def must_wait(process: PtyProcess, request: dict[str, Any]) -> bool:
    """Whether a request is one that is answered once the terminal puts something out."""
    return (
        request.get("op") == "follow"
        and not process.record.dead
        and request.get("since") == process.total
    )


def answer(process: PtyProcess, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """What came since, and the terminal's size."""
    first, chunk = process.since(int(request["since"]), RING)
    seen = process.record
    size = {"columns": seen.columns, "rows": seen.rows}
    return {"first": first, "number": seen.number, "dead": seen.dead, **size}, chunk
