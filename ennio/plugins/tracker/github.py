"""GitHub's issues: details for the prompt, and what became of the work, told as configured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ennio.config.model import Project
from ennio.config.number_fields import BoolField
from ennio.config.text_fields import WordsField
from ennio.model.branch import issue_branch
from ennio.model.errors import Invalid, NotFound
from ennio.model.failpoints import asks
from ennio.plugins.declared import takes
from ennio.plugins.github.client import GitHubClient
from ennio.plugins.github.settings import Access, GitHubAccessSchema, of_values, read
from ennio.plugins.github.token import TokenSource
from ennio.plugins.registry import PluginContext
from ennio.plugins.tracker.interface import Issue, Milestone, MilestoneKind
from ennio.plugins.tracker.wishes import by_milestone, comment
from ennio.plugins.web import as_published, sound

_MOST_ISSUES = 500


@dataclass(frozen=True, slots=True)
class GitHubTrackerSettings:
    """What is done on GitHub when something becomes of the work.

    ``assign`` names who is assigned when a session is spawned; ``comment`` lists the
    milestones that are told in a comment; ``labels`` gives labels to add, and ``unlabels``
    those to take off, by milestone.
    """

    access: Access
    assign: tuple[str, ...] = ()
    comment: tuple[MilestoneKind, ...] = ()
    labels: Mapping[MilestoneKind, tuple[str, ...]] = field(default_factory=dict)
    unlabels: Mapping[MilestoneKind, tuple[str, ...]] = field(default_factory=dict)
    close_on_merge: bool = False


class GitHubTrackerSchema(GitHubAccessSchema):
    """``tracker_config.config`` of ``plugin: github``."""

    makes = GitHubTrackerSettings
    assign = WordsField("Who is assigned when a session is spawned", shown="nobody")
    comment = comment()
    labels = by_milestone("Labels that are added, by milestone", WordsField("Labels"))
    unlabels = by_milestone("Labels that are taken off, by milestone", WordsField("Labels"))
    close_on_merge = BoolField("Close the issue when its pull request is merged")


def parse(config: Mapping[str, Any], project: Project) -> GitHubTrackerSettings:
    """Read the settings. Raises ConfigError with every problem at once."""
    access, given = read(GitHubTrackerSchema, config, _source(project), project)
    return GitHubTrackerSettings(access, **given)


def _source(project: Project) -> str:
    return f"projects[{project.id}].tracker_config.config"


class GitHubTracker:
    """The issues of one repository."""

    name = "github"

    def __init__(self, client: GitHubClient, settings: GitHubTrackerSettings) -> None:
        self.client = client
        self.settings = settings
        self._at = client.address.at

    @as_published("GitHub")
    def issue(self, issue_id: str) -> Issue:
        """See ``Tracker.issue``; ``#42`` is 42. A pull request is no issue."""
        number = self._number(issue_id)
        found = self._read(number)
        comments = self.client.pages(self._at("issues", number, "comments"))
        return _issue(
            found,
            tuple(
                f"{_login(comment)}: {comment['body']}" for comment in comments if _tells(comment)
            ),
        )

    @as_published("GitHub")
    @asks("get.issues")
    def issues(self) -> Sequence[Issue]:
        """See ``Tracker.issues``; without their comments."""
        found = self.client.pages(self._at("issues"), {"state": "open"}, _MOST_ISSUES)
        return [_issue(item, ()) for item in found if "pull_request" not in item]

    @as_published("GitHub")
    @asks("post.issues")
    def add(self, title: str, body: str, labels: Sequence[str] = ()) -> Issue:
        """A new issue. Raises Invalid without a title."""
        if not title.strip():
            raise Invalid("title: is empty; say in a few words what should be done")
        return _issue(
            self.client.send(
                "POST",
                self._at("issues"),
                {"title": title.strip(), "body": body, "labels": list(labels)},
            ),
            (),
        )

    @asks("post.issues.comments")
    def comment(self, issue_id: str, text: str) -> None:
        """See ``Tracker.comment``."""
        self.client.send(
            "POST", self._at("issues", self._number(issue_id), "comments"), {"body": text}
        )

    @as_published("GitHub")
    @asks("patch.issues")
    def close(self, issue_id: str) -> None:
        """See ``Tracker.close``."""
        number = self._number(issue_id)
        if self._read(number)["state"] == "open":
            self.client.send(
                "PATCH",
                self._at("issues", number),
                {"state": "closed", "state_reason": "completed"},
            )

    @as_published("GitHub")
    def tell(self, issue_id: str, milestone: Milestone) -> None:
        """See ``Tracker.tell``; assigns, labels, comments and closes as configured, each
        only where it is not so yet.
        """
        number = self._number(issue_id)
        found = self._read(number)
        if milestone.kind is MilestoneKind.SPAWNED:
            self._assign(number, found)
        self._label(number, found, milestone.kind)
        if milestone.kind in self.settings.comment:
            self._remark(number, milestone)
        if milestone.kind is MilestoneKind.MERGED and self.settings.close_on_merge:
            self.close(issue_id)

    @asks("post.issues.assignees")
    def _assign(self, number: int, found: Mapping[str, Any]) -> None:
        there = {_login({"user": user}) for user in found.get("assignees") or ()}
        missing = [login for login in self.settings.assign if login not in there]
        if missing:
            self.client.send(
                "POST", self._at("issues", number, "assignees"), {"assignees": missing}
            )

    @asks("post.issues.labels", "put.issues.labels")
    def _label(self, number: int, found: Mapping[str, Any], kind: MilestoneKind) -> None:
        there = set(_labels(found))
        missing = [label for label in self.settings.labels.get(kind, ()) if label not in there]
        if missing:
            self.client.send("POST", self._at("issues", number, "labels"), {"labels": missing})
        going = there.intersection(self.settings.unlabels.get(kind, ()))
        if going:
            self.client.send(
                "PUT",
                self._at("issues", number, "labels"),
                {"labels": sorted(there.union(missing) - going)},
            )

    @asks("get.issues.comments")
    def _remark(self, number: int, milestone: Milestone) -> None:
        comments = self.client.pages(self._at("issues", number, "comments"))
        if not any(milestone.marker in (comment["body"] or "") for comment in comments):
            self.comment(str(number), f"{milestone.words}\n\n{milestone.marker}")

    @asks("get.issues")
    def _read(self, number: int) -> Mapping[str, Any]:
        try:
            found: Mapping[str, Any] = self.client.get(self._at("issues", number))
        except NotFound:
            where = f"{self.client.address} on {self.client.address.host}"
            raise NotFound(f"{where} has no issue {number}, or the token may not see it") from None
        if "pull_request" in found:
            raise NotFound(f"{self.client.address}#{number} is a pull request, not an issue")
        return found

    def _number(self, issue_id: str) -> int:
        plain = issue_id.strip().removeprefix("#")
        if not plain.isdecimal():
            raise NotFound(
                f"{issue_id!r} is no issue of {self.client.address}: write its number, such as 42"
            )
        return int(plain)


