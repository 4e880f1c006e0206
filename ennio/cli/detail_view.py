"""One session in full: what its document says, and the evidence behind its status in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from ennio.board.plan_windows import windows_of
from ennio.board.quantities import age, local, money, span, tokens
from ennio.board.sessions import activity
from ennio.board.style import STATUS, Style
from ennio.board.table import clean, pairs
from ennio.cli.conflict_view import expected_lines
from ennio.cli.forecast_view import estimate_line, forecast_lines
from ennio.cli.turn_table import turn_of
from ennio.model.plural import number_of

Document = Mapping[str, Any]


def detail_lines(session: Document, now: datetime, style: Style) -> list[str]:
    """Everything the session's document says, one thing a line."""
    status = session["status"] + (
        f" ({session['outcome']})"
        if session.get("outcome") not in (None, "", session["status"])
        else ""
    )
    items = [
        ("session", session["id"]),
        ("project", session["project_id"]),
        ("title", session["title"]),
        ("turn", turn_line(session, now)),
        ("wants", ", ".join(session["wants"])),
        ("status", status),
        ("because", session.get("reason") or ""),
        ("activity", activity(session)),
        ("paused", (session.get("paused") or "").removeprefix("paused: ")),
        ("no signal", _since(session.get("no_signal_since") or session.get("silent_since"), now)),
        ("of", session.get("no_signal") or ""),
        ("asks", session.get("question") or ""),
        ("says", session.get("detail") or ""),
        ("queue", place(session.get("queued"))),
        ("agent", _agent(session)),
        ("host", session.get("host") or ""),
        ("isolation", session.get("isolation") or ""),
        ("role", session.get("role") or ""),
        ("issue", session.get("issue_id") or ""),
        ("prompt", session.get("prompt") or ""),
        ("branch", _branch(session)),
        ("conflicts", "\n".join(expected_lines(session.get("conflicts") or ()))),
        ("pull request", session.get("pr_url") or ""),
        ("workspace", session.get("workspace_path") or ""),
        ("terminal", session.get("tmux_name") or ""),
        *((f"shared {name}", link) for name, link in (session.get("shared") or {}).items()),
        ("used", _usage(session.get("usage"))),
        ("plan", windows_of(session, now)),
        ("metered", _counted(session.get("counted"))),
        ("so far", _course(session.get("metrics"))),
        ("forecast", "\n".join(forecast_lines(session.get("forecast")))),
        ("to come", estimate_line(session)),
        ("began", _since(session["created_at"], now)),
        ("last activity", _since(session.get("last_activity_at"), now)),
        ("restored", _since(session.get("restored_at"), now)),
        ("archived", _since(session.get("archived_at"), now)),
    ]
    lines = pairs(items)
    return [
        style.paint(STATUS.get(session["status"]), line) if line.startswith("status ") else line
        for line in lines
    ]


def turn_line(session: Document, now: datetime) -> str:
    """Whose turn it is, for what, since when and why, and by which rule."""
    since = age(session["turn_since"], now)
    return f"{turn_of(session)} for {since}: {session['turn_why']} (rule {session['rule']})"


def _since(text: str | None, now: datetime) -> str:
    return f"{local(text)} ({age(text, now)} ago)" if text else ""


def place(queued: Document | None) -> str:
    """Its place in the queue and what it waits for; empty when it does not wait."""
    if not queued:
        return ""
    held = "held; " if queued.get("held") else ""
    return f"position {queued.get('position')}: {held}{queued.get('reason') or ''}".rstrip(": ")


def _counted(counted: Document | None) -> str:
    """What its proxy counted, and how its agent's own count stands to that."""
    if not counted or not counted["requests"]:
        return ""
    unknown = f", {counted['unknown']} of them unknown" if counted["unknown"] else ""
    told, passed = counted["told"], counted["tokens"]
    if told is None or told == passed:
        own = "" if told is None else "; its agent tells the same"
    else:
        own = f"; its agent tells of {counted['told_requests']} ({_both(told)}): they differ"
    many = number_of(counted["requests"], "request")
    return f"{many} by the proxy ({_both(passed)}){unknown}{own}"


