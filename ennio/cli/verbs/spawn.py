"""Set an agent to work: on an issue, on a prompt, or on both, in a working copy of its own."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from ennio.cli import edited_file
from ennio.cli.command_result import INTERRUPTED, CommandResult
from ennio.cli.context import path
from ennio.cli.text import text_of
from ennio.model.errors import Invalid, NotFound, Refused, Unauthorized

if TYPE_CHECKING:
    from ennio.cli.context import CliContext
    from ennio.cli.parser import Parser

EXAMPLES = """\
  ennio spawn my-app --issue 42
  ennio spawn my-app --prompt "Add input validation to the signup form"
  ennio spawn my-app -i 42 -p @notes.md --branch feat/signup-validation
  ennio spawn my-app -p "Fix the flaky test" --dry-run
"""
STARTED = ("session_working", "session_exited", "session_killed")


def configure(parser: Parser) -> None:
    """What to work on, and how."""
    parser.add_argument("project", help="the project's id or name")
    parser.add_argument(
        "-i", "--issue", metavar="ID", help="the issue to work on, read from the project's tracker"
    )
    parser.add_argument(
        "-p", "--prompt", metavar="TEXT", help="what to do; - reads standard input, @FILE a file"
    )
    parser.add_argument(
        "-b",
        "--branch",
        metavar="NAME",
        help="the branch to work on (else named by the issue or the session)",
    )
    parser.add_argument("-r", "--role", help="the session's role")
    for name, words in (
        ("agent", "agent"),
        ("runtime", "runtime"),
        ("workspace", "kind of workspace"),
    ):
        parser.add_argument(f"--{name}", metavar="NAME", help=f"another {words} than the project's")
    parser.add_argument("--priority", type=int, default=0, help="higher starts sooner (default 0)")
    parser.add_argument(
        "--hold", action="store_true", help="start it only when ennio queue release names it"
    )
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="show what would be started, or why it is refused; start nothing",
    )
    parser.add_argument(
        "--wait", action="store_true", help="wait until the agent works (or could not be started)"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """Spawn, or show what would be spawned."""
    order = _order(options, context.project_id)
    try:
        answer = _answered(order, context, dry_run=options.dry_run)
    except Unauthorized:
        raise
    except (Invalid, NotFound, Refused) as error:
        raise edited_file.explained(error, context, order["project_id"]) from error
    if options.dry_run:
        return CommandResult(answer, _preview_lines(answer))
    if options.wait and not options.hold:
        return _waited(answer, context)
    return CommandResult(answer, [_spawned(answer)])


def _answered(order: dict[str, Any], context: CliContext, *, dry_run: bool) -> Any:
    if dry_run:
        return context.client().post("/sessions", order, dry_run=True)
    return context.order("/sessions", order, once=True)


def _spawned(session: dict[str, Any]) -> str:
    """What became of it so far: one that is held, or waits for others, is not there yet."""
    name, queued = session["id"], session.get("queued")
    where = f" on {session['branch']}" if session.get("branch") else ""
    if not queued:
        return f"spawned {name}{where}; see: ennio session info {name}"
    if queued.get("held"):
        return f"queued {name}{where}, held back; start it with: ennio queue release {name}"
    if not queued.get("reason"):  # it is just being looked at
        return f"spawned {name}{where}; see: ennio session info {name}"
    return f"queued {name}{where}: {queued['reason']}; see: ennio queue list"


def _order(options: argparse.Namespace, project_id: Any) -> dict[str, Any]:
    if not options.issue and not options.prompt:
        raise Invalid("nothing to work on: give --issue ID, --prompt TEXT, or both")
    given = {
        "project_id": project_id(options.project),
        "issue_id": options.issue,
        "prompt": text_of(options.prompt, files=True) if options.prompt else None,
        "branch": options.branch,
        "role": options.role,
        "agent": options.agent,
        "runtime": options.runtime,
        "workspace": options.workspace,
        "priority": options.priority or None,
        "held": options.hold or None,
    }
    return {name: value for name, value in given.items() if value is not None}


def _preview_lines(preview: dict[str, Any]) -> list[str]:
    import shlex

    from ennio.board.table import pairs
    from ennio.cli.forecast_view import forecast_lines

    unseen = preview.get("unseen")
    items = [
        ("session", f"{preview['session_id']} (an id like this)"),
        ("agent", f"{preview['agent']} in {preview['runtime']}"),
        ("workspace", f"{preview['workspace'] or 'not known'} ({preview['workspace_kind']})"),
        ("branch", f"{preview['branch']} (from {preview['base']})"),
        ("before", "\n".join(preview["post_create"])),
        ("command", shlex.join(preview["command"])),
        ("environment", ", ".join(preview["env"])),
        ("waits", preview.get("queue_reason") or ""),
        ("not seen", f"{unseen}; it would wait until its machine answers" if unseen else ""),
        ("forecast", "\n".join(forecast_lines(preview["forecast"]))),
        ("rules", preview["system"]),
        ("prompt", preview["prompt"]),
    ]
    return [*pairs(items), "", "nothing was started (--dry-run)"]


def _started(event: dict[str, Any]) -> bool:
    """An agent that ends after its prompt may never be seen at work: its session leaves
    spawning for something else.
    """
    left = event["event_type"] == "status_changed" and event["data"].get("from") == "spawning"
    return left or event["event_type"] in STARTED


def _waited(session: dict[str, Any], context: CliContext) -> CommandResult:
    """Follow the session's own events from the beginning of the log: none can be
    missed between spawn and look.
    """
    client = context.client()
    context.note(_spawned(session))  # whoever leaves in the middle knows what it is called
    try:
        context.interrupt.release()
        for event in client.stream(after=0, session_id=session["id"]):
            if event["event_type"] != "activity_changed":
                context.note(event["message"])
            if _started(event) or event["data"].get("blocked"):
                break
    except KeyboardInterrupt:
        line = (
            f"not waited for: session {session['id']} goes on; see: ennio session info "
            f"{session['id']}"
        )
        return CommandResult(session, [line], code=INTERRUPTED)
    now = client.get(path("/sessions/{}", session["id"]))
    if (now.get("queued") or {}).get("reason") and now["turn"] == "you":
        lines = [f"{now['id']} waits for you: {now['queued']['reason']}"]
        lines.append(f"it starts once that is mended, or: ennio queue drop {now['id']}")
        return CommandResult(now, lines, code=1)
    failed = now["status"] in ("exited", "killed")
    from ennio.cli.verbs.session import last_words

    lines = [f"{now['id']} is {now['status']}: {now.get('reason') or ''}".rstrip(": ")]
    lines += [f"its terminal ends with: {line}" for line in last_words(now, client)[-1:]]
    return CommandResult(now, lines, code=1 if failed else 0)
