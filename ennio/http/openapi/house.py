"""The paths of the house as a whole: events, queue, clean-up, the supervisor itself."""

from __future__ import annotations

from typing import Any

from ennio.http.openapi.operation import WORD, bare, listed, pages, path, ref, takes, word
from ennio.http.openapi.schemas import ANY
from ennio.http.resources import cleanup, event_stream, events, login, preserved, queue, session

_WAITING = "/api/v1/queue/{session_id}"
_OPEN: dict[str, Any] = {"security": []}

HOUSE_PATHS: dict[str, Any] = {
    **path("/api/v1/health", get=takes("Whether the server answers; needs no token.", word("ok")) | _OPEN),
    **path(
        "/api/v1/webhooks/github",
        post=takes("What GitHub sends when something happened; its signature is the token.", WORD) | _OPEN,
    ),
    **path("/api/v1/openapi.json", get=bare("This document.", "application/json", ANY)),
    **path("/api/v1/status", get=takes("How actors and pollers are.", ANY)),
    **path("/api/v1/config", get=takes("The configuration, secrets masked.", ANY)),
    **path("/api/v1/shutdown", post=takes("Stop the supervisor; agents keep running.", word("stopping"), body={})),
    **path("/api/v1/events", get=pages("The event log, page by page.", ref("Event"), events.PAGE)),
    **path(
        "/api/v1/events/stream",
        get=bare("The event log as it grows: id is the seq, data the event.", "text/event-stream", WORD, event_stream.STREAM),
    ),
    **path("/api/v1/queue", get=takes("Who waits, next one first.", listed(ref("Waiting")))),
    **path(_WAITING, delete=takes("Drop it from the queue.", word("dropped"))),
    **path(f"{_WAITING}/hold", post=takes("Keep it waiting.", word("held"), body={})),
    **path(f"{_WAITING}/release", post=takes("Let it go on.", word("released"), body={})),
    **path(f"{_WAITING}/move", post=takes("Put it at a position; 1 is next.", word("moved"), body=queue.MOVE)),
    **path(f"{_WAITING}/priority", post=takes("Change its priority.", word("set"), body=queue.PRIORITY)),
    **path("/api/v1/cleanup", post=takes("Remove workspaces of ended sessions.", listed(ref("CleanupItem")), body=cleanup.CLEANUP)),
    **path("/api/v1/preserved", get=takes("What removals saved, latest first.", listed(ref("Preserved")), query=preserved.LIST)),
    **path("/api/v1/preserved/{item_id}", get=takes("Its commits and files.", ref("PreservedContents"))),
    **path(
        "/api/v1/preserved/{item_id}/restore",
        post=takes("Bring it back on a new branch.", ref("PreservedRestored"), body=preserved.RESTORE),
    ),
    **path("/api/v1/notifications", get=takes("What people were told, latest first.", listed(ref("Notice")), query=session.LIMIT)),
    **path("/api/v1/auth/code", post=takes("A one-time code for a browser.", ref("Code"), body={})),
    **path("/auth", get=_OPEN | bare("Trade the code for a cookie; leads on with 303.", "application/json", ANY, login.VISIT)),
}
