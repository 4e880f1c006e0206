"""Issues without a tracker: Markdown files in a folder of the project, else rows in the store.

A folder (``path``, by default ``issues``) that exists holds new issues too. Files are changed by
writing a new one beside and renaming it, so nobody ever reads half an issue.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ennio.config.fields import SettingsSchema
from ennio.config.model import Project
from ennio.config.number_fields import BoolField
from ennio.config.plugin_settings import read
from ennio.config.text_fields import StringField
from ennio.machine.files import write_atomically
from ennio.machine.untrusted import content
from ennio.model.branch import issue_branch
from ennio.model.clock import Clock
from ennio.model.errors import Conflict, Invalid, NotFound, Refused
from ennio.model.local_forge import ForgeStore, IssueRow
from ennio.plugins.declared import takes
from ennio.plugins.registry import PluginContext
from ennio.plugins.tracker import issue_file
from ennio.plugins.tracker.interface import Issue, Milestone, MilestoneKind
from ennio.plugins.tracker.wishes import comment

_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}\Z")
_NO_ISSUES = ("readme", "index", "contributing", "template")


@dataclass(frozen=True, slots=True)
class LocalTrackerSettings:
    """``path`` is the folder of issues, relative to the project's.

    ``comment`` has the milestones an issue gets a comment for; ``close_on_merge`` closes it
    when its work is merged.
    """

    path: str = "issues"
    comment: tuple[MilestoneKind, ...] = ()
    close_on_merge: bool = False


class LocalTrackerSchema(SettingsSchema):
    """``tracker_config.config`` of ``plugin: local``."""

    makes = LocalTrackerSettings
    path = StringField("The folder of issues, relative to the project's")
    comment = comment()
    close_on_merge = BoolField("Close the issue when its pull request is merged")


def parse(config: Mapping[str, Any]) -> LocalTrackerSettings:
    """Read the settings. Raises ConfigError with every problem at once."""
    settings: LocalTrackerSettings = read(LocalTrackerSchema, config, "tracker_config.config")
    return settings


class LocalTracker:
    """The issues of one project, on this machine."""

    name = "local"

    def __init__(
        self, project: Project, store: ForgeStore, clock: Clock, settings: LocalTrackerSettings
    ) -> None:
        self._project_id = project.id
        self._store = store
        self._clock = clock
        self._settings = settings
        self._folder = project.path / Path(settings.path).expanduser()
        self._lock = threading.Lock()

    def issue(self, issue_id: str) -> Issue:
        """See ``Tracker.issue``; ``#42`` is 42. Raises Refused for a file
        that cannot be understood.
        """
        file = self._file(issue_id)
        return self._of_file(file) if file is not None else self._of_row(self._row(issue_id))

    def issues(self) -> Sequence[Issue]:
        """See ``Tracker.issues``; those in files first. One that cannot be read says why as its
        title, and hides no other.
        """
        filed = [self._listed(file) for file in self._files()]
        kept = [self._of_row(row) for row in self._store.issues(self._project_id)]
        ids = {issue.id for issue in filed}
        return [
            issue
            for issue in [*filed, *(issue for issue in kept if issue.id not in ids)]
            if issue.state == "open"
        ]

    def add(self, title: str, body: str, labels: Sequence[str] = ()) -> Issue:
        """A new issue: a file when the folder is there, else a row. Raises
        Invalid without a title.
        """
        title = " ".join(title.split())
        if not title:
            raise Invalid("title: is empty; say in a few words what should be done")
        with self._lock:
            issue_id = self._new_id()
            if not self._folder.is_dir():
                row = IssueRow(
                    self._project_id,
                    issue_id,
                    title,
                    body,
                    "open",
                    tuple(labels),
                    (),
                    self._clock.now(),
                )
                self._store.save_issue(row)
                return self._of_row(row)
            slug = issue_branch(issue_id, title).removeprefix("issue-")
            file = self._folder / f"{slug}.md"
            _write(file, issue_file.written(title, body, tuple(labels)))
            return self._of_file(file)

    def comment(self, issue_id: str, text: str) -> None:
        """See ``Tracker.comment``."""
        now = self._clock.now()
        self._change(
            issue_id,
            lambda before: issue_file.with_comment(before, text, now),
            lambda row: replace(row, comments=(*row.comments, text)),
        )

    def close(self, issue_id: str) -> None:
        """See ``Tracker.close``."""
        now = self._clock.now()
        if self.issue(issue_id).state != "closed":
            self._change(
                issue_id, issue_file.closed, lambda row: replace(row, state="closed", closed_at=now)
            )

    def tell(self, issue_id: str, milestone: Milestone) -> None:
        """See ``Tracker.tell``; the comment's marker tells that it is there."""
        wanted = milestone.kind in self._settings.comment
        if wanted and not any(
            milestone.marker in comment for comment in self.issue(issue_id).comments
        ):
            self.comment(issue_id, f"{milestone.words}\n{milestone.marker}")
        if self._settings.close_on_merge and milestone.kind is MilestoneKind.MERGED:
            self.close(issue_id)

    def _change(
        self, issue_id: str, in_file: Callable[[str], str], in_row: Callable[[IssueRow], IssueRow]
    ) -> None:
        with self._lock:
            file = self._file(issue_id)
            if file is None:
                self._store.save_issue(in_row(self._row(issue_id)))
            else:
                _write(file, in_file(_content(file)))

    def _new_id(self) -> str:
        taken = {issue_file.id_of(file.stem) for file in self._files()}
        while (issue_id := self._store.next_issue_id(self._project_id)) in taken:
            pass
        return issue_id

    def _row(self, issue_id: str) -> IssueRow:
        row = self._store.issue(self._project_id, _clean(issue_id))
        if row is None:
            where = (
                f"neither {self._folder}/{_clean(issue_id)}.md nor"
                if self._folder.is_dir()
                else "not"
            )
            raise NotFound(
                f"project {self._project_id} has no issue {issue_id}: it is {where} among the "
                "issues Ennio keeps"
            )
        return row

    def _file(self, issue_id: str) -> Path | None:
        wanted = _clean(issue_id)
        files = self._files()
        found = [file for file in files if file.stem == wanted] or [
            file for file in files if issue_file.id_of(file.stem) == wanted
        ]
        if len(found) > 1:
            names = ", ".join(file.name for file in found)
            raise Conflict(
                f"issue {issue_id} is in several files of {self._folder}: {names}; rename all but "
                "one"
            )
        return found[0] if found else None

    def _files(self) -> list[Path]:
        """The issue files by name; links that lead out of the folder are none."""
        folder = self._folder.resolve()
        files = sorted(self._folder.glob("*.md"))
        inside = [
            file for file in files if file.is_file() and file.resolve().is_relative_to(folder)
        ]
        return [
            file for file in inside if _ID.match(file.stem) and file.stem.lower() not in _NO_ISSUES
        ]

    def _of_file(self, file: Path) -> Issue:
        issue_id = issue_file.id_of(file.stem)
        try:
            found = issue_file.read(_content(file), issue_id)
        except ValueError as error:
            raise Refused(f"the issue {file} cannot be read: {error}") from error
        branch = issue_branch(issue_id, found.title)
        return Issue(
            issue_id,
            found.title,
            found.body,
            file.absolute().as_uri(),
            found.labels,
            found.comments,
            found.state,
            branch,
        )

    def _listed(self, file: Path) -> Issue:
        try:
            return self._of_file(file)
        except (Refused, NotFound) as error:
            return Issue(issue_file.id_of(file.stem), f"({error})", "", file.absolute().as_uri())

    def _of_row(self, row: IssueRow) -> Issue:
        url = f"ennio://{row.project_id}/issue/{row.id}"
        return Issue(
            row.id,
            row.title,
            row.body,
            url,
            row.labels,
            row.comments,
            row.state,
            issue_branch(row.id, row.title),
        )


