"""The words given to an agent, layer by layer: Ennio's rules, project, issue, rules of the
project, the person's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


class IssueWords(Protocol):
    """What an agent is told of an issue; the trackers' issues have it."""

    @property
    def id(self) -> str:
        """Its name at the tracker."""

    @property
    def title(self) -> str:
        """One line."""

    @property
    def body(self) -> str:
        """The description."""

    @property
    def url(self) -> str | None:
        """Where to read it."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Its labels."""

    @property
    def comments(self) -> tuple[str, ...]:
        """What was said about it, oldest first."""


@dataclass(frozen=True, slots=True)
class Layers:
    """What a prompt is made of, in the order it is read; whatever is empty leaves no trace."""

    system: str = ""
    project: str = ""
    issue: IssueWords | None = None
    rules: Sequence[str] = ()
    user: str = ""


def compose(layers: Layers) -> str:
    """The whole prompt. A prompt of the person's words alone is those words, without a heading."""
    parts = [
        layers.system.strip(),
        _section("About this project", layers.project),
        _issue(layers.issue) if layers.issue is not None else "",
        _section("Rules of this project", _bullets(layers.rules)),
    ]
    given = [part for part in parts if part]
    task = _section("Your task", layers.user) if given else layers.user.strip()
    return "\n\n".join([*given, task] if task else given)


FORGOTTEN = (
    "You were at this before and remember nothing of it; what you have done is in this working "
    "copy. Since then you were told:"
)


def begun_again(first: str, message: str | None) -> str:
    """The words for an agent that is started once more and has no conversation to go on with: the
    first ones of its session, then what it is to be told now, if anything.
    """
    if not first or message is None or message == first:
        return first or message or ""
    return f"{first}\n\n{FORGOTTEN}\n\n{message}"


def system(
    session: str,
    project: str,
    branch: str,
    base: str,
    role: str | None = None,
    remote: str = "origin",
) -> str:
    """How an agent works here: alone, on its own branch, pushed when done,
    answering what comes back.

    An empty ``remote``: the working copy is one of the project's very repository, so
    a commit is all it takes.
    """
    part = f", in the part of {role}" if role else ""
    hand_in = (
        f"push it: `git push -u {remote} HEAD`"
        if remote
        else "commit it; that hands it in. Push nothing anywhere"
    )
    again = "commits and a push to the same branch" if remote else "commits on the same branch"
    return f"""\
You are session {session} of the project {project}{part}. You work alone, in a working copy that is yours only.

- You are on the branch `{branch}`, started from `{base}`. Stay on it; touch no other branch and no other working copy.
- Commit often, in small steps, each with a message that says what changes and why.
- When the work is done and its tests pass, {hand_in}.
- A pull request from `{branch}` into `{base}` is opened for you. Never merge it yourself.
- Messages will follow: logs of failed checks, reviews, conflicts with `{base}`. Answer each with {again}.
- If you cannot go on without a decision, say so and ask one clear question."""  # noqa: E501


def _section(heading: str, text: str) -> str:
    text = text.strip()
    return f"# {heading}\n\n{text}" if text else ""


def _bullets(rules: Sequence[str]) -> str:
    # a rule of several lines stays one bullet
    return "\n".join("- " + rule.strip().replace("\n", "\n  ") for rule in rules if rule.strip())


def _issue(issue: IssueWords) -> str:
    facts = [
        f"Labels: {', '.join(issue.labels)}" if issue.labels else "",
        f"Link: {issue.url}" if issue.url else "",
    ]
    comments = [comment.strip() for comment in issue.comments if comment.strip()]
    parts = [
        f"# Issue {issue.id}: {issue.title}".rstrip(": "),
        "\n".join(fact for fact in facts if fact),
        issue.body.strip(),
        *(f"## Comment {number}\n\n{text}" for number, text in enumerate(comments, 1)),
    ]
    return "\n\n".join(part for part in parts if part)
