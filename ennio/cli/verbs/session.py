"""One session: all about it, why its status is what it is; kill it,
restore it; or list them all.
"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ennio.cli import caller
from ennio.cli.command_result import CommandResult
from ennio.cli.context import path
from ennio.model.errors import EnnioError

if TYPE_CHECKING:
    from ennio.cli.context import CliContext
    from ennio.cli.parser import Parser
    from ennio.http.client import ApiClient

_LAST = 5

EXAMPLES = """\
  ennio session list my-app
  ennio session info ma-1a2b3c4d
  ennio session why ma-1a2b3c4d
  ennio session kill ma-1a2b3c4d
  ennio session restore ma-1a2b3c4d
  ennio session resume ma-1a2b3c4d --now
"""


def configure(parser: Parser) -> None:
    """The sub-verbs."""
    subs = parser.verbs(
        info=(info, "show everything known of a session"),
        why=(why, "show the facts and the rule behind its status"),
        kill=(
            kill,
            (
                "end the agent for good: it cannot be restored; its workspace stays until it is "
                "cleaned up"
            ),
        ),
        restore=(restore, "start an exited agent again, in its workspace, where it was"),
        resume=(
            resume,
            "let a session go on whose agent's plan was used up, when that resets or at once",
        ),
        seen=(seen, "say that you have seen what it called you for, until it does so anew"),
        look=(look, "have it read again what its agent tells"),
        list=(listed, "list sessions"),
    )
    for name in ("info", "why", "kill", "restore", "resume", "seen", "look"):
        subs[name].add_argument("session", help="the session's id")
    when = subs["resume"].add_mutually_exclusive_group()
    when.add_argument(
        "--at-reset", action="store_true", help="once the window has reset (the default)"
    )
    when.add_argument("--now", action="store_true", help="at once, whatever the plan says")
    subs["list"].add_argument("project", nargs="?", help="only this project (id or name)")
    subs["list"].add_argument(
        "--status", action="append", help="only with this status (repeatable)"
    )
    subs["list"].add_argument("-a", "--all", action="store_true", help="also the archived ones")


def info(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """All of a session, with its history, last events and messages."""
    client = context.client()
    session = client.get(path("/sessions/{}", options.session))
    history = client.get(path("/sessions/{}/evidence", options.session))
    events = client.get(path("/sessions/{}/events", options.session), limit=10)
    messages = client.get(path("/sessions/{}/messages", options.session))
    from ennio.cli.detail_view import detail_lines, event_line, history_lines
    from ennio.cli.verbs.messages import message_table

    style = context.style
    lines = detail_lines(session, datetime.now(UTC), style)
    lines += _section("status history", history_lines(history[:10]))
    lines += _section("recent events", [event_line(event, style) for event in events])
    lines += _section("messages", message_table(messages[-10:], context.width) if messages else [])
    return CommandResult(
        {"session": session, "evidence": history, "events": events, "messages": messages}, lines
    )


def _section(title: str, lines: list[str]) -> list[str]:
    return ["", f"{title}:", *(f"  {line}" for line in lines)] if lines else []


def why(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """The newest evidence of a session in words, and what each reaction last did about
    it or why it did nothing.
    """
    client = context.client()
    session = client.get(path("/sessions/{}", options.session))
    history = client.get(path("/sessions/{}/evidence", options.session))
    reactions = _newest_of_each(client.get(path("/sessions/{}/reactions", options.session)))
    from ennio.cli.detail_view import evidence_lines, message_line, reaction_line, turn_line

    now = datetime.now(UTC)
    lines = (
        evidence_lines(history[0], now)
        if history
        else [f"{session['status']}: {session.get('reason') or 'nothing was decided yet'}"]
    )
    if history and session.get("reason") not in (None, "", history[0]["rule"]):
        lines.append(f"  now: {session['reason']}")  # what keeps it since, which no rule is about
    lines.append(f"  turn: {turn_line(session, now)}")
    if session.get("paused"):
        lines.append(f"  {session['paused']}")
    if session.get("no_signal_since"):
        from ennio.board.quantities import age

        since, why_not = age(session["no_signal_since"], now), session.get("no_signal")
        lines.append(
            f"  no signal for {since}: the status is frozen until somebody can look "
            f"again{f' ({why_not})' if why_not else ''}"
        )
    if session.get("silent_since"):
        since = session["silent_since"]
        lines.append(
            f"  no signal since {since}: the agent runs, but neither it nor its screen tells what "
            "it does; that is the last known"
        )
    lines += [f"  {reaction_line(reaction, now)}" for reaction in reactions]
    mail = _undelivered(client.get(path("/sessions/{}/messages", options.session)))
    lines += [f"  {message_line(message, now)}" for message in mail]
    last = last_words(session, client)
    lines += [f"  its terminal ends with: {line}" for line in last[-1:]]
    told = {
        "session": session,
        "evidence": history[0] if history else None,
        "reactions": reactions,
        "messages": mail,
        "last_output": last,
    }
    return CommandResult(told, lines)


def last_words(session: dict[str, Any], client: ApiClient) -> list[str]:
    """The last lines in the terminal of a session that has exited: they often say why. None when
    nobody can tell any more.
    """
    if session["status"] != "exited":
        return []
    try:
        text = client.get(path("/sessions/{}/output", session["id"]), lines=_LAST)
    except EnnioError:
        return []
    return [line for line in str(text).splitlines() if line.strip()]


def _undelivered(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The messages that the agent has not taken yet, and the newest when it failed."""
    waiting = [
        message for message in messages if message["state"] in ("queued", "sending", "sent_unsure")
    ]
    return waiting + [message for message in messages[-1:] if message["state"] == "failed"]


