"""What a pull request changes: nobody approves it blind."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ennio.machine.local import LocalMachine
from ennio.model.changes import LONGEST_DIFF, MOST_FILES, FileChange, bounded
from ennio.model.errors import NotFound, Refused, TimedOut
from ennio.model.pulls import MergeMethod
from ennio.plugins.git import Git
from tests.plugins.forge.hub import Hub, git


def _opened(hub: Hub) -> int:
    """A pull request that adds, changes, renames and removes, while its base goes on."""
    hub.push("main", {"old.txt": "".join(f"{n}\n" for n in range(30)), "gone.txt": "x\n"})
    (hub.work / "blob.bin").write_bytes(bytes(range(256)))
    hub.push("fix", {"app.py": "one\nTWO\nthree\n", "dir/new name.txt": "a\nb\n"})
    git(hub.work, "mv", "old.txt", "renamed.txt")
    git(hub.work, "rm", "-q", "gone.txt")
    hub.push("fix", {}, create=False, message="move")
    hub.push("main", {"theirs.txt": "not of this pull request\n"})
    return hub.forge().open("fix", "main", "t", "").number


CHANGED = (
    FileChange("app.py", "modified", 1, 1),
    FileChange("blob.bin", "added"),
    FileChange("dir/new name.txt", "added", 2, 0),
    FileChange("gone.txt", "removed", 0, 1),
    FileChange("renamed.txt", "renamed", 0, 0, "old.txt"),
)


def test_the_files_are_those_of_the_branch_and_none_of_the_base(hub: Hub) -> None:
    number = _opened(hub)
    found = hub.forge().files(number)
    assert (found.files, found.truncated) == (CHANGED, False)
    assert (found.base, found.head) == (git(hub.path, "merge-base", "main", "fix"), hub.head("fix"))


def test_the_difference_is_what_git_would_show_whatever_a_person_has_configured(hub: Hub) -> None:
    number = _opened(hub)
    plain = hub.forge().diff(number)
    for key, value in (
        ("color.ui", "always"),
        ("diff.noprefix", "true"),
        ("diff.external", "false"),
        ("core.pager", "false"),
    ):
        git(hub.path, "config", key, value)
    found = hub.forge().diff(number)
    assert (found, found.truncated) == (plain, False)
    assert "-two\n+TWO\n" in found.text
    assert "rename from old.txt\nrename to renamed.txt\n" in found.text
    assert "theirs.txt" not in found.text


@pytest.mark.parametrize("method", list(MergeMethod))
def test_it_can_be_read_after_the_merge_too(hub: Hub, method: MergeMethod) -> None:
    number, forge = _opened(hub), hub.forge()
    forge.merge(number, hub.head("fix"), method)
    hub.push("main", {"later.txt": "x\n"})
    assert forge.files(number).files == CHANGED
    assert "later.txt" not in forge.diff(number).text


def test_a_very_long_difference_and_a_very_long_list_are_cut_and_say_so(hub: Hub) -> None:
    hub.push(
        "fix",
        {"long.txt": "".join(f"line {n}\n" for n in range(200_000))}
        | {f"f{n}": "x" for n in range(MOST_FILES + 1)},
    )
    forge = hub.forge()
    number = forge.open("fix", "main", "t", "").number
    found = forge.diff(number)
    assert found.truncated
    assert len(found.text.encode()) <= LONGEST_DIFF
    assert found.text.endswith("\n")
    files = forge.files(number)
    assert (len(files.files), files.truncated) == (MOST_FILES, True)


def test_bytes_that_are_no_text_and_names_that_steer_are_data(hub: Hub) -> None:
    git(hub.work, "checkout", "-q", "-B", "odd", "origin/main")
    (hub.work / "latin.txt").write_bytes(b"caf\xe9\n")
    hub.push("odd", {"\x1b]0;PWN\x07": "x\n"}, create=False)
    forge = hub.forge()
    number = forge.open("odd", "main", "t", "").number
    assert [one.path for one in forge.files(number).files] == ["\x1b]0;PWN\x07", "latin.txt"]
    assert "+caf\\xe9\n" in forge.diff(number).text


def test_commits_that_are_gone_are_said_and_a_branch_without_a_common_past_is_all_new(
    hub: Hub,
) -> None:
    number = _opened(hub)
    forge = hub.forge()
    git(hub.work, "checkout", "-q", "--orphan", "island")
    git(hub.work, "commit", "-q", "-m", "island")
    git(hub.work, "push", "-q", "origin", "island")
    assert {
        one.status for one in forge.files(forge.open("island", "main", "t", "").number).files
    } == {"added"}
    git(hub.path, "update-ref", "-d", "refs/heads/fix")
    git(hub.path, "reflog", "expire", "--expire=now", "--all")
    git(hub.path, "gc", "-q", "--prune=now")
    with pytest.raises(NotFound, match="are not in"):
        forge.files(number)
    with pytest.raises(NotFound, match="#77"):
        forge.diff(77)


@given(st.lists(st.text(alphabet="ab\né", max_size=12), max_size=6), st.integers(0, 40))
def test_what_is_bounded_is_a_beginning_of_whole_lines(parts: list[str], longest: int) -> None:
    whole = "".join(parts)
    text, cut = bounded(parts, longest)
    assert whole.startswith(text)
    assert len(text.encode()) <= longest
    assert cut is (len(whole.encode()) > longest)
    assert text == whole or cut


def test_a_command_that_prints_without_end_is_ended(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    git(tmp_path, "config", "alias.flood", "!yes")
    git(tmp_path, "config", "alias.hang", "!sleep 60")
    assert Git(LocalMachine(), tmp_path).beginning("flood", longest=5) == ("y\ny\ny", True)
    assert Git(LocalMachine(), tmp_path).beginning(
        "rev-parse", "--is-bare-repository", longest=100
    ) == (
        "false\n",
        False,
    )
    begun = time.monotonic()
    with pytest.raises(TimedOut, match="hang"):
        Git(LocalMachine(), tmp_path).beginning("hang", longest=5, timeout=0.3)
    assert time.monotonic() - begun < 30
    with pytest.raises(Refused, match="nowhere"):
        Git(LocalMachine(), tmp_path).beginning("rev-list", "nowhere", longest=5)
