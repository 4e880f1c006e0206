"""Addresses, tokens, and how careful the client is."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ennio.plugins.github.address import PUBLIC, Address, found_in
from ennio.plugins.github.counters import CORE
from ennio.plugins.github.token import TokenSource
from ennio.plugins.quota import Budget, Quota
from tests.github import gate
from tests.github.published import openapi

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("remote", "address"),
    [
        ("git@github.com:me/app.git", Address("me", "app")),
        ("https://github.com/me/my.app", Address("me", "my.app")),
        ("https://x:y@www.github.com/me/app.git", Address("me", "app")),
        ("ssh://git@git.corp.example:2222/team/app.git", Address("team", "app", "https://git.corp.example/api/v3")),
        ("git@git.corp.example:team/app.git", Address("team", "app", "https://git.corp.example/api/v3")),
        ("/srv/app.git", None),
    ],
)
def test_owner_name_and_api_follow_from_the_remote(remote: str, address: Address | None) -> None:
    assert found_in(remote) == address


def test_an_enterprise_server_has_its_graphql_beside_v3() -> None:
    assert Address("a", "b", "https://git.corp.example/api/v3").graphql == "https://git.corp.example/api/graphql"
    assert Address("a", "b").graphql == f"{PUBLIC}/graphql"
    assert (Address("a", "b").host, Address("a", "b", "https://git.corp.example/api/v3").host) == ("github.com", "git.corp.example")


def test_a_token_is_taken_from_the_configuration_the_environment_or_gh(tmp_path: Path) -> None:
    gh = tmp_path / "gh"
    gh.write_text('#!/bin/sh\n[ "$1 $2 $3" = "auth token --hostname" ] && echo "from-gh-$4"\n', encoding="utf-8")
    gh.chmod(0o755)
    path = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    before = os.environ["PATH"]
    os.environ["PATH"] = path["PATH"]
    try:
        assert TokenSource("given", "github.com", path).token() == "given"
        assert TokenSource(None, "github.com", {**path, "GITHUB_TOKEN": "env"}).token() == "env"
        assert TokenSource(None, "github.com", path).token() == "from-gh-github.com"
        assert TokenSource(None, "git.corp.example", {**path, "GITHUB_TOKEN": "not for there"}).token() == "from-gh-git.corp.example"
    finally:
        os.environ["PATH"] = before
    gh.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    assert TokenSource(None, "github.com", {"PATH": str(tmp_path)}).token() is None


def test_counters_only_fall_within_a_period_whatever_the_order_of_answers() -> None:
    reset = NOW + timedelta(hours=1)
    budget = Budget().answered(CORE, Quota(5000, 10, reset)).answered(CORE, Quota(5000, 11, reset))
    assert budget.quotas[CORE].remaining == 10
    assert budget.answered(CORE, Quota(5000, 5000, reset + timedelta(hours=1))).quotas[CORE].remaining == 5000


def test_looks_become_rarer_as_the_quota_falls() -> None:
    def stretch(remaining: int, minutes: int) -> float:
        return Budget({CORE: Quota(5000, remaining, NOW + timedelta(minutes=minutes))}).stretch(CORE, NOW)

    assert stretch(5000, 60) == stretch(3000, 50) == 1
    assert 1 < stretch(1500, 50) < stretch(800, 50) < stretch(500, 50)
    assert stretch(800, 2) == 1


def test_the_gate_notices_what_github_does_not_publish() -> None:
    openapi()
    pull = "/repos/acme/shop/pulls/1"
    assert gate.request_faults("PUT", f"{pull}/merge", {"sha": "a", "merge_method": "squash"}) == []
    assert gate.request_faults("PUT", f"{pull}/merge", {"merge_method": "octopus"})
    assert gate.request_faults("PUT", f"{pull}/merge", {"expected_head": "a"})
    assert gate.request_faults("PUT", f"{pull}/land", {})
    assert gate.request_faults("GET", "/repos/acme/shop/issues?stat=open", None)
    assert gate.request_faults("POST", "/repos/acme/shop/pulls", {"title": "no head"})
    assert gate.answer_faults("PUT", f"{pull}/merge", 200, {"sha": "a", "merged": True, "message": "done"}) == []
    assert gate.answer_faults("PUT", f"{pull}/merge", 200, {"merged": True})
    assert gate.answer_faults("PUT", f"{pull}/merge", 218, {})
    assert gate.answer_faults("GET", "/repos/acme/shop/issues/1", 200, {"title": "not a whole issue"})