def _newest_of_each(reactions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The newest record of every rule; given and returned newest first."""
    found: dict[str, dict[str, Any]] = {}
    for record in reactions:
        found.setdefault(record["key"], record)
    return list(found.values())


def kill(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """End the agent for good."""
    if options.session != caller.session():
        caller.insist_on_person("end another's session")
    told = context.client().delete(path("/sessions/{}", options.session))
    if told == "killed":
        line = f"killed {options.session}; {_left_to_do(options.session, context)}"
    else:
        why = f"ennio session why {options.session}"
        line = (
            f"{options.session} is being ended, and what was started has not been seen to end "
            f"yet; see: {why}"
        )
    return CommandResult({"session": options.session, "result": told}, [line])


def _left_to_do(session: str, context: CliContext) -> str:
    """How its workspace is removed; the file says how, so that of a project which has left it the
    workspace is kept.
    """
    way = f"ennio cleanup {session}"
    try:
        project = context.client().get(path("/sessions/{}", session))["project_id"]
        known = [one["id"] for one in context.client().get("/projects")]
    except EnnioError:  # it is killed all the same
        return f"remove its workspace with: {way}"
    if project in known:
        return f"remove its workspace with: {way}"
    return (
        f"its workspace stays, as its project {project} is not in the configuration any more; once "
        f"it is back there, remove it with: {way}"
    )


def restore(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """Start it again."""
    session = context.order(path("/sessions/{}/restore", options.session), {})
    from ennio.cli.detail_view import place

    if session.get("queued"):
        return CommandResult(
            session,
            [
                (
                    f"{options.session} waits in the queue, {place(session['queued'])}; see: ennio "
                    "queue list"
                )
            ],
        )
    return CommandResult(
        session, [f"restoring {options.session}; see: ennio session info {options.session}"]
    )


def resume(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """Let it go on."""
    caller.insist_on_person("let a session go on whose plan was used up")
    when = "now" if options.now else "at_reset"
    session = context.client().post(path("/sessions/{}/resume", options.session), {"when": when})
    words = session.get("reason") or session["status"]
    told = "is told to go on" if session["activity"] != "blocked" else f"goes on then: {words}"
    return CommandResult(session, [f"{options.session} {told}"])


def seen(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """Mark its escalations as seen."""
    caller.insist_on_person("say that a person has seen it")
    told = context.client().post(path("/sessions/{}/seen", options.session), {"by": caller.name()})
    return CommandResult(
        {"session": options.session, "result": told},
        [f"{options.session} calls you again when it escalates anew"],
    )


def look(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """Look again."""
    told = context.client().post(path("/sessions/{}/look", options.session))
    return CommandResult(
        {"session": options.session, "result": told},
        [f"looking at {options.session}; see: ennio session info {options.session}"],
    )


def listed(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """The table of sessions."""
    project = context.project_id(options.project) if options.project else None
    statuses = ",".join(options.status) if options.status else None
    sessions = context.client().get(
        "/sessions", project_id=project, status=statuses, all=True if options.all else None
    )
    from ennio.cli.turn_table import turn_table

    lines = (
        turn_table(sessions, datetime.now(UTC), context.width, context.style)
        if sessions
        else ["no such sessions"]
    )
    return CommandResult(sessions, lines)