@takes(LocalTrackerSchema)
def build(context: PluginContext) -> LocalTracker:
    """The local tracker of the context's project. Raises ConfigError for its settings."""
    if context.project is None or context.store is None:
        raise TypeError("the local tracker belongs to a project and needs a store")
    return LocalTracker(context.project, context.store, context.clock, context.settings)


def _clean(issue_id: str) -> str:
    """The id as it may stand in a file name. Raises NotFound for one that could lead elsewhere."""
    cleaned = issue_id.strip().removeprefix("#")
    if not _ID.match(cleaned):
        raise NotFound(
            f"there is no issue {issue_id!r}: ids are letters, digits, dots, dashes and underscores"
        )
    return cleaned


def _content(file: Path) -> str:
    """The text with plain line ends. Raises Refused when it is not text,
    NotFound when it has just gone.
    """
    try:
        return content(file, issue_file.LARGEST).decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise Refused(f"the issue {file} cannot be read: it is not UTF-8") from error
    except FileNotFoundError as error:
        raise NotFound(f"the issue {file} has just been removed") from error
    except (OSError, ValueError) as error:
        raise Refused(
            f"the issue {file} cannot be read: {getattr(error, 'strerror', None) or error}"
        ) from error


def _write(file: Path, text: str) -> None:
    """Replace the file in one step, keeping its permissions and its kind of line ends."""
    before = file.read_bytes() if file.exists() else b""
    raw = text.replace("\n", "\r\n").encode() if b"\r\n" in before else text.encode()
    try:
        write_atomically(file, raw, mode=0o644, keep_mode=True, durable=True)
    except OSError as error:
        raise Refused(f"the issue {file} cannot be written: {error}") from error
