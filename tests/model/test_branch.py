"""Names of branches, held against git itself."""

from __future__ import annotations

import contextlib
import subprocess
from fnmatch import fnmatchcase

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ennio.model.branch import (
    LONGEST_ISSUE_BRANCH,
    blocker,
    check_branch,
    check_work_branch,
    issue_branch,
    refuse_protected,
    twin,
)
from ennio.model.errors import Invalid, Refused
from tests.conftest import need
from tests.properties import examples

PIECES = [*"ab/.@{-~^:?*[\\ \t\x7f\x01é", ".lock", "HEAD", "..", "refs/heads/"]
TRICKY = st.lists(st.sampled_from(PIECES), max_size=6).map("".join)


def _git_accepts(name: str) -> bool:
    command = ["git", "check-ref-format", "--branch", name]
    return subprocess.run(command, capture_output=True, check=False, cwd="/").returncode == 0


def _accepted(name: str) -> bool:
    try:
        check_branch(name)
    except Invalid:
        return False
    return True


@pytest.mark.real
@settings(max_examples=examples(300), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(TRICKY)
def test_a_name_is_accepted_exactly_when_git_accepts_it(name: str) -> None:
    need("git")
    if name != "@":
        assert _accepted(name) == _git_accepts(name)


@settings(max_examples=examples(100), deadline=None)
@given(st.text(max_size=60), st.text(max_size=200))
def test_an_issues_branch_is_always_short_and_valid(issue_id: str, title: str) -> None:
    name = issue_branch(issue_id, title)
    check_branch(name)
    assert len(name) <= LONGEST_ISSUE_BRANCH
    assert name.startswith("issue-")


@pytest.mark.parametrize(
    ("issue_id", "title", "branch"),
    [
        ("42", "Short title", "issue-42-short-title"),
        ("ENG-7", "Fix: the *login* form (again)!", "issue-eng-7-fix-the-login-form-again"),
        ("#3", "Übergröße für Straßen", "issue-3-ubergroe-fur-straen"),
        ("8", "", "issue-8"),
        ("9", "日本語", "issue-9"),
        ("../../etc", "passwd", "issue-etc-passwd"),
        (
            "1",
            "a title that is much too long to become the name of any branch",
            "issue-1-a-title-that-is-much-too-long-to-become",
        ),
    ],
)
def test_an_issues_branch_reads_like_the_issue(issue_id: str, title: str, branch: str) -> None:
    assert issue_branch(issue_id, title) == branch


@pytest.mark.parametrize(
    "name",
    [
        "",
        "-x",
        "a..b",
        "a.lock",
        "HEAD",
        "@",
        "a b",
        "x.lock/y",
        "/x",
        "x/",
        "x//y",
        ".x",
        "x/.y",
        "x.",
    ],
)
def test_a_refusal_names_the_branch_and_a_way_out(name: str) -> None:
    with pytest.raises(Invalid, match="try for example"):
        check_branch(name)


PROTECTED = [
    "main",
    "Main",
    "MAIN",
    "heads/main",
    "refs/heads/main",
    "refs/heads/refs/heads/main",
    "origin/main",
    "refs/remotes/origin/main",
    "remotes/upstream/main",
    "upstream/main",
    "ennio/main",
    "release/1",
    "release/1/2",
    "Release/1",
    "origin/release/2026",
    "stable",
]


@pytest.mark.parametrize("name", PROTECTED)
def test_no_session_works_on_a_protected_branch_however_it_is_spelled(name: str) -> None:
    for refuse in (check_work_branch, refuse_protected):
        with pytest.raises(
            Refused, match=r"^branch: .*is (the default branch|protected \(protected_branches: )"
        ):
            refuse(name, "main", ("release/*", "stable"))


@pytest.mark.parametrize(
    "name",
    [
        "mainline",
        "fix/main",
        "feature/release/1",
        "p-1a2b3c4d",
        "releases",
        "stable-2",
        "ennio/fix",
    ],
)
def test_a_branch_that_only_looks_like_a_protected_one_is_free(name: str) -> None:
    check_work_branch(name, "main", ("release/*", "stable"))


def test_a_default_branch_with_a_slash_or_an_accent_is_known_in_every_spelling() -> None:
    for name in ("team/Main", "origin/team/main", "refs/heads/team/main"):
        with pytest.raises(Refused, match="team/main"):
            check_work_branch(name, "team/main")
    with pytest.raises(Refused, match="the default branch"):
        check_work_branch("re\u0301vision", "r\u00e9vision")


@pytest.mark.parametrize(
    ("name", "default"), [("main/x", "main"), ("Main/x/y", "main"), ("team", "team/main")]
)
def test_a_branch_that_git_cannot_make_beside_the_default_one_is_refused(
    name: str, default: str
) -> None:
    with pytest.raises(Refused, match=f"^branch: {name} .*there is a branch {default}, .*another"):
        check_work_branch(name, default)


def test_a_branch_is_in_the_way_of_those_it_is_a_folder_of_and_of_its_own_folders() -> None:
    others = ["fix", "feat/same/a", "more"]
    assert blocker("fix/it/now", others) == "fix"
    assert blocker("feat/same", others) == "feat/same/a"
    assert blocker("feat", others) == "feat/same/a"
    for free in ("fix", "fixes", "feat/sam", "feat/same/b", "mor"):
        assert blocker(free, others) is None


@pytest.mark.parametrize(
    ("name", "written"),
    [("origin/fix", "fix"), ("refs/heads/fix", "fix"), ("remotes/upstream/a/b", "a/b")],
)
def test_a_branch_named_as_git_names_it_from_elsewhere_is_refused_with_its_name(
    name: str, written: str
) -> None:
    with pytest.raises(Invalid, match=f"write {written}"):
        check_work_branch(name, "main")


@settings(max_examples=examples(200), deadline=None)
@given(
    st.text(alphabet="abAB/*?-", min_size=1, max_size=8),
    st.text(alphabet="abAB/-", min_size=1, max_size=8),
)
def test_what_a_pattern_protects_is_never_given_to_a_session(pattern: str, name: str) -> None:
    with contextlib.suppress(Invalid, Refused):
        check_work_branch(name, "main", (pattern,))
        assert not fnmatchcase(name.lower(), pattern.lower())


@pytest.mark.parametrize(
    ("name", "other", "taken"),
    [
        ("Fix", "fix", True),
        ("feature/Login", "feature/login", True),
        ("Feature/a", "feature/b", True),
        ("Fix", "fix/a", True),
        ("\u00c4rger", "a\u0308rger", True),
        ("fix", "fix", False),
        ("feature/a", "feature/b", False),
        ("a/Fix", "b/fix", False),
        ("fix", "Fixes", False),
    ],
)
def test_a_twin_is_what_letter_case_alone_tells_apart(name: str, other: str, taken: bool) -> None:
    assert (twin(name, ["main", other]) == other) is taken
    assert (twin(other, ["main", name]) == name) is taken
