"""What every forge promises, held against the stub, the local forge over real git,
and GitHub over real HTTP.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ennio.model.check_log import LogPart
from ennio.model.errors import Conflict, Invalid, NotFound, Refused, Unreachable
from ennio.model.facts import Presence
from ennio.model.inline_comment import Remark
from ennio.model.pulls import Mergeability, PullState, ReviewState
from ennio.plugins.forge.interface import Logged, Readable, TakesRemarks, Watch
from tests.contract.scm_bench import ENVIRONMENT, WORLDS, Bench


@pytest.fixture(params=list(WORLDS))
def bench(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Bench]:
    for key, value in ENVIRONMENT.items():
        monkeypatch.setenv(key, value)
    yield from WORLDS[request.param](tmp_path, monkeypatch)


def _watch(branch: str, *, number: int | None = None, idle: bool = True) -> Watch:
    return Watch("s-1", branch, "main", number=number, idle=idle, title="A title")


def test_it_has_a_name_and_a_repository(bench: Bench) -> None:
    assert bench.forge.name
    assert bench.forge.repository


def test_a_branch_nobody_pushed_is_proof_that_there_is_no_pull_request(bench: Bench) -> None:
    seen = bench.forge.survey([_watch("fix")])["s-1"]
    assert (seen.presence, seen.pull) == (Presence.GONE, None)
    assert seen.at == bench.clock.now()


def test_a_pushed_branch_gets_its_pull_request_when_its_agent_rests(bench: Bench) -> None:
    head = bench.push("fix")
    assert bench.forge.survey([_watch("fix", idle=False)])["s-1"].presence is Presence.GONE
    pull = bench.forge.survey([_watch("fix")])["s-1"].pull
    assert pull is not None
    assert (pull.branch, pull.base, pull.head, pull.state, pull.title) == (
        "fix",
        "main",
        head,
        PullState.OPEN,
        "A title",
    )
    assert pull.head_since in (None, bench.clock.now())  # not every forge knows since when
    assert pull.mergeability is Mergeability.CLEAN


def test_surveying_again_finds_the_same_pull_request(bench: Bench) -> None:
    bench.push("fix")
    first = bench.forge.survey([_watch("fix")])["s-1"].pull
    assert first is not None
    assert bench.forge.survey([_watch("fix")])["s-1"].pull == first
    assert (
        bench.forge.survey([_watch("other-name", number=first.number, idle=False)])["s-1"].pull
        == first
    )
    assert [pull.number for pull in bench.forge.pulls()] == [first.number]


def test_every_watch_gets_an_answer(bench: Bench) -> None:
    bench.push("fix")
    watches = [
        Watch(f"s-{branch}", branch, "main", idle=True) for branch in ("fix", "none", "main")
    ]
    seen = bench.forge.survey(watches)
    assert {session: fact.presence for session, fact in seen.items()} == {
        "s-fix": Presence.ALIVE,
        "s-none": Presence.GONE,
        "s-main": Presence.GONE,
    }


def test_a_new_head_is_seen_with_its_time(bench: Bench) -> None:
    bench.push("fix")
    bench.forge.survey([_watch("fix")])
    later = bench.clock.advance(60)
    head = bench.push("fix")
    pull = bench.forge.survey([_watch("fix")])["s-1"].pull
    assert pull is not None
    assert (pull.head, pull.head_since) in ((head, later), (head, None))


def test_incident_11_an_unreachable_forge_is_unknown_and_never_gone(bench: Bench) -> None:
    bench.push("fix")
    pull = bench.forge.open("fix", "main", "t", "")
    bench.break_it()
    seen = bench.forge.survey([_watch("fix"), Watch("s-2", "none", "main")])
    assert {fact.presence for fact in seen.values()} == {Presence.UNKNOWN}
    assert all(fact.detail for fact in seen.values())
    assert bench.forge.check()
    for call in (
        lambda: bench.forge.look(pull.number),
        bench.forge.pulls,
        lambda: bench.forge.merge(pull.number, pull.head),
    ):
        with pytest.raises(Unreachable):
            call()


def test_opening_twice_finds_the_open_one(bench: Bench) -> None:
    bench.push("fix")
    first = bench.forge.open("fix", "main", "One", "", draft=True)
    assert first.draft
    assert bench.forge.open("fix", "main", "Two", "") == first


def test_opening_what_is_not_there_or_not_ahead_is_refused(bench: Bench) -> None:
    with pytest.raises(NotFound, match="fix"):
        bench.forge.open("fix", "main", "t", "")
    with pytest.raises(Refused, match="nothing to merge"):
        bench.forge.open("main", "main", "t", "")


def test_merging_is_success_again_with_the_same_head(bench: Bench) -> None:
    head = bench.push("fix")
    number = bench.forge.open("fix", "main", "t", "").number
    merged = bench.forge.merge(number, head)
    assert bench.forge.merge(number, head).commit == merged.commit
    pull = bench.forge.look(number)
    assert (pull.state, pull.merge_commit, pull.head) == (PullState.MERGED, merged.commit, head)
    assert not pull.merged_by_push
    with pytest.raises(Conflict):
        bench.forge.merge(number, "0" * 40)
    with pytest.raises(Conflict):
        bench.forge.close(number)


def test_a_merged_branch_is_not_proposed_again(bench: Bench) -> None:
    head = bench.push("fix")
    number = bench.forge.open("fix", "main", "t", "").number
    bench.forge.merge(number, head)
    pull = bench.forge.survey([_watch("fix")])["s-1"].pull
    assert pull is not None
    assert (pull.number, pull.state) == (number, PullState.MERGED)


def test_commits_pushed_after_the_merge_do_not_reopen_a_session(bench: Bench) -> None:
    head = bench.push("fix")
    number = bench.forge.open("fix", "main", "t", "").number
    bench.forge.merge(number, head)
    bench.push("fix")
    pull = bench.forge.survey([_watch("fix", number=number)])["s-1"].pull
    assert pull is not None
    assert (pull.number, pull.state, pull.head) == (number, PullState.MERGED, head)
    another = bench.forge.survey([_watch("fix")])["s-1"].pull
    assert another is not None
    assert (another.number, another.state) == (number + 1, PullState.OPEN)


def test_a_head_that_moved_is_not_merged(bench: Bench) -> None:
    old = bench.push("fix")
    number = bench.forge.open("fix", "main", "t", "").number
    bench.push("fix")
    with pytest.raises(Conflict):
        bench.forge.merge(number, old)
    assert bench.forge.look(number).state is PullState.OPEN


def test_conflicts_are_seen_with_their_files_and_not_merged(bench: Bench) -> None:
    bench.push("fix")
    number = bench.forge.open("fix", "main", "t", "").number
    bench.quarrel("fix")
    pull = bench.forge.look(number)
    assert (pull.mergeability, pull.conflicts) == (Mergeability.CONFLICTING, ("app.py",))
    with pytest.raises(Conflict, match=r"app\.py"):
        bench.forge.merge(number, pull.head)


def test_what_it_changes_is_told_before_anybody_approves_it(bench: Bench) -> None:
    bench.push("fix")
    number = bench.forge.open("fix", "main", "t", "").number
    assert isinstance(bench.forge, Readable)
    head = bench.forge.look(number).head
    found = bench.forge.files(number)
    assert (found.head, found.truncated) == (head, False)
    assert [(one.path, one.status, one.added, one.removed) for one in found.files] == [
        ("fix.txt", "added", 1, 0)
    ]
    diff = bench.forge.diff(number)
    assert (diff.head, diff.truncated) == (head, False)
    lines = diff.text.splitlines()
    assert lines[0] == "diff --git a/fix.txt b/fix.txt"
    assert {"--- /dev/null", "+++ b/fix.txt"} <= set(lines)
    assert sum(line.startswith("+") for line in lines) == 2
    for ask in (bench.forge.files, bench.forge.diff):
        with pytest.raises(NotFound, match="#7"):
            ask(7)


def test_a_draft_is_merged_only_once_it_is_ready(bench: Bench) -> None:
    head = bench.push("fix")
    number = bench.forge.open("fix", "main", "t", "", draft=True).number
    with pytest.raises(Refused):
        bench.forge.merge(number, head)
    assert not bench.forge.ready(number).draft
    assert not bench.forge.ready(number).draft
    assert bench.forge.merge(number, head).commit


def test_a_closed_one_stays_closed_until_its_branch_moves(bench: Bench) -> None:
    head = bench.push("fix")
    number = bench.forge.open("fix", "main", "t", "").number
    assert bench.forge.close(number).state is PullState.CLOSED
    assert bench.forge.close(number).state is PullState.CLOSED
    with pytest.raises(Refused):
        bench.forge.merge(number, head)
    again = bench.forge.survey([_watch("fix", number=number)])["s-1"].pull
    assert again is not None
    assert (again.number, again.state) == (number, PullState.CLOSED)
    bench.push("fix")
    new = bench.forge.survey([_watch("fix", number=number)])["s-1"].pull
    assert new is not None
    assert new.number != number
    assert new.state is PullState.OPEN


def test_an_approval_survives_a_later_comment_and_changes_requested_wins(bench: Bench) -> None:
    bench.push("fix")
    number = bench.forge.open("fix", "main", "t", "").number
    assert bench.forge.look(number).review is ReviewState.NONE
    assert bench.people(number, "ada", ReviewState.APPROVED, "fine").review is ReviewState.APPROVED
    assert (
        bench.people(number, "ada", ReviewState.NONE, "one more thing").review
        is ReviewState.APPROVED
    )
    assert (
        bench.people(number, "bob", ReviewState.CHANGES_REQUESTED, "no").review
        is ReviewState.CHANGES_REQUESTED
    )
    pull = bench.people(number, "bob", ReviewState.APPROVED, "")
    assert pull.review is ReviewState.APPROVED
    assert [comment.body for comment in pull.comments] == ["one more thing"]


def test_what_one_asks_for_one_after_the_other_is_all_asked_for_until_they_approve(
    bench: Bench,
) -> None:
    """The agent may be told of none of it before the last comes."""
    bench.push("fix")
    number = bench.forge.open("fix", "main", "t", "").number
    for words in ("one", "two"):
        pull = bench.people(number, "ada", ReviewState.CHANGES_REQUESTED, words)
    bench.people(number, "bob", ReviewState.CHANGES_REQUESTED, "no")
    bench.people(number, "bob", ReviewState.APPROVED, "")
    pull = bench.people(number, "ada", ReviewState.CHANGES_REQUESTED, "three")
    assert [(comment.author, comment.body) for comment in pull.comments] == [
        ("ada", "one"),
        ("ada", "two"),
        ("ada", "three"),
    ]
    assert bench.people(number, "ada", ReviewState.APPROVED, "").comments == ()


def test_incident_29_every_comment_arrives_with_its_place(bench: Bench) -> None:
    bench.push("fix")
    number = bench.forge.open("fix", "main", "t", "").number
    bench.people(number, "ada", ReviewState.NONE, "first of a thread", path="app.py", line=2)
    bench.people(number, "bob", ReviewState.NONE, "reply in the thread", path="app.py", line=2)
    bench.people(number, "cat[bot]", ReviewState.NONE, "conversation")
    pull = bench.people(number, "ada", ReviewState.CHANGES_REQUESTED, "please change")
    told = [
        (comment.author, comment.body, comment.path, comment.line, comment.bot, comment.decision)
        for comment in pull.comments
    ]
    assert told == [
        ("ada", "first of a thread", "app.py", 2, False, None),
        ("bob", "reply in the thread", "app.py", 2, False, None),
        ("cat[bot]", "conversation", None, None, True, None),
        ("ada", "please change", None, None, False, ReviewState.CHANGES_REQUESTED),
    ]
    assert pull.comments[0].thread == pull.comments[1].thread != pull.comments[2].thread
    assert len({comment.id for comment in pull.comments}) == 4


def test_a_comment_is_answered_and_its_thread_settled(bench: Bench) -> None:
    bench.push("fix")
    number = bench.forge.open("fix", "main", "t", "").number
    bench.people(number, "ada", ReviewState.NONE, "rename this", path="app.py", line=2)
    pull = bench.people(number, "bob", ReviewState.NONE, "and test it")
    thread, remark = pull.comments
    for comment in (thread, remark):
        assert bench.forge.reply(number, comment.id, "done").comments == pull.comments
    assert bench.forge.resolve(number, thread.thread or "").comments == (remark,)
    assert bench.forge.resolve(number, remark.id).comments == ()
    for call in (
        lambda: bench.forge.resolve(number, "nobody"),
        lambda: bench.forge.reply(number, "nobody", "x"),
    ):
        with pytest.raises(NotFound, match="nobody"):
            call()
    with pytest.raises(Invalid, match=r"^body:"):
        bench.forge.reply(number, remark.id, " ")


def test_remarks_that_the_agent_knows_are_one_review_and_no_news_to_it(bench: Bench) -> None:
    if not isinstance(bench.forge, TakesRemarks):
        assert bench.forge.name == "stub"
        return
    bench.push("fix")
    pull = bench.forge.open("fix", "main", "t", "")
    said = (
        Remark("fix.txt", "rename this", 1),
        Remark("app.py", "all of it", 3, first=1),
        Remark("fix.txt", "needs a test"),
    )
    for wrong in (Remark("../a", "x", 1), Remark("a", "x", 0), Remark("a", " ", 1)):
        with pytest.raises(Invalid):
            bench.forge.remark(pull.number, "ann", "", (*said, wrong), key="k")
    with pytest.raises(Conflict, match="which you saw"):
        bench.forge.remark(pull.number, "ann", "", said, key="k", head="0" * 40)
    assert bench.forge.look(pull.number).comments == ()
    found = bench.forge.remark(pull.number, "ann", "Almost.", said, key="k", head=pull.head)
    assert all(one.own and one.told for one in found.comments)
    assert {(one.body, one.path, one.line) for one in found.comments if one.line} == {
        ("rename this", "fix.txt", 1),
        ("all of it", "app.py", 3),
    }
    words = "\n".join(one.body for one in found.comments)
    assert "Almost." in words
    assert "needs a test" in words
    assert "<!--" not in words
    assert found.review is ReviewState.NONE
    again = bench.forge.remark(pull.number, "ann", "Almost.", said, key="k", head=pull.head)
    assert again.comments == found.comments, "it is known by its key"
    other = bench.forge.remark(pull.number, "ann", "Almost.", said, key="l", head=pull.head)
    assert len(other.comments) > len(found.comments)


def test_the_log_of_a_check_nobody_knows_is_not_found(bench: Bench) -> None:
    if not isinstance(bench.forge, Logged):
        assert bench.forge.name == "stub"
        return
    bench.push("fix")
    number = bench.forge.open("fix", "main", "t", "").number
    for which, check in ((number, "nothing"), (7, "unit")):
        with pytest.raises(NotFound):
            bench.forge.check_log(which, check, LogPart())


@pytest.mark.parametrize(
    ("field", "call"),
    [
        ("author", {"author": " "}),
        ("decision", {"decision": ReviewState.REQUIRED}),
        ("body", {"body": ""}),
        ("line", {"line": 3}),
        ("line", {"line": 0, "path": "a"}),
        ("path", {"path": "../a"}),
        ("path", {"path": "/etc/passwd"}),
    ],
)
def test_a_wrong_review_is_invalid_and_named(
    bench: Bench, field: str, call: dict[str, object]
) -> None:
    bench.push("fix")
    number = bench.forge.open("fix", "main", "t", "").number
    words = {
        "author": "ada",
        "decision": ReviewState.NONE,
        "body": "text",
        "path": None,
        "line": None,
        **call,
    }
    with pytest.raises(Invalid, match=f"^{field}:"):
        bench.forge.review(
            number,
            words["author"],
            words["decision"],
            words["body"],
            path=words["path"],
            line=words["line"],
        )
    assert bench.forge.look(number).comments == ()


def test_a_number_nobody_has_is_not_found(bench: Bench) -> None:
    calls = (
        lambda: bench.forge.look(7),
        lambda: bench.forge.merge(7, "0" * 40),
        lambda: bench.forge.close(7),
        lambda: bench.forge.ready(7),
        lambda: bench.forge.review(7, "ada", ReviewState.APPROVED, ""),
    )
    for call in calls:
        with pytest.raises(NotFound, match="#7"):
            call()


def test_a_usable_forge_has_nothing_to_complain(bench: Bench) -> None:
    assert bench.forge.check() is None
