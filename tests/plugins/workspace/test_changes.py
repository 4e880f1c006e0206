"""What a session has changed, told by a real git: every kind of change, and every way in which
there may be less to compare than one thinks.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ennio.machine.local import LocalMachine
from ennio.model.errors import NotFound
from ennio.model.workspace_changes import (
    LONGEST_PATCH,
    MOST_CHANGED,
    ChangedFile,
    FilePatch,
    Folded,
    Until,
    WorkspaceDiff,
)
from ennio.plugins.workspace import changes
from ennio.plugins.workspace.compared import SessionBranch
from tests.conftest import need


class Score:
    """A repository with a base, and a worktree of a session on a branch of its own."""

    def __init__(self, root: Path) -> None:
        need("git")
        self.root = root
        self.source = root / "score"
        self.work = root / "work"
        self.source.mkdir()
        self.git("init", "-q", "-b", "main", at=self.source)
        for name, value in (("user.name", "A"), ("user.email", "a@example.org")):
            self.git("config", name, value, at=self.source)
        (self.source / "kept.txt").write_text("one\ntwo\nthree\n")
        (self.source / "run.sh").write_text("echo hello\n")
        (self.source / "old name.txt").write_text("".join(f"line {n}\n" for n in range(40)))
        (self.source / "gone.txt").write_text("bye\n")
        self.git("add", "-A", at=self.source)
        self.git("commit", "-q", "-m", "begin", at=self.source)
        self.git("worktree", "add", "-q", "-b", "work/x", str(self.work), at=self.source)

    def git(self, *words: str | bytes, at: Path | None = None) -> str:
        done = subprocess.run(
            ["git", "-c", "protocol.file.allow=always", *words],
            cwd=at or self.work,
            capture_output=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.decode().strip()

    def commit(self) -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "more")

    @property
    def branch(self) -> SessionBranch:
        return SessionBranch("x", self.work, self.source, "work/x", "main", "origin")

    def diff(self, until: Until = Until.WORKTREE) -> WorkspaceDiff:
        return changes.diff(LocalMachine(), self.branch, until)

    def files(self, until: Until = Until.WORKTREE) -> dict[str, ChangedFile]:
        return {one.path: one for one in self.diff(until).files}

    def patch(
        self,
        path: str,
        until: Until = Until.WORKTREE,
        context: int = 3,
        longest: int = LONGEST_PATCH,
    ) -> FilePatch:
        return changes.patch(LocalMachine(), self.branch, until, path, context, longest)


@pytest.fixture
def score(tmp_path: Path) -> Score:
    return Score(tmp_path)


def test_what_is_changed_removed_moved_and_new_is_listed_whether_or_not_git_knows_it(
    score: Score,
) -> None:
    (score.work / "kept.txt").write_text("one\n2\nthree\n")
    (score.work / "gone.txt").unlink()
    score.git("mv", "old name.txt", "new name.txt")
    (score.work / "new.txt").write_text("a\nb\n")
    (score.work / "empty.txt").write_text("")
    (score.work / ".gitignore").write_text("*.log\n")
    (score.work / "noise.log").write_text("x\n")
    before = (score.git("status", "--porcelain=v2"), score.git("ls-files", "--stage"))
    found = score.files()
    assert {name: (one.status, one.added, one.removed) for name, one in found.items()} == {
        "kept.txt": ("modified", 1, 1),
        "gone.txt": ("removed", 0, 1),
        "new name.txt": ("renamed", 0, 0),
        "new.txt": ("added", 2, 0),
        "empty.txt": ("added", 0, 0),
        ".gitignore": ("added", 1, 0),
    }
    assert found["new name.txt"].before == "old name.txt"
    assert {name for name, one in found.items() if one.untracked} == {
        *("new.txt", "empty.txt", ".gitignore"),
    }
    assert found["new.txt"].size == 4
    assert "-two\n+2\n" in score.patch("kept.txt").text
    assert "+a\n+b\n" in score.patch("new.txt").text
    assert "rename from old name.txt" in score.patch("new name.txt").text
    assert (score.git("status", "--porcelain=v2"), score.git("ls-files", "--stage")) == before


def test_the_working_copy_and_the_last_commit_are_told_apart(score: Score) -> None:
    (score.work / "kept.txt").write_text("one\n2\nthree\n")
    score.commit()
    (score.work / "kept.txt").write_text("one\n2\n3\n")
    (score.work / "new.txt").write_text("a\n")
    assert set(score.files()) == {"kept.txt", "new.txt"}
    assert set(score.files(Until.HEAD)) == {"kept.txt"}
    assert "+3" in score.patch("kept.txt").text
    assert "+3" not in score.patch("kept.txt", Until.HEAD).text
    assert score.files(Until.HEAD)["kept.txt"].size == len("one\n2\nthree\n")
    told = score.diff()
    assert (told.head, told.branch) == (score.git("rev-parse", "HEAD"), "work/x")
    assert told.base == score.git("rev-parse", "main")


def test_what_others_brought_to_the_base_meanwhile_is_no_change_of_the_session(
    score: Score,
) -> None:
    (score.work / "mine.txt").write_text("a\n")
    score.commit()
    (score.source / "theirs.txt").write_text("b\n")
    score.git("add", "-A", at=score.source)
    score.git("commit", "-q", "-m", "theirs", at=score.source)
    assert set(score.files()) == {"mine.txt"}
    score.git("merge", "-q", "--no-edit", "main")
    assert set(score.files()) == {"mine.txt"}


def test_binary_modes_links_and_submodules_have_their_row(score: Score, tmp_path: Path) -> None:
    other = tmp_path / "other"
    score.git("init", "-q", "-b", "main", str(other), at=tmp_path)
    for name, value in (("user.name", "A"), ("user.email", "a@example.org")):
        score.git("config", name, value, at=other)
    score.git("commit", "-q", "--allow-empty", "-m", "x", at=other)
    score.git("submodule", "--quiet", "add", str(other), "part")
    (score.work / "image.png").write_bytes(b"\x89PNG\0\0" * 100)
    (score.work / "run.sh").chmod(0o755)
    (score.work / "kept.txt").unlink()
    (score.work / "kept.txt").symlink_to("run.sh")
    nested = score.work / "inner"
    score.git("init", "-q", str(nested))
    found = score.files()
    image, run, part = found["image.png"], found["run.sh"], found["part"]
    assert (image.binary, image.added, image.size) == (True, None, 600)
    assert (run.mode_before, run.mode, run.added) == ("100644", "100755", 0)
    assert (found["kept.txt"].status, found["kept.txt"].mode) == ("retyped", "120000")
    assert (part.submodule, part.status) == (True, "added")
    assert (found["inner"].submodule, found["inner"].untracked) == (True, True)
    assert "Subproject commit" in score.patch("part").text
    assert score.patch("inner").text == ""
    assert "old mode 100644" in score.patch("run.sh").text
    assert "Binary files" in score.patch("image.png").text
    assert not found["run.sh"].binary


NAMES = [
    b"new\nline.txt",
    b"\"quo'ted\t.txt",
    b"f\xff\xfe.txt",
    b"*.txt",
    b":(top)x",
    b"-p",
    b"\\x",
]


def test_no_name_of_a_file_is_too_odd_to_be_listed_and_asked_for(score: Score) -> None:
    for number, name in enumerate(NAMES):
        Path(os.fsdecode(os.fsencode(score.work) + b"/" + name)).write_text(f"number {number}\n")
    found = score.diff().files
    assert len(found) == len(NAMES)
    for one in found:
        one.path.encode()
        assert one.path.encode().decode() == one.path
    texts = {one.path: score.patch(one.path).text for one in found}
    assert sorted(text.partition("+number ")[2].strip() for text in texts.values()) == [
        str(number) for number in range(len(NAMES))
    ]
    assert r"f\xff\xfe.txt" in texts
    score.commit()
    assert {one.path for one in score.diff(Until.HEAD).files} == set(texts)


def test_a_hundred_megabytes_are_listed_and_their_patch_is_cut(score: Score) -> None:
    line = b"x" * 99 + b"\n"
    (score.work / "large.txt").write_bytes(line * 1_000_000)
    (score.work / "long.txt").write_bytes(line * 30_000)
    found = score.files()
    assert found["large.txt"].too_large
    assert not found["large.txt"].binary
    assert found["large.txt"].size == 100_000_000
    assert (found["long.txt"].too_large, found["long.txt"].added) == (True, 30_000)
    assert len(score.patch("large.txt").text) <= LONGEST_PATCH
    (score.work / "large.txt").unlink()
    long = score.patch("long.txt")
    assert long.truncated
    assert long.file.too_large
    assert len(long.text) <= LONGEST_PATCH
    assert long.text.endswith("x\n")
    whole = score.patch("long.txt", longest=16 * LONGEST_PATCH)
    assert not whole.truncated
    assert whole.text.count("\n+x") == 30_000


def test_thousands_of_files_are_counted_and_as_many_listed_as_one_can_read(score: Score) -> None:
    folder = score.work / "many"
    folder.mkdir()
    for number in range(MOST_CHANGED + 50):
        (folder / f"{number}.txt").write_text("x\n")
    score.commit()
    told = score.diff()
    assert (told.count, len(told.files), told.truncated) == (MOST_CHANGED + 50, MOST_CHANGED, True)
    assert told.added == MOST_CHANGED + 50


def test_lockfiles_and_what_a_repository_calls_generated_are_folded(score: Score) -> None:
    (score.work / ".gitattributes").write_text(
        "*.api linguist-generated\nyarn.lock -linguist-generated\n"
    )
    for name in ("package-lock.json", "yarn.lock", "x.api", "x.min.js", "plain.py"):
        (score.work / name).write_text("x\n")
    told = {name: one.folded for name, one in score.files().items()}
    assert told == {
        ".gitattributes": None,
        "package-lock.json": Folded.LOCKFILE,
        "yarn.lock": None,
        "x.api": Folded.GENERATED,
        "x.min.js": Folded.GENERATED,
        "plain.py": None,
    }


def test_where_nothing_is_committed_yet_all_files_are_new(score: Score) -> None:
    score.git("checkout", "-q", "--orphan", "fresh")
    score.git("rm", "-rq", "--cached", ".")
    told = score.diff()
    assert told.head is None
    assert "nothing has been committed" in told.note
    assert {one.status for one in told.files} == {"added"}
    assert len(told.files) == 4
    assert score.diff(Until.HEAD).files == ()


def test_a_detached_head_is_compared_like_any_other(score: Score) -> None:
    (score.work / "mine.txt").write_text("a\n")
    score.commit()
    score.git("checkout", "-q", "--detach")
    told = score.diff()
    assert told.branch is None
    assert [one.path for one in told.files] == ["mine.txt"]


def test_a_base_that_is_gone_is_said_and_where_the_work_began_takes_its_place(
    score: Score,
) -> None:
    begun = score.git("rev-parse", "HEAD")
    (score.work / "mine.txt").write_text("a\n")
    score.commit()
    score.git("branch", "-m", "main", "elsewhere", at=score.source)
    told = score.diff()
    assert "main is gone" in told.note
    assert len(told.files) == 5
    score.git("update-ref", "refs/ennio/made/x", begun)
    told = score.diff()
    assert "main is gone" in told.note
    assert [one.path for one in told.files] == ["mine.txt"]


def test_a_working_copy_that_is_gone_is_told_by_what_its_branch_holds(score: Score) -> None:
    (score.work / "mine.txt").write_text("a\n")
    score.commit()
    score.git("worktree", "remove", "--force", str(score.work), at=score.source)
    told = score.diff()
    assert told.until is Until.HEAD
    assert "working copy is gone" in told.note
    assert [one.path for one in told.files] == ["mine.txt"]
    assert "+a" in score.patch("mine.txt").text
    score.git("branch", "-D", "work/x", at=score.source)
    with pytest.raises(NotFound, match="no working copy any more"):
        score.diff()


def test_a_folder_that_is_no_working_copy_is_not_taken_for_a_part_of_the_one_around_it(
    score: Score,
) -> None:
    inside = score.source / "inside"
    inside.mkdir()
    (score.source / "dirty.txt").write_text("x\n")
    asked = SessionBranch("x", inside, score.source, "work/x", "main", "origin")
    assert changes.diff(LocalMachine(), asked, Until.WORKTREE).files == ()


def _set(*words: str) -> Callable[[Score], object]:
    return lambda score: score.git("config", *words)


@pytest.mark.parametrize(
    "setting",
    [
        _set("diff.noprefix", "true"),
        _set("diff.mnemonicPrefix", "true"),
        _set("color.ui", "always"),
        _set("diff.external", "false"),
        _set("diff.renames", "false"),
        _set("diff.orderFile", "/nowhere"),
        _set("diff.ignoreSubmodules", "all"),
        _set("diff.interHunkContext", "50"),
    ],
    ids=["no prefix", "letters", "colours", "program", "renames", "order", "modules", "hunks"],
)
def test_no_setting_of_the_repository_changes_how_a_patch_is_written(
    score: Score, setting: Callable[[Score], object]
) -> None:
    score.git("mv", "old name.txt", "new name.txt")
    (score.work / "kept.txt").write_text("one\n2\nthree\n")
    plain = (score.diff(), score.patch("kept.txt"))
    setting(score)
    assert (score.diff(), score.patch("kept.txt")) == plain


def test_an_unknown_path_is_not_found_however_it_is_written(score: Score) -> None:
    (score.work / "kept.txt").write_text("x\n")
    for path in ("run.sh", "../score/kept.txt", "/etc/passwd", ".", "*"):
        with pytest.raises(NotFound, match="is not changed"):
            score.patch(path)


def test_as_many_lines_around_a_change_are_shown_as_wanted(score: Score) -> None:
    (score.work / "old name.txt").write_text(
        "".join(f"line {n}\n" for n in range(40)).replace("line 20\n", "line twenty\n")
    )
    assert "line 10" not in score.patch("old name.txt").text
    assert " line 0\n" in score.patch("old name.txt", context=1000).text
