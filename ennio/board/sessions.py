"""What several places say of sessions in words: what an agent does, what a message waits for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from ennio.board.quantities import age
from ennio.model.plural import number_of

Document = Mapping[str, Any]

BRIEF = timedelta(seconds=5)
OVER = ("merged", "done", "exited", "killed")


def activity(session: Document) -> str:
    """What the agent does; ``?`` behind it while there is no signal of it."""
    shown = "queued" if session.get("queued") else session.get("activity") or ""
    if session.get("paused") and shown not in ("queued", "exited"):
        shown = "paused"
    if shown == "ready" and session.get("helpers"):
        # its turn is over, and so many helpers are at work for it
        shown = f"ready +{session['helpers']}"
    return f"{shown}?" if session.get("signal_at") else shown


def message_waits(session: Document, now: datetime) -> str:
    """In few words what a message waits for; empty until it has waited for
    longer than a delivery takes.
    """
    waits = session.get("message_waits")
    if not waits or now - datetime.fromisoformat(waits["since"]) < BRIEF:
        return ""
    # a colon within a name, such as that of a budget, ends nothing
    words = re.split(r"[:;](?!\S)", waits["reason"], maxsplit=1)[0]
    if not words or words in (session.get("reason") or ""):
        return "a message waits"
    return f"a message {words}" if words.startswith("waits ") else f"a message waits: {words}"


def warnings(sessions: Sequence[Document], now: datetime) -> list[str]:
    """At most one line: the sessions nobody has a signal from, and since when."""
    blind = [session for session in sessions if session.get("no_signal_since")]
    if not blind:
        return []
    named = ", ".join(
        f"{session['id']} ({age(session['no_signal_since'], now)})" for session in blind[:5]
    )
    more = f" and {len(blind) - 5} more" if len(blind) > 5 else ""
    reasons = list(
        dict.fromkeys(session["no_signal"] for session in blind if session.get("no_signal"))
    )
    others = number_of(len(reasons) - 1, "more reason")
    why = f" ({reasons[0]}{f'; and {others}' if len(reasons) > 1 else ''})" if reasons else ""
    return [f"no signal from {named}{more}{why}: what is shown of them is the last that was seen"]


def living(sessions: Sequence[Document]) -> list[Document]:
    """The sessions whose agent is thought to run (unknown counts as running, but not of
    one whose task is over).
    """
    return [
        s
        for s in sessions
        if not s.get("queued")
        and s.get("activity") != "exited"
        and (s["status"] not in OVER or _lingers(s))
    ]


def _lingers(session: Document) -> bool:
    """Whether the agent lives on although its task is over: it does so until its
    workspace is cleaned up.
    """
    return session["status"] in ("merged", "done") and session.get("activity") is not None