def _issue(found: Mapping[str, Any], comments: tuple[str, ...]) -> Issue:
    number, title = str(found["number"]), found["title"]
    branch, state = issue_branch(number, title), found["state"]
    return sound(
        Issue(
            number,
            title,
            found["body"] or "",
            found["html_url"],
            _labels(found),
            comments,
            state,
            branch,
        )
    )


def _labels(found: Mapping[str, Any]) -> tuple[str, ...]:
    labels = found.get("labels") or ()
    return tuple(label if isinstance(label, str) else str(label["name"]) for label in labels)


def _login(comment: Mapping[str, Any]) -> str:
    return str((comment.get("user") or {"login": "ghost"})["login"])


def _tells(comment: Mapping[str, Any]) -> bool:
    return bool((comment["body"] or "").strip()) and "<!-- ennio:" not in comment["body"]


@takes(GitHubTrackerSchema)
def build(context: PluginContext) -> GitHubTracker:
    """The GitHub tracker of the context's project. Raises ConfigError for its
    settings; asks nothing yet.
    """
    if context.project is None:
        raise TypeError("the GitHub tracker belongs to a project")
    access, given = of_values(context.settings, _source(context.project), context.project)
    settings = GitHubTrackerSettings(access, **given)
    address = settings.access.address
    return GitHubTracker(
        GitHubClient(address, TokenSource(settings.access.token, address), context.clock), settings
    )
