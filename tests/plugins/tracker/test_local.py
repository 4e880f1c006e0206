"""The local tracker's own promises: files, their folder, and the book behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from ennio.config.model import Project
from ennio.model.clock import ManualClock
from ennio.model.errors import ConfigError, Conflict, NotFound, Refused
from ennio.plugins.tracker.interface import Milestone, MilestoneKind
from ennio.plugins.tracker.local import LocalTracker, parse
from tests.plugins.forge.memory_store import MemoryForgeStore


def _tracker(root: Path, **config: object) -> LocalTracker:
    project = Project(id="shop", name="Shop", repo=str(root), path=root)
    return LocalTracker(project, MemoryForgeStore(), ManualClock(), parse(config))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "shop" / "issues"
    folder.mkdir(parents=True)
    return folder


def test_an_issue_file_is_found_by_its_id_however_written(folder: Path) -> None:
    (folder / "42-fix-login.md").write_text(
        "---\nlabels: [bug]\n---\n# Fix the login\n\nIt breaks.\n"
    )
    (folder / "README.md").write_text("not an issue")
    tracker = _tracker(folder.parent)
    issue = tracker.issue("#42")
    assert issue == tracker.issue("42") == tracker.issue("42-fix-login")
    assert (issue.id, issue.title, issue.body, issue.labels) == (
        "42",
        "Fix the login",
        "It breaks.",
        ("bug",),
    )
    assert issue.branch == "issue-42-fix-the-login"
    assert issue.url == (folder / "42-fix-login.md").as_uri()
    assert [found.id for found in tracker.issues()] == ["42"]
    with pytest.raises(NotFound):
        tracker.issue("4")


@pytest.mark.parametrize(
    "issue_id", ["../secret", "/etc/passwd", "..", "a/b", "", ".hidden", "a\0b", "x" * 200]
)
def test_no_id_leads_out_of_the_folder(folder: Path, issue_id: str) -> None:
    (folder.parent / "secret.md").write_text("# s3cret\n")
    tracker = _tracker(folder.parent)
    for call in (tracker.issue, tracker.close, lambda name: tracker.comment(name, "x")):
        with pytest.raises(NotFound):
            call(issue_id)
    assert (folder.parent / "secret.md").read_text() == "# s3cret\n"


def test_incident_47_a_link_out_of_the_folder_is_no_issue(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "private.md").write_text("# s3cret\n")
    (folder / "7.md").symlink_to(tmp_path / "private.md")
    tracker = _tracker(folder.parent)
    assert tracker.issues() == []
    with pytest.raises(NotFound):
        tracker.comment("7", "x")
    assert (tmp_path / "private.md").read_text() == "# s3cret\n"


def test_two_files_of_one_id_are_told(folder: Path) -> None:
    for name in ("1-a.md", "1-b.md"):
        (folder / name).write_text("# x\n")
    with pytest.raises(Conflict, match=r"1-a\.md, 1-b\.md"):
        _tracker(folder.parent).issue("1")


def test_a_file_that_cannot_be_understood_is_told_by_name(folder: Path) -> None:
    (folder / "1.md").write_bytes(b"\xff\xfe")
    with pytest.raises(Refused, match=r"1\.md.*UTF-8"):
        _tracker(folder.parent).issue("1")


def test_a_changed_file_keeps_its_line_ends_and_permissions_and_leaves_nothing_beside(
    folder: Path,
) -> None:
    file = folder / "1.md"
    file.write_bytes(b"# T\r\n\r\nbody\r\n")
    file.chmod(0o640)
    tracker = _tracker(folder.parent)
    tracker.comment("1", "seen\nand done")
    tracker.close("1")
    raw = file.read_bytes()
    assert raw.count(b"\r\n") == raw.count(b"\n")
    assert raw.startswith(b"---\r\nstate: closed\r\n---\r\n# T")
    assert file.stat().st_mode & 0o777 == 0o640
    assert [path.name for path in folder.iterdir()] == ["1.md"]
    assert tracker.issue("1").comments == ("seen\nand done",)


def test_new_issues_go_where_issues_are(folder: Path, tmp_path: Path) -> None:
    (folder / "1-there.md").write_text("# there\n")
    filed = _tracker(folder.parent).add("A new\none", "Do it.", ["x"])
    assert filed.id == "2"
    assert (
        folder / "2-a-new-one.md"
    ).read_text() == "---\nlabels:\n- x\n---\n# A new one\n\nDo it.\n"
    empty = tmp_path / "empty"
    empty.mkdir()
    kept = _tracker(empty)
    assert kept.issue(kept.add("Kept", "b").id).title == "Kept"
    assert list(empty.iterdir()) == []


def test_another_folder_can_be_set_and_a_wrong_setting_is_told(tmp_path: Path) -> None:
    (tmp_path / "docs" / "todo").mkdir(parents=True)
    (tmp_path / "docs" / "todo" / "5.md").write_text("# five\n")
    assert _tracker(tmp_path, path="docs/todo").issue("5").title == "five"
    with pytest.raises(ConfigError, match="paht: is no known key here: did you mean `path`"):
        parse({"paht": "x"})


@pytest.mark.parametrize("filed", [True, False])
def test_a_milestone_told_twice_is_one_comment_and_a_merge_closes_the_issue(
    folder: Path, filed: bool
) -> None:
    if not filed:
        folder.rmdir()
    tracker = _tracker(folder.parent, comment=["pull_opened", "merged"], close_on_merge=True)
    issue = tracker.add("Fix it", "please")
    for kind in (MilestoneKind.SPAWNED, MilestoneKind.PULL_OPENED, MilestoneKind.PULL_OPENED):
        tracker.tell(issue.id, Milestone(kind, "s-1", pull_number=7))
    told = tracker.issue(issue.id)
    assert (told.state, len(told.comments)) == ("open", 1)
    assert "#7" in told.comments[0]
    for _ in range(2):
        tracker.tell(issue.id, Milestone(MilestoneKind.MERGED, "s-1", pull_number=7))
    told = tracker.issue(issue.id)
    assert (told.state, len(told.comments)) == ("closed", 2)


def test_an_issue_is_not_touched_unless_that_is_configured(folder: Path) -> None:
    tracker = _tracker(folder.parent)
    issue = tracker.add("Fix it", "please")
    for kind in MilestoneKind:
        tracker.tell(issue.id, Milestone(kind, "s-1"))
    assert tracker.issue(issue.id) == issue


def test_a_milestone_nobody_knows_is_a_problem_of_the_file() -> None:
    with pytest.raises(
        ConfigError,
        match=r"comment: `mergd` is no milestone; there are spawned, pull_opened, merged",
    ):
        parse({"comment": "mergd"})
