"""Pull requests, on whatever forge the project uses. PULL is ``PROJECT NUMBER``,
``PROJECT#NUMBER`` or a session's id.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from ennio.cli import caller
from ennio.cli.command_result import CommandResult
from ennio.cli.conflict_view import warning_lines
from ennio.cli.context import path
from ennio.cli.session_name import whole_id
from ennio.cli.text import text_of
from ennio.model.errors import EnnioError, Invalid, NotFound, Refused
from ennio.model.plural import number_of

if TYPE_CHECKING:
    from ennio.cli.context import CliContext
    from ennio.cli.parser import Parser

EXAMPLES = """\
  ennio pr list
  ennio pr show my-app 7
  ennio pr pack ma-1a2b3c4d
  ennio pr diff ma-1a2b3c4d
  ennio pr create my-app --branch feat/login --title "Log in by key"
  ennio pr approve ma-1a2b3c4d
  ennio pr request-changes my-app#7 -m "Please add a test" --path src/app.py --line 12
  ennio pr reply my-app#7 COMMENT -m "Done in the last commit"
  ennio pr resolve my-app#7 THREAD
  ennio pr merge my-app 7 --method squash
  ennio pr merge ma-1a2b3c4d --force
"""
MERGE_NOTE = """\
Whoever merges what nobody was asked to review is its reviewer. `--force` is needed where checks are
not green, a review asks for changes, an approval is of another head, GitHub waits for a review, or
`review_required: true` stands under `scm_config.config` (the local forge; by default it does not)
and nobody has approved.
"""
WITH_WORDS = {"approve": False, "request-changes": True, "comment": True}


def configure(parser: Parser) -> None:
    """The sub-verbs."""
    subs = parser.verbs(
        list=(listed, "list pull requests: open ones and those ended lately"),
        show=(show, "show one with its checks, files and open comments"),
        pack=(pack, "show what a reviewer wants to know of one, on one page"),
        diff=(diff, "show what it changes"),
        files=(files, "list the files it changes"),
        create=(create, "open a pull request from a branch"),
        approve=(approve, "approve it"),
        request_changes=(request_changes, "ask for changes; the agent is told"),
        comment=(comment, "comment on it"),
        reply=(reply, "answer one of its comments"),
        resolve=(resolve, "settle one of its threads"),
        merge=(merge, "merge it, unless its checks or a review speak against it"),
        close=(close, "close it without merging"),
        ready=(ready, "take it out of draft"),
        rerun=(rerun, "run its checks again"),
        nudge=(nudge, "tell its reviewers again that they are waited for"),
        leave_queue=(leave_queue, "have the forge not merge it by itself"),
    )
    subs["merge"].epilog = MERGE_NOTE
    subs["list"].add_argument("project", nargs="?", help="only this project (id or name)")
    for name in (
        "show",
        "pack",
        "diff",
        "files",
        "approve",
        "request-changes",
        "comment",
        "merge",
        "close",
        "ready",
        "rerun",
        "nudge",
        "leave-queue",
    ):
        subs[name].add_argument(
            "pull",
            nargs="+",
            metavar="PULL",
            help="PROJECT NUMBER, PROJECT#NUMBER, or a session's id",
        )
    for name, needed in WITH_WORDS.items():
        subs[name].add_argument(
            "-m", "--message", required=needed, help="the words; - reads standard input"
        )
        subs[name].add_argument("--path", help="the file it is about")
        subs[name].add_argument("--line", type=int, help="the line it is about")
        subs[name].add_argument("--author", help="in whose name, where the forge lets you say")
    subs["reply"].add_argument("pull", metavar="PULL", help="PROJECT#NUMBER, or a session's id")
    subs["reply"].add_argument("comment", help="the comment's id, as `ennio pr show PULL` tells it")
    subs["reply"].add_argument(
        "-m", "--message", required=True, help="the words; - reads standard input"
    )
    subs["resolve"].add_argument("pull", metavar="PULL", help="PROJECT#NUMBER, or a session's id")
    subs["resolve"].add_argument("thread", help="the thread's id, or that of a comment in it")
    for name in ("approve", "merge"):
        subs[name].add_argument(
            "--head",
            metavar="COMMIT",
            help="the head you saw; refused when it is another one by now",
        )
    subs["merge"].add_argument(
        "--force",
        action="store_true",
        help="also what is red or lacks an approval it needs; an event says who",
    )
    subs["merge"].add_argument(
        "--method",
        choices=("squash", "merge", "rebase"),
        help="how (else as the project is configured)",
    )
    _configure_create(subs["create"])


def _configure_create(parser: Parser) -> None:
    parser.add_argument("project", help="the project's id or name")
    parser.add_argument("-b", "--branch", required=True, help="the branch to merge")
    parser.add_argument("-t", "--title", required=True, help="its title")
    parser.add_argument(
        "-m", "--body", type=str, default="", help="its description; - reads standard input"
    )
    parser.add_argument("--draft", action="store_true", help="open it as a draft")


def locate(words: list[str], context: CliContext) -> tuple[str, int]:
    """The project id and number that PULL means. Raises Invalid, NotFound."""
    if len(words) == 1 and "#" in words[0]:
        words = words[0].rsplit("#", 1)
    if len(words) == 1:
        session = context.client().get(path("/sessions/{}", whole_id(words[0], context.client())))
        if not session.get("pr_number"):
            raise NotFound(f"session {words[0]} has no pull request yet")
        return session["project_id"], session["pr_number"]
    number = words[1].removeprefix("#")
    if len(words) != 2 or not number.isdecimal():
        raise Invalid(
            f"{' '.join(words)!r} names no pull request: give PROJECT NUMBER, PROJECT#NUMBER, or "
            "a session's id"
        )
    return context.project_id(words[0]), int(number)


def _post(
    options: argparse.Namespace,
    context: CliContext,
    action: str,
    body: dict[str, Any] | None = None,
) -> Any:
    return context.order(
        path("/projects/{}/pulls/{}/" + action, *locate(options.pull, context)), body or {}
    )


def listed(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """The table of pull requests."""
    from ennio.cli.pull_view import pull_table

    project = context.project_id(options.project) if options.project else None
    pulls = context.client().get("/pulls", project_id=project)
    return CommandResult(
        pulls, pull_table(pulls, context.width, context.style) if pulls else ["no pull requests"]
    )


def show(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """One in full; a forge that does not tell the files is shown without."""
    from ennio.cli.pull_view import file_lines, pull_lines

    client, place = context.client(), locate(options.pull, context)
    pull = client.get(path("/projects/{}/pulls/{}", *place))
    try:
        found = client.get(path("/projects/{}/pulls/{}/files", *place))
    except EnnioError as error:
        return CommandResult(pull | {"files": None}, pull_lines(pull), notes=[str(error)])
    return CommandResult(
        pull | {"files": found["files"]}, [*pull_lines(pull), "", *file_lines(found)]
    )


def pack(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """What its session knows of it; also of a session without a pull request."""
    from ennio.cli.pack_view import pack_lines

    found = context.client().get(path("/sessions/{}/pack", _session(options.pull, context)))
    return CommandResult(found, pack_lines(found))


def _session(words: list[str], context: CliContext) -> str:
    """The session that PULL means. Raises Invalid, NotFound."""
    if len(words) == 1 and "#" not in words[0]:
        return whole_id(words[0], context.client())
    project, number = locate(words, context)
    sessions = context.client().get("/sessions", project_id=project, all=True)
    mine = [one["id"] for one in sessions if one.get("pr_number") == number]
    if not mine:
        raise NotFound(f"#{number} of {project} is of no session; ennio pr show {project} {number}")
    return str(mine[-1])


def files(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """The files."""
    from ennio.cli.pull_view import file_lines

    found = context.client().get(
        path("/projects/{}/pulls/{}/files", *locate(options.pull, context))
    )
    return CommandResult(found, file_lines(found))


def diff(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """What it changes, from where its branch left the base to its head."""
    from ennio.cli.pull_view import diff_lines

    found = context.client().get(path("/projects/{}/pulls/{}/diff", *locate(options.pull, context)))
    notes = (
        ["the difference is longer than what is shown here; the rest is in the repository"]
        if found["truncated"]
        else []
    )
    return CommandResult(found, diff_lines(found, context.style), notes=notes)


def create(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """Open one."""
    body = text_of(options.body) if options.body else ""
    order = {"branch": options.branch, "title": options.title, "body": body, "draft": options.draft}
    pull = context.order(path("/projects/{}/pulls", context.project_id(options.project)), order)
    return CommandResult(pull, [f"#{pull['number']} is open: {pull['url']}"])


def _review(
    options: argparse.Namespace, context: CliContext, action: str, done: str
) -> CommandResult:
    words = text_of(options.message) if options.message is not None else None
    body = {
        "body": words,
        "path": options.path,
        "line": options.line,
        "author": options.author or caller.session(),
    }
    if action == "approve":
        body["head"] = options.head
    pull = _post(options, context, action, body)
    notes = warning_lines(pull.get("conflicts_expected") or ()) if action == "approve" else []
    return CommandResult(pull, [f"{done} #{pull['number']} at {pull['head'][:7]}"], notes=notes)


def approve(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """Approve."""
    return _review(options, context, "approve", "approved")


def request_changes(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """Ask for changes."""
    return _review(options, context, "request-changes", "asked for changes on")


def comment(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """Comment."""
    return _review(options, context, "comment", "commented on")


def reply(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """Answer a comment."""
    options.pull = [options.pull]
    pull = _post(
        options, context, "reply", {"comment": options.comment, "body": text_of(options.message)}
    )
    return CommandResult(pull, [f"answered {options.comment} on #{pull['number']}"])


def resolve(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """Settle a thread."""
    options.pull = [options.pull]
    pull = _post(options, context, "resolve", {"thread": options.thread})
    return CommandResult(pull, [f"settled {options.thread} on #{pull['number']}"])


def merge(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """Merge."""
    if caller.session() is not None:
        raise Refused(
            "agents do not merge: a person does, or auto_merge (ENNIO_SESSION_ID is set, so this "
            "is an agent's terminal)"
        )
    order = {
        "method": options.method,
        "head": options.head,
        "force": options.force or None,
        "by": caller.name(),
    }
    merged = _post(options, context, "merge", order)
    return CommandResult(
        merged,
        [f"merged as {merged['commit']}" if merged["commit"] else merged["message"]],
        notes=[
            *warning_lines(merged.get("conflicts_expected") or ()),
            *_unheard(options.pull, merged, context),
        ],
    )


def _unheard(pull: list[str], merged: dict[str, Any], context: CliContext) -> list[str]:
    """What its agent will not be told any more."""
    many = merged.get("undelivered") or 0
    if not many:
        return []
    number = number_of(many, "message")
    verb = "was" if many == 1 else "were"
    gone = f"{verb} not delivered" if merged["commit"] else f"{verb} not delivered so far"
    return [f"{number} for its agent {gone}: ennio messages {_session(pull, context)}"]


def close(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """Close."""
    pull = _post(options, context, "close")
    return CommandResult(pull, [f"closed #{pull['number']}"])


def ready(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """Take it out of draft."""
    pull = _post(options, context, "ready")
    return CommandResult(pull, [f"#{pull['number']} is ready for review"])


def rerun(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """Run its checks again."""
    pull = _post(options, context, "rerun")
    return CommandResult(pull, [f"the checks of #{pull['number']} run again"])


def nudge(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """Tell its reviewers again."""
    pull = _post(options, context, "nudge")
    return CommandResult(pull, [f"told the reviewers of #{pull['number']} again"])


def leave_queue(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """Take it out of the merge queue."""
    caller.insist_on_person("take a pull request out of the merge queue")
    pull = _post(options, context, "leave-queue")
    return CommandResult(pull, [f"#{pull['number']} is not merged by itself any more"])
