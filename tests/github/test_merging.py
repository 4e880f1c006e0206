"""Opening, merging and closing on GitHub."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ennio.model.errors import Conflict, NotFound, Refused, Unreachable
from ennio.model.pulls import MergeMethod, PullState
from ennio.plugins.forge.github.forge import GitHubForge
from ennio.plugins.forge.interface import Revocable
from tests.github.standin.hub import Hub, Run


def opened(hub: Hub, *, draft: bool = False) -> tuple[int, str]:
    head = hub.push("fix", {"a.txt": "1\n"})
    return hub.open("fix", draft=draft).number, head


def test_merging_is_success_again_with_the_same_head(hub: Hub, forge: GitHubForge) -> None:
    number, head = opened(hub)
    commit = forge.merge(number, head).commit
    assert commit == hub.heads()["main"]
    assert forge.merge(number, head).commit == commit
    with pytest.raises(Conflict, match="expected"):
        forge.merge(number, "0" * 40)
    with pytest.raises(Conflict):
        forge.close(number)


def test_a_head_that_moved_is_not_merged(hub: Hub, forge: GitHubForge) -> None:
    number, head = opened(hub)
    hub.push("fix", {"a.txt": "2\n"})
    with pytest.raises(Conflict, match="head"):
        forge.merge(number, head)
    assert forge.look(number).state is PullState.OPEN


def test_conflicts_and_drafts_are_not_merged(hub: Hub, forge: GitHubForge) -> None:
    number, head = opened(hub, draft=True)
    with pytest.raises(Refused, match="draft"):
        forge.merge(number, head)
    forge.ready(number)
    hub.push("main", {"a.txt": "ours\n"})
    with pytest.raises(Conflict, match="conflicts"):
        forge.merge(number, head)


def test_the_method_is_one_the_repository_allows(hub: Hub, forge: GitHubForge) -> None:
    number, head = opened(hub)
    with pytest.raises(Refused, match="allowed: squash, merge"):
        forge.merge(number, head, MergeMethod.REBASE)
    hub.allowed = {"squash": False, "merge": True, "rebase": False}
    assert forge.merge(number, head).commit


def test_a_branch_with_a_merge_queue_is_merged_by_it(hub: Hub, forge: GitHubForge) -> None:
    number, head = opened(hub)
    hub.merge_queue = True
    merged = forge.merge(number, head)
    assert (merged.commit, hub.pulls[number].queued) == ("", True)
    assert "queue" in merged.message
    assert forge.merge(number, head).commit == ""
    forge.withdraw(number)
    assert not forge.look(number).merging
    assert (forge.merge(number, head).commit, hub.pulls[number].queued) == ("", True)
    commit = hub.land(hub.pulls[number])
    assert forge.merge(number, head).commit == commit


def test_what_the_branch_still_requires_is_left_to_auto_merge(hub: Hub, forge: GitHubForge) -> None:
    number, head = opened(hub)
    hub.required_checks = True
    hub.run(head, Run("test", status="IN_PROGRESS", conclusion=None))
    with pytest.raises(Conflict, match="Required status check"):
        forge.merge(number, head)
    hub.auto_merge_allowed = True
    merged = forge.merge(number, head)
    assert (merged.commit, bool(hub.pulls[number].auto_merge)) == ("", True)
    assert "auto-merge" in merged.message
    assert isinstance(forge, Revocable)
    for _ in range(2):
        forge.withdraw(number)
        assert hub.pulls[number].auto_merge is None
    assert not forge.look(number).merging


def test_the_branch_is_deleted_where_that_is_configured(
    hub: Hub, make: Callable[..., GitHubForge]
) -> None:
    number, head = opened(hub)
    make(delete_branch=True).merge(number, head)
    assert "fix" not in hub.heads()


def test_a_merge_whose_answer_was_lost_deletes_the_branch_when_it_is_asked_for_again(
    hub: Hub, make: Callable[..., GitHubForge]
) -> None:
    number, head = opened(hub)
    hub.land(hub.pulls[number])
    assert make(delete_branch=True).merge(number, head).commit == hub.heads()["main"]
    assert "fix" not in hub.heads()
    assert make(delete_branch=True).merge(number, head).commit == hub.heads()["main"]


def test_a_branch_that_goes_on_after_its_merge_is_not_deleted(
    hub: Hub, make: Callable[..., GitHubForge]
) -> None:
    number, head = opened(hub)
    hub.land(hub.pulls[number])
    more = hub.push("fix", {"b.txt": "only here\n"})
    assert make(delete_branch=True).merge(number, head).commit
    assert hub.heads()["fix"] == more


def test_opening_twice_finds_the_open_one(hub: Hub, forge: GitHubForge) -> None:
    hub.push("fix", {"a.txt": "1\n"})
    first = forge.open("fix", "main", "One", "", draft=True)
    assert first.draft
    assert forge.open("fix", "main", "Two", "") == first


def test_opening_what_is_not_there_or_not_ahead_is_refused(hub: Hub, forge: GitHubForge) -> None:
    with pytest.raises(NotFound, match="push it first"):
        forge.open("fix", "main", "t", "")
    hub.git("update-ref", "refs/heads/same", "main")
    with pytest.raises(Refused, match="nothing to merge"):
        forge.open("same", "main", "t", "")


def test_closing_twice_is_fine(hub: Hub, forge: GitHubForge) -> None:
    number, head = opened(hub)
    assert forge.close(number).state is PullState.CLOSED
    assert forge.close(number).state is PullState.CLOSED
    with pytest.raises(Refused, match="closed"):
        forge.merge(number, head)


def test_open_ones_and_those_ended_lately_are_listed(hub: Hub, forge: GitHubForge) -> None:
    head = hub.push("b", {"a.txt": "1\n"})
    for n in range(30):
        hub.git("update-ref", f"refs/heads/b{n}", head)
        hub.open(f"b{n}")
    hub.pulls[3].state = "CLOSED"
    assert [pull.number for pull in forge.pulls()] == list(range(1, 31))


def test_a_number_nobody_has_is_not_found(hub: Hub, forge: GitHubForge) -> None:
    for call in (
        lambda: forge.look(7),
        lambda: forge.merge(7, "0" * 40),
        lambda: forge.close(7),
        lambda: forge.ready(7),
    ):
        with pytest.raises(NotFound, match="#7"):
            call()


def test_check_tells_what_is_wrong_and_nothing_when_all_is_well(
    hub: Hub, forge: GitHubForge, make: Callable[..., GitHubForge]
) -> None:
    assert forge.check() is None
    assert "refuses the token" in (make(token="stale").check() or "")
    assert "no /repos/acme/other" in (make(repo="other").check() or "").replace("GET ", "")
    down = make(api_url="http://127.0.0.1:9")
    assert "did not answer" in (down.check() or "")
    with pytest.raises(Unreachable):
        down.look(1)
