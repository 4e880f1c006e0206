"""Names of branches, held against git itself."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ennio.branch import LONGEST_ISSUE_BRANCH, check_branch, issue_branch
from ennio.errors import Invalid
from tests.conftest import need

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


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(TRICKY)
def test_a_name_is_accepted_exactly_when_git_accepts_it(name: str) -> None:
    need("git")
    if name != "@":
        assert _accepted(name) == _git_accepts(name)


@settings(max_examples=100, deadline=None)
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
        ("1", "a title that is much too long to become the name of any branch", "issue-1-a-title-that-is-much-too-long-to-become"),
    ],
)
def test_an_issues_branch_reads_like_the_issue(issue_id: str, title: str, branch: str) -> None:
    assert issue_branch(issue_id, title) == branch


@pytest.mark.parametrize("name", ["", "-x", "a..b", "a.lock", "HEAD", "@", "a b", "x.lock/y", "/x", "x/", "x//y", ".x", "x/.y", "x."])
def test_a_refusal_names_the_branch_and_a_way_out(name: str) -> None:
    with pytest.raises(Invalid, match="try for example"):
        check_branch(name)
