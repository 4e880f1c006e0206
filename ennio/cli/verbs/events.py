"""Show what happened, oldest first; with --follow, go on showing what happens (under
--json one event a line).
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from ennio.board.printing import out
from ennio.cli.command_result import CommandResult
from ennio.cli.context import path
from ennio.cli.parser import UsageError
from ennio.model.errors import Invalid

if TYPE_CHECKING:
    from ennio.cli.context import CliContext
    from ennio.cli.parser import Parser

EXAMPLES = """\
  ennio events --limit 20
  ennio events -f --session ma-1a2b3c4d
  ennio events --type ci_failing --type pr_merged --project my-app
  ennio events --text lint --limit 5
  ennio events -f --json | jq -r .message
  NATS_URL=nats://nats.example:4222 ennio events --nats
"""


def configure(parser: Parser) -> None:
    """Which events."""
    parser.add_argument("-f", "--follow", action="store_true", help="go on with what happens")
    parser.add_argument("--after", type=int, metavar="SEQ", help="from after this event on")
    parser.add_argument("--type", action="append", help="only of this type (repeatable)")
    parser.add_argument("--session", metavar="ID", help="only of this session")
    parser.add_argument("--project", help="only of this project (id or name)")
    parser.add_argument(
        "--priority",
        choices=("info", "action", "urgent", "critical"),
        help="at least as urgent as this",
    )
    parser.add_argument("--text", help="only with these words in the message")
    parser.add_argument("--before", type=int, metavar="SEQ", help="the ones before this event")
    parser.add_argument("-n", "--limit", type=int, default=50, help="how many at most (default 50)")
    parser.add_argument(
        "--nats",
        action="store_true",
        help="follow on the NATS server of the configuration, or of NATS_URL; needs no supervisor",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """List them, and follow if asked to."""
    from ennio.cli.detail_view import event_line

    if options.before is not None and (options.follow or options.after is not None):
        raise UsageError("--before leads back, --after and --follow on: give one of them")
    if options.nats:
        return _from_afar(options, context)
    if options.session:
        context.client().get(
            path("/sessions/{}", options.session)
        )  # one that is not there has no events, and never will
    wanted = {
        "type": ",".join(options.type) if options.type else None,
        "session_id": options.session,
        "project_id": context.project_id(options.project) if options.project else None,
        "priority": options.priority,
        "text": options.text,
    }
    where = {"after": options.after, "before": options.before, "limit": options.limit}
    events = _past(context.client().get("/events", **where, **wanted), options.after)
    if options.follow:
        return _follow(events, wanted, options.after, context)
    return CommandResult(
        events, [event_line(event, context.style) for event in events] or ["nothing happened yet"]
    )


def _past(events: list[dict[str, Any]], after: int | None) -> list[dict[str, Any]]:
    # without a starting point the API answers newest first
    return events if after is not None else sorted(events, key=lambda event: int(event["seq"]))


def _follow(
    events: list[dict[str, Any]], wanted: dict[str, Any], after: int | None, context: CliContext
) -> CommandResult:
    from ennio.cli.detail_view import event_line
    from ennio.cli.main import dump

    def show(event: dict[str, Any]) -> None:
        out(dump(event, indent=None) if context.json else event_line(event, context.style))

    for event in events:
        show(event)
    client = context.client()
    seen = (
        events[-1]["seq"]
        if events
        else after
        if after is not None
        else client.get("/status")["last_seq"]
    )
    for event in client.stream(after=seen, **wanted):
        show(event)
    return CommandResult(spoken=True)


def _from_afar(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """Follow what is published; what happened before is not there."""
    from ennio.cli.detail_view import event_line
    from ennio.cli.main import dump
    from ennio.cli.nats_events import followed, server

    for name in ("after", "before"):
        if getattr(options, name) is not None:
            raise Invalid(f"--{name}: NATS has only what happens from now on; leave it out")
    settings = server(context)

    def show(event: dict[str, Any]) -> None:
        out(dump(event, indent=None) if context.json else event_line(event, context.style))

    followed(settings, options, show, context.note)
    return CommandResult(spoken=True)