def _both(told: Document) -> str:
    given = sum(told[name] for name in ("input", "cache_read", "cache_write", "cache_write_1h"))
    searches = told.get("web_searches")  # one that runs since before there were any tells of none
    more = f", {number_of(searches, 'search', 'searches')}" if searches else ""
    return f"{given} in, {told['output']} out{more}"


def _agent(session: Document) -> str:
    runtime = session.get("runtime")
    return (session.get("agent_name") or "") + (f" in {runtime}" if runtime else "")


def _branch(session: Document) -> str:
    base = session.get("base")
    return (session.get("branch") or "") + (
        f" (from {base})" if base and session.get("branch") else ""
    )


def _usage(usage: Document | None) -> str:
    if not usage:
        return ""
    parts = [
        f"{tokens(usage['input_tokens'])} in",
        f"{tokens(usage['output_tokens'])} out",
        money(usage.get("cost_usd"), usage.get("unpriced") or 0) or "?",
    ]
    plan = usage.get("listed_usd")
    return ", ".join(parts) + (f" ({money(plan)} of it on a plan, not billed)" if plan else "")


def _course(metrics: Document | None) -> str:
    """How it went, as far as it has come."""
    if not metrics:
        return ""
    runs, rounds = metrics["ci_runs"], metrics["review_rounds"]
    first, merged = metrics["time_to_first_pr_secs"], metrics["time_to_merge_secs"]
    parts = [
        f"pull request after {span(first)}" if first is not None else "",
        f"{number_of(runs, 'run')} of the checks, {metrics['ci_failures']} failed" if runs else "",
        f"{number_of(rounds, 'round')} of review" if rounds else "",
        f"merged after {span(merged)}" if merged is not None else "",
    ]
    return "; ".join(filter(None, parts))


def evidence_lines(evidence: Document, now: datetime) -> list[str]:
    """One verdict in words: the status, the rule that gave it, and each fact
    with its source and time.
    """
    lines = [
        f"{evidence['status']} since {local(evidence['at'])} ({age(evidence['at'], now)} ago)",
        f"  rule: {clean(evidence['rule'])}",
    ]
    if evidence["facts"]:
        lines.append("  as it was when that was decided (later news: ennio events --session ID):")
    for ground in evidence["facts"]:
        seen = (
            f", seen {local(ground['at'])} ({age(ground['at'], now)} ago)"
            if ground.get("at")
            else ""
        )
        lines.append(f"  - {clean(ground['what'])}  [{clean(ground['source'])}{seen}]")
    return lines


def reaction_line(reaction: Document, now: datetime) -> str:
    """What a reaction last did, or that it did nothing; with its reason and its time."""
    when = f"{local(reaction['at'])} ({age(reaction['at'], now)} ago)"
    did = (
        reaction["action"].replace("_", " ")
        if reaction["outcome"] == "act"
        else reaction["outcome"]
    )
    return f"reaction {reaction['key']}: {did}: {clean(reaction['detail'] or '')}  [{when}]"


def message_line(message: Document, now: datetime) -> str:
    """How far a message to the agent got, and what it waits for or why it failed."""
    why = clean(message["error"] or message["detail"] or "waits for the agent")
    return (
        f"message {clean(message['text'])[:40]!r}: {message['state'].replace('_', ' ')}: {why}  "
        f"[{age(message['created_at'], now)} ago]"
    )


def history_lines(history: Sequence[Document]) -> list[str]:
    """The statuses a session went through, newest first, each with its rule."""
    return [f"{local(entry['at'])}  {entry['status']}  {clean(entry['rule'])}" for entry in history]


def event_line(event: Document, style: Style) -> str:
    """One event of the log on one line."""
    colour = {"action": "cyan", "urgent": "yellow", "critical": "red"}.get(event["priority"])
    who = event["session_id"] or event["project_id"] or "-"
    kind = style.paint(colour, f"{event['event_type']:<24}")
    return f"{local(event['timestamp'])}  {who:<14}  {kind}  {clean(event['message'])}".rstrip()
