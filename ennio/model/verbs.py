"""What can be done about a session, once for all faces: what each verb is called, which operation
of the API carries it out and which command line, and what is asked before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

_SESSION = "/api/v1/sessions/{session_id}"
_PULL = "/api/v1/projects/{project_id}/pulls/{number}"
_QUEUE = "/api/v1/queue/{session_id}"
_STAYS = (
    "its worktree stays; unpushed work is kept under refs/ennio/preserved once it is cleaned up"
)


@dataclass(frozen=True, slots=True)
class SessionVerb:
    """One verb. In ``path`` and ``command`` stand ``session_id``, ``project_id`` and ``number`` of
    a row's session and pull request; what a person has to give stands in capitals.

    ``takes`` is the field of the body that it goes into, None where nothing is given; ``body`` is
    what is sent besides. ``seen``: fields of the body in which goes what the row showed when the
    person began, by the row's fields, so that nothing is done about what came since. ``confirm`` is
    what is asked before it is done, None where it is done at once. ``once``: the operation takes an
    ``Idempotency-Key``, under which it may be sent again where its answer was lost.
    """

    name: str
    label: str
    method: str
    path: str
    command: str
    confirm: str | None = None
    takes: str | None = None
    body: Mapping[str, str] = field(default_factory=dict)
    once: bool = False
    seen: Mapping[str, str] = field(default_factory=dict)


def _of_session(name: str, label: str, command: str) -> SessionVerb:
    return SessionVerb(name, label, "POST", f"{_SESSION}/{name}", f"ennio {command}")


def _of_pull(name: str, label: str, confirm: str | None = None) -> SessionVerb:
    command = f"ennio pr {name} {{session_id}}"
    return SessionVerb(name, label, "POST", f"{_PULL}/{name}", command, confirm)


SESSION_VERBS: tuple[SessionVerb, ...] = (
    SessionVerb(
        "answer",
        "Answer",
        "POST",
        f"{_SESSION}/answer",
        "ennio answer {session_id} ANSWER",
        takes="answer",
        once=True,
        seen={"question": "question"},
    ),
    _of_session("interrupt", "Interrupt", "interrupt {session_id}"),
    _of_session("restore", "Restore", "session restore {session_id}"),
    SessionVerb("open", "Open", "GET", f"{_SESSION}/attach", "ennio open {session_id}"),
    SessionVerb(
        "kill",
        "Kill",
        "DELETE",
        _SESSION,
        "ennio session kill {session_id}",
        f"Kill {{session_id}} for good? {_STAYS}",
    ),
    SessionVerb(
        "raise",
        "Raise the budget",
        "POST",
        "/api/v1/budgets/{session_id}/raise",
        "ennio budget raise {session_id} --by USD",
        takes="usd",
        once=True,
    ),
    SessionVerb(
        "go-on",
        "Go on until the turn ends",
        "POST",
        f"{_SESSION}/go-on",
        "ennio budget go-on {session_id}",
    ),
    SessionVerb(
        "end",
        "End",
        "DELETE",
        _SESSION,
        "ennio session kill {session_id}",
        f"End {{session_id}} for good? {_STAYS}",
    ),
    SessionVerb(
        "resume",
        "Resume",
        "POST",
        f"{_SESSION}/resume",
        "ennio session resume {session_id} --now",
        body={"when": "now"},
    ),
    SessionVerb(
        "tell",
        "Tell it",
        "POST",
        f"{_SESSION}/send",
        "ennio send {session_id} MESSAGE",
        takes="message",
        once=True,
    ),
    SessionVerb("take-over", "Take over", "GET", f"{_SESSION}/attach", "ennio open {session_id}"),
    _of_session("seen", "Mark seen", "session seen {session_id}"),
    _of_pull(
        "merge",
        "Merge",
        "Merge #{number} into its base? its session is over then, and its "
        "worktree is cleaned up as `cleanup` says",
    ),
    SessionVerb(
        "request-changes",
        "Request changes",
        "POST",
        f"{_PULL}/request-changes",
        "ennio pr request-changes {session_id} --message WORDS",
        takes="body",
    ),
    _of_pull("approve", "Approve"),
    _of_session("look", "Look again", "session look {session_id}"),
    SessionVerb(
        "release", "Release", "POST", f"{_QUEUE}/release", "ennio queue release {session_id}"
    ),
    SessionVerb(
        "move",
        "Move",
        "POST",
        f"{_QUEUE}/move",
        "ennio queue move {session_id} POSITION",
        takes="position",
    ),
    SessionVerb(
        "drop",
        "Drop",
        "DELETE",
        _QUEUE,
        "ennio queue drop {session_id}",
        "Drop {session_id}, so that it is never started? its prompt stays in its record",
    ),
    _of_pull("rerun", "Run checks again"),
    _of_pull("nudge", "Nudge reviewers"),
    _of_pull("leave-queue", "Leave the merge queue"),
    SessionVerb(
        "cleanup",
        "Clean up",
        "POST",
        f"{_SESSION}/cleanup",
        "ennio cleanup {session_id}",
        "Remove the worktree of {session_id}? its branch and record stay; unpushed work is kept "
        "under refs/ennio/preserved",
    ),
)
"""In the order in which a palette shows them."""
