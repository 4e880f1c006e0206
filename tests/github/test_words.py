"""What failing checks and people say, and what is said back."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ennio.config.reactions import BUILT_IN
from ennio.model.check_log import LogPart
from ennio.model.clock import ManualClock
from ennio.model.errors import Invalid, NotFound, Refused
from ennio.model.facts import Facts
from ennio.model.pulls import Check, CheckState, ReviewState
from ennio.model.session import Session, SessionStatus
from ennio.plugins.forge.github.check_words import cut
from ennio.plugins.forge.github.forge import GitHubForge
from ennio.plugins.forge.github.interval import SOON
from ennio.plugins.forge.interface import Watch
from ennio.policy.reactions import Situation, case
from tests.github.standin.hub import Fault, Hub, Run
from tests.github.test_survey import seen

LOG = "\n".join(
    [
        *(f"2026-01-01T00:00:{n % 60:02}.1234567Z setting up {n}" for n in range(200)),
        "2026-01-01T00:01:00.1234567Z ##[group]Run make test",
        "2026-01-01T00:01:01.1234567Z \x1b[31mFAILED\x1b[0m tests/test_login.py::test_key",
        "2026-01-01T00:01:02.1234567Z ##[error]Process completed with exit code 2.",
        *(f"2026-01-01T00:01:03.1234567Z Post job cleanup {n}." for n in range(100)),
    ]
)


def red(hub: Hub, **more: object) -> Run:
    head = hub.push("fix", {"a.txt": "1\n"})
    hub.open("fix")
    return hub.run(head, Run("test", conclusion="FAILURE", **more))  # type: ignore[arg-type]


def test_the_whole_log_of_a_job_is_read_once_and_told_in_parts(
    hub: Hub, forge: GitHubForge
) -> None:
    long = "".join(f"line {number}\n" for number in range(5000))
    hub.log_of(red(hub), f"{long}##[error]\x1b[31mit broke\x1b[0m\nbye\n")
    (check,) = forge.look(1).failing
    before = len(hub.requests)
    part = forge.check_log(1, check.name, LogPart(0, 100))
    assert part.text.startswith("line 0\n")
    assert part.failing is not None
    assert part.failing.line == 5001
    there = forge.check_log(1, check.id, LogPart(part.failing.offset, 100))
    assert there.text == "##[error]it broke\nbye\n"
    assert (there.line, there.next) == (5001, None)
    assert sum("logs" in where for _, _, where, _ in hub.requests[before:]) == 1


def test_incident_28_a_failing_check_brings_its_annotations_and_the_end_of_its_log(
    hub: Hub, forge: GitHubForge, clock: ManualClock
) -> None:
    place = {"path": "src/login.py", "location": {"start": {"line": 12}}}
    note = {**place, "message": "undefined name", "title": None, "annotationLevel": "FAILURE"}
    hub.log_of(red(hub, annotations=[note], title="2 failed"), LOG)
    pull = seen(forge, clock).pull
    assert pull is not None
    (check,) = pull.failing
    assert check.url is not None
    lines = check.log_tail.splitlines()
    assert lines[0] == "2 failed"
    assert lines[1] == "src/login.py:12: failure: undefined name"
    assert lines[-2:] == [
        "FAILED tests/test_login.py::test_key",
        "##[error]Process completed with exit code 2.",
    ]
    assert len(lines) <= 62


def test_a_log_is_read_once_for_each_run(hub: Hub, forge: GitHubForge, clock: ManualClock) -> None:
    hub.log_of(red(hub), LOG)
    for _ in range(3):
        seen(forge, clock)
    assert hub.asked(path="/logs") == 1


def test_a_log_that_cannot_be_read_leaves_the_check_failing_and_is_read_later(
    hub: Hub, forge: GitHubForge, clock: ManualClock
) -> None:
    hub.log_of(red(hub), LOG)
    hub.faults = [Fault(502, path="/logs")]
    pull = seen(forge, clock).pull
    assert pull is not None
    assert pull.checks is CheckState.FAILING
    assert "could not be read" in pull.failing[0].log_tail
    pull = seen(forge, clock).pull
    assert pull is not None
    assert "test_login" in pull.failing[0].log_tail


def test_incident_a_log_that_could_not_be_read_once_was_never_told(
    hub: Hub, forge: GitHubForge, clock: ManualClock
) -> None:
    """While it is unread nothing is told, and it is read again soon; after two
    minutes it is told without.
    """
    hub.log_of(red(hub), LOG)
    hub.faults = [Fault(502, path="/logs")]
    (check,) = _failing(forge, clock, after=0)
    assert check.unread
    situation = _situation(forge)
    assert case("ci-failed", BUILT_IN["ci-failed"], situation, clock.now()).holds is None
    (check,) = _failing(forge, clock, after=SOON)
    assert not check.unread
    assert "test_login" in check.log_tail
    assert case("ci-failed", BUILT_IN["ci-failed"], _situation(forge), clock.now()).holds


@pytest.mark.parametrize("status", [404, 502])
def test_a_log_that_is_never_there_is_not_waited_for_for_ever(
    hub: Hub, forge: GitHubForge, clock: ManualClock, status: int
) -> None:
    hub.log_of(red(hub), LOG)
    hub.faults = [Fault(status, path="/logs") for _ in range(3)]
    assert _failing(forge, clock, after=0)[0].unread
    (check,) = _failing(forge, clock, after=60)
    assert check.unread
    (check,) = _failing(forge, clock, after=61)
    assert not check.unread
    assert "could not be read" in check.log_tail
    assert "test_login" in _failing(forge, clock, after=61)[0].log_tail, (
        "what comes late is shown all the same"
    )


def test_trouble_of_the_server_that_has_the_logs_is_no_trouble_of_github(
    hub: Hub, forge: GitHubForge, clock: ManualClock
) -> None:
    hub.log_of(red(hub), LOG)
    for _ in range(9):
        hub.faults.append(Fault(503, path="/signed/"))
        _failing(forge, clock, after=30)
    assert forge.client.allowance.budget.failures == 0


def _failing(forge: GitHubForge, clock: ManualClock, after: float) -> tuple[Check, ...]:
    clock.advance(after)
    pull = forge.survey([Watch("s", "fix", "main")])["s"].pull
    assert pull is not None
    return pull.failing


def _situation(forge: GitHubForge) -> Situation:
    now = forge.client.now()
    session = Session("s", "shop", SessionStatus.CI_FAILED, now, now, "x")
    return Situation(session, Facts(forge=forge.survey([Watch("s", "fix", "main")])["s"]))


def test_a_long_log_is_cut_at_its_end() -> None:
    assert cut("x" * 100_000) == "x" * 8192
    assert cut("\n".join(map(str, range(1000)))).splitlines()[-1] == "999"
    assert cut("a\nPost job cleanup.\nb") == "a"
    assert cut("10%\r50%\r100%") == "100%"
    assert cut("") == ""


def test_incident_29_threads_replies_conversation_and_bots_all_arrive(
    hub: Hub, forge: GitHubForge, clock: ManualClock
) -> None:
    hub.push("fix", {"a.txt": "1\n"})
    number = hub.open("fix").number
    thread = hub.thread(number, "ada", "first", "app.py", 2)
    hub.answer(thread, "bob", "reply")
    hub.remark(number, "cat[bot]", "conversation")
    hub.review(number, "ada", "CHANGES_REQUESTED", "please change")
    pull = seen(forge, clock).pull
    assert pull is not None
    told = {(c.author, c.body, c.path, c.line, c.bot, c.decision) for c in pull.comments}
    assert told == {
        ("ada", "first", "app.py", 2, False, None),
        ("bob", "reply", "app.py", 2, False, None),
        ("cat[bot]", "conversation", None, None, True, None),
        ("ada", "please change", None, None, False, ReviewState.CHANGES_REQUESTED),
    }
    assert len({c.id for c in pull.comments}) == 4


def test_every_list_is_read_to_its_end(hub: Hub, forge: GitHubForge, clock: ManualClock) -> None:
    head = hub.push("fix", {"a.txt": "1\n"})
    number = hub.open("fix").number
    for n in range(140):
        hub.run(head, Run(f"check {n}"))
        hub.remark(number, "ada", f"remark {n}")
        hub.review(number, "ada", "COMMENTED", f"review {n}")
    for n in range(90):
        hub.thread(number, "ada", f"thread {n}")
    for n in range(70):
        hub.answer(hub.pulls[number].threads[60], "bob", f"reply {n}")
    pull = seen(forge, clock).pull
    assert pull is not None
    assert len(pull.check_runs) == 140
    bodies = [comment.body for comment in pull.comments]
    for kind, count in (("remark", 140), ("review", 140), ("thread", 90), ("reply", 70)):
        assert sorted(b for b in bodies if b.startswith(kind)) == sorted(
            f"{kind} {n}" for n in range(count)
        )


def test_an_answer_stands_in_its_thread_and_is_not_told_to_the_agent(
    hub: Hub, forge: GitHubForge
) -> None:
    hub.push("fix", {"a.txt": "1\n"})
    number = hub.open("fix").number
    thread = hub.thread(number, "ada", "rename this")
    remark = hub.remark(number, "bob", "and test it")
    pull = forge.reply(number, thread.comments[0]["id"], "Renamed.")
    assert thread.comments[-1]["body"].startswith("Renamed.")
    assert {comment.body for comment in pull.comments} == {"rename this", "and test it"}
    pull = forge.reply(number, remark["id"], "Tested.")
    assert hub.pulls[number].comments[-1]["body"].startswith("> and test it\n\nTested.")
    assert {comment.body for comment in pull.comments} == {"rename this", "and test it"}
    pull = forge.resolve(number, thread.id)
    assert [comment.body for comment in pull.comments] == ["and test it"]
    assert forge.resolve(number, remark["id"]).comments == ()
    for name in (thread.id, remark["id"], "nobody"):
        with pytest.raises(NotFound):
            forge.resolve(number, name)
    with pytest.raises(NotFound):
        forge.reply(number, "nobody", "x")
    with pytest.raises(Invalid, match=r"^body:"):
        forge.reply(number, "nobody", " ")


def test_incident_29_what_the_agent_itself_answers_is_no_news_to_it_but_every_review_is(
    hub: Hub, make: Callable[..., GitHubForge], clock: ManualClock
) -> None:
    hub.push("fix", {"a.txt": "1\n"})
    number = hub.open("fix").number
    thread = hub.thread(number, "ada", "rename this")
    hub.answer(thread, hub.login, "Renamed, by gh.")
    hub.answer(thread, "ada", "not everywhere")
    hub.remark(number, hub.login, "All done, by gh.")
    hub.remark(number, "ada", "thanks")
    hub.thread(number, hub.login, "the owner of the token reviews")
    hub.review(number, hub.login, "COMMENTED", "and sums it up")
    told = {comment.body: comment.own for comment in make().look(number).comments}
    assert told == {
        "rename this": False,
        "Renamed, by gh.": True,
        "not everywhere": False,
        "All done, by gh.": True,
        "thanks": False,
        "the owner of the token reviews": False,
        "and sums it up": False,
    }
    assert not any(comment.own for comment in make(own_comments=True).look(number).comments)


def test_an_agent_that_opened_it_with_an_account_of_its_own_is_known_by_that(
    hub: Hub, forge: GitHubForge
) -> None:
    hub.push("fix", {"a.txt": "1\n"})
    number = hub.open("fix").number
    hub.pulls[number].author = "robot"
    hub.remark(number, "robot", "Done.")
    hub.remark(number, "ada", "Is it?")
    assert [(comment.author, comment.own) for comment in forge.look(number).comments] == [
        ("robot", True),
        ("ada", False),
    ]


def test_a_person_who_speaks_through_ennio_is_heard(hub: Hub, forge: GitHubForge) -> None:
    hub.push("fix", {"a.txt": "1\n"})
    number = hub.open("fix").number
    (said,) = forge.review(number, "me", ReviewState.NONE, "and the docs?").comments
    assert (said.author, said.body, said.own) == (hub.login, "and the docs?", False)


def test_a_review_is_written_as_the_tokens_owner(hub: Hub, forge: GitHubForge) -> None:
    hub.push("fix", {"a.txt": "1\n"})
    number = hub.open("fix").number
    pull = forge.review(number, "x", ReviewState.CHANGES_REQUESTED, "no", path="app.py", line=3)
    assert pull.review is ReviewState.CHANGES_REQUESTED
    assert [(c.body, c.path, c.line) for c in pull.comments] == [("no", "app.py", 3)]
    assert forge.review(number, "x", ReviewState.APPROVED, "").review is ReviewState.APPROVED
    forge.review(number, "x", ReviewState.NONE, "words")
    assert (
        forge.review(number, "x", ReviewState.NONE, "of the file", path="app.py").comments[-1].path
        == "app.py"
    )
    with pytest.raises(NotFound, match="#99"):
        forge.review(99, "x", ReviewState.NONE, "words")


def test_failed_jobs_are_run_again(hub: Hub, forge: GitHubForge) -> None:
    run = red(hub)
    hub.log_of(run, LOG)
    forge.rerun(1)
    assert hub.reruns == [run.number + 500_000]
    hub.runs.clear()
    with pytest.raises(Refused, match="no failed jobs"):
        forge.rerun(1)


def test_reviewers_are_told_again_that_they_are_waited_for(hub: Hub, forge: GitHubForge) -> None:
    hub.push("fix", {"a.txt": "1\n"})
    number = hub.open("fix").number
    with pytest.raises(Refused, match="nobody is asked"):
        forge.remind(number)
    hub.pulls[number].reviewers = ["lena"]
    pull = forge.remind(number)
    assert [said["body"].splitlines()[0] for said in hub.pulls[number].comments] == [
        "@lena this waits for your review."
    ]
    assert pull.comments == (), "the agent is not told"


def test_who_asked_for_changes_of_another_head_is_asked_to_look_again(
    hub: Hub, forge: GitHubForge
) -> None:
    hub.push("fix", {"a.txt": "1\n"})
    number = hub.open("fix").number
    forge.review(number, "x", ReviewState.CHANGES_REQUESTED, "no")
    hub.push("fix", {"a.txt": "2\n"})
    forge.remind(number)
    assert hub.pulls[number].reviewers == [hub.login]
