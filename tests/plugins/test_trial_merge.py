"""What git says of trial merges, read and asked for."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ennio.machine.local import LocalMachine
from ennio.model.errors import Refused
from ennio.model.pulls import Mergeability
from ennio.plugins.git import Git
from ennio.plugins.trial_merge import TrialMerge, parsed, try_merges

PATHS = st.lists(
    st.text(st.characters(blacklist_characters="\0"), min_size=1, max_size=30), unique=True
)
TREE = "ee36de4681a59c2fd673f5db8d74a2a8318705a7"
OLDER = """#!/bin/sh
# git {version}: it does not know what came later
for word; do
  case "$word" in {unknown}) echo "usage: git merge-tree" >&2; exit 129;; version) echo "git version {version}"; exit;; esac
done
exec {git} "$@"
"""


def _written(clean: bool, paths: list[str]) -> str:
    """A pair as git 2.39 writes it with ``--name-only --no-messages``."""
    return "\0".join(["1" if clean else "0", TREE, *([] if clean else paths), "", ""])


@given(st.lists(st.tuples(st.booleans(), PATHS), max_size=8))
def test_whatever_paths_there_are_each_pair_is_read_as_it_was_written(
    pairs: list[tuple[bool, list[str]]],
) -> None:
    found = parsed("".join(_written(clean, paths) for clean, paths in pairs))
    assert found == [
        TrialMerge(Mergeability.CLEAN, TREE)
        if clean
        else TrialMerge(Mergeability.CONFLICTING, TREE, tuple(paths))
        for clean, paths in pairs
    ]


@given(st.text(max_size=200))
def test_no_answer_of_whatever_git_breaks_the_reading(text: str) -> None:
    assert all(one.mergeability is not Mergeability.UNKNOWN for one in parsed(text))


def _git(*words: str, cwd: Path) -> str:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    return subprocess.run(
        ("git", *identity, *words), cwd=cwd, check=True, capture_output=True, text=True, timeout=30
    ).stdout.strip()


def _commit(folder: Path, branch: str, start: str, **files: str) -> str:
    _git("checkout", "-q", *(["-B", branch, start] if start else ["--orphan", branch]), cwd=folder)
    for name, text in files.items():
        (folder / name).write_text(text)
    _git("add", ".", cwd=folder)
    _git("commit", "-qm", branch, cwd=folder)
    return _git("rev-parse", "HEAD", cwd=folder)


@pytest.fixture
def heads(tmp_path: Path) -> dict[str, str]:
    _git("init", "-q", "-b", "main", cwd=tmp_path)
    found = {"main": _commit(tmp_path, "main", "", a="1\n2\n3\n")}
    found["one"] = _commit(tmp_path, "one", "main", a="one\n2\n3\n")
    found["other"] = _commit(tmp_path, "other", "main", a="other\n2\n3\n")
    found["beside"] = _commit(tmp_path, "beside", "main", b="b\n")
    found["foreign"] = _commit(tmp_path, "foreign", "", c="c\n")
    return found


def _tried(folder: Path, heads: dict[str, str]) -> dict[str, TrialMerge]:
    names = [("one", "other"), ("one", "beside"), ("one", "foreign")]
    pairs = {f"{one} {other}": (heads[one], heads[other]) for one, other in names}
    pairs["one nobody"] = (heads["one"], "0" * 40)
    trials = try_merges(Git(LocalMachine(), folder), list(pairs.values()), 30)
    return {name: trials[pair] for name, pair in pairs.items()}


def _judged(trials: dict[str, TrialMerge]) -> dict[str, tuple[str, tuple[str, ...]]]:
    return {name: (one.mergeability.value, one.conflicts) for name, one in trials.items()}


EXPECTED = {
    "one other": ("conflicting", ("a",)),
    "one beside": ("clean", ()),
    "one foreign": ("conflicting", ()),
    "one nobody": ("unknown", ()),
}


def test_pairs_that_conflict_are_told_from_those_that_do_not_and_from_what_cannot_be_tried(
    tmp_path: Path, heads: dict[str, str]
) -> None:
    trials = _tried(tmp_path, heads)
    assert _judged(trials) == EXPECTED
    assert "not something we can merge" in trials["one nobody"].detail


def _with_git(monkeypatch: pytest.MonkeyPatch, folder: Path, version: str, unknown: str) -> None:
    real = subprocess.run(("which", "git"), check=True, capture_output=True, text=True).stdout
    (folder / "bin").mkdir()
    program = folder / "bin" / "git"
    program.write_text(OLDER.format(version=version, unknown=unknown, git=real.strip()))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")


def test_a_git_that_tries_one_pair_at_a_time_says_the_same(
    tmp_path: Path, heads: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _with_git(monkeypatch, tmp_path, "2.38.0", "--stdin")
    assert _judged(_tried(tmp_path, heads)) == EXPECTED


def test_a_git_that_tries_none_is_named_with_what_it_takes(
    tmp_path: Path, heads: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _with_git(monkeypatch, tmp_path, "2.30.2", "--write-tree")
    with pytest.raises(Refused, match=r"git 2\.30\.2 .* takes git 2\.38"):
        _tried(tmp_path, heads)
