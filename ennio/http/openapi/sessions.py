"""The paths of sessions."""

from __future__ import annotations

from typing import Any

from ennio.http.openapi.operation import WORD, listed, pages, path, ref, repeatable, takes, word
from ennio.http.resources import session, sessions

ENDED = {"enum": ["killed", "ending"]}
_ONE = "/api/v1/sessions/{session_id}"

SESSION_PATHS: dict[str, Any] = {
    **path(
        "/api/v1/sessions",
        get=takes("List sessions, oldest first; archived ones with `all`.", listed(ref("Session")), query=sessions.LIST),
        post=repeatable(
            takes(
                "Spawn a session; with `dry_run` only show what it would be.",
                {"anyOf": [ref("Session"), ref("Preview")]},
                query=sessions.DRY_RUN,
                body=sessions.SPAWN,
            )
        ),
    ),
    **path(
        _ONE,
        get=takes("Show a session.", ref("Session")),
        delete=takes("Kill its agent; the workspace stays. `killed` once nothing of it is left, else `ending`.", ENDED),
    ),
    **path(
        f"{_ONE}/send",
        post=repeatable(takes("Send a message; delivered when the agent can take it.", word("sent"), body=session.SEND)),
    ),
    **path(f"{_ONE}/look", post=takes("Read now what its agent told; also open to the session's own token.", word("looking"), body={})),
    **path(f"{_ONE}/answer", post=takes("Answer the question its agent asks.", word("answered"), body=session.ANSWER)),
    **path(f"{_ONE}/restore", post=takes("Start its agent again where it left off, once it is admitted.", ref("Session"), body={})),
    **path(f"{_ONE}/interrupt", post=takes("Make its agent stop what it is doing.", word("interrupted"), body={})),
    **path(
        f"{_ONE}/cleanup",
        post=takes("Remove its workspace, saving what was only there.", listed(ref("CleanupItem")), body=session.CLEANUP),
    ),
    **path(f"{_ONE}/output", get=takes("The last lines of its terminal.", WORD, query=session.OUTPUT)),
    **path(f"{_ONE}/attach", get=takes("The command that connects a terminal to it.", listed(WORD))),
    **path(f"{_ONE}/messages", get=takes("Every message to it, oldest first.", listed(ref("Message")))),
    **path(f"{_ONE}/evidence", get=takes("Why it has its status, newest first.", listed(ref("Evidence")), query=session.LIMIT)),
    **path(f"{_ONE}/reactions", get=takes("What reactions did, newest first.", listed(ref("Reaction")), query=session.LIMIT)),
    **path(f"{_ONE}/events", get=pages("Its part of the event log.", ref("Event"), session.EVENTS)),
}
