"""Sessions as a table: who works on what, where it stands, what it waits for."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from ennio.board.quantities import age
from ennio.board.style import ACTIVITY, STATUS, Style
from ennio.board.table import Column, Tint, table

Document = Mapping[str, Any]

COLUMNS = (
    Column("SESSION"),
    Column("STATUS"),
    Column("ACTIVITY"),
    Column("BRANCH", elastic=True),
    Column("PR", right=True),
    Column("AGENT"),
    Column("AGE", right=True),
    Column("WHY", elastic=True),
)
BRIEF = timedelta(seconds=5)
OVER = ("merged", "done", "exited", "killed")


def row(session: Document, now: datetime) -> tuple[str, ...]:
    """One session in the order of COLUMNS."""
    number = session.get("pr_number")
    return (
        session["id"],
        session["status"],
        activity(session),
        session.get("branch") or "",
        f"#{number}" if number else "",
        session.get("agent_name") or "",
        age(session["created_at"], now),
        why(session, now),
    )


def activity(session: Document) -> str:
    """What the agent does; ``?`` behind it when nobody can see that any more (a forge out of sight
    leaves the agent in it).
    """
    shown = "queued" if session.get("queued") else session.get("activity") or ""
    if session.get("paused") and shown not in ("queued", "exited"):
        shown = "paused"
    if shown == "ready" and session.get("helpers"):
        # its turn is over, and so many helpers are at work for it
        shown = f"ready +{session['helpers']}"
    unseen = session.get("no_signal_since") and not (session.get("no_signal") or "").startswith(
        "the forge"
    )
    return f"{shown}?" if unseen else shown


def why(session: Document, now: datetime) -> str:
    """What a person should know first: the agent's question, what it or a message for it waits for,
    why the status is what it is.
    """
    queued = session.get("queued")
    if session.get("question"):
        return f"asks: {session['question']}"
    if session.get("paused"):
        return str(session["paused"])
    if queued:
        return "held" if queued.get("held") else queued.get("reason") or "queued"
    return "; ".join(filter(None, (message_waits(session, now), session.get("reason"))))


def message_waits(session: Document, now: datetime) -> str:
    """In few words what a message waits for; empty until it has waited for
    longer than a delivery takes.
    """
    waits = session.get("message_waits")
    if not waits or now - datetime.fromisoformat(waits["since"]) < BRIEF:
        return ""
    words = re.split("[:;]", waits["reason"], maxsplit=1)[0]
    if not words or words in (session.get("reason") or ""):
        return "a message waits"
    return f"a message {words}" if words.startswith("waits ") else f"a message waits: {words}"


def tint(style: Style) -> Tint | None:
    """The colours of the table, or None when colours are off."""

    def painted(column: Column, cell: str, padded: str) -> str:
        palette = {"STATUS": STATUS, "ACTIVITY": ACTIVITY}.get(column.title, {})
        colour = (
            "yellow"
            if cell.startswith("asks:")
            else palette.get(cell.rstrip("?").partition(" +")[0])
        )
        return style.paint(colour, padded)

    return painted if style.on else None


def session_table(
    sessions: Sequence[Document], now: datetime, width: int | None, style: Style
) -> list[str]:
    """The table of these sessions, in the order given."""
    return table(COLUMNS, [row(session, now) for session in sessions], width, tint(style))


def summary(sessions: Sequence[Document]) -> str:
    """All in one line: ``5 sessions: 3 working, 1 ci_failed, 1 approved``."""
    counts = Counter(session["status"] for session in sessions)
    noun = "session" if len(sessions) == 1 else "sessions"
    parts = ", ".join(f"{counts[status]} {status}" for status in STATUS if counts[status])
    return f"{len(sessions)} {noun}: {parts}" if parts else f"{len(sessions)} {noun}"


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
    why = (
        f" ({reasons[0]}{f'; and {len(reasons) - 1} more reasons' if len(reasons) > 1 else ''})"
        if reasons
        else ""
    )
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
