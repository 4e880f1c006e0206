"""Linear as a tracker, over real HTTP: what is read for the prompt, what an issue is told,
and how limits are kept.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from ennio.model.branch import check_branch
from ennio.model.errors import ConfigError, NotFound, Refused, Unreachable
from ennio.plugins.tracker.interface import Milestone, MilestoneKind
from ennio.plugins.tracker.linear.settings import parse
from tests.linear.conftest import Tracker
from tests.linear.standin import KEY, PERIOD, Linear

URL = "https://github.com/acme/shop/pull/7"


def _milestone(kind: str, session: str = "s-1") -> Milestone:
    return Milestone(
        MilestoneKind(kind),
        session,
        "claude-code",
        "ada/eng-1-fix",
        URL if kind != "spawned" else None,
        7,
    )


def test_an_issue_comes_with_all_an_agent_needs(linear: Linear, tracker: Tracker) -> None:
    parent = linear.add("ENG-1", "Login", "All about logins.")
    row = linear.add("ENG-2", "Fix the login", "It breaks.", labels=("bug", "ui"), parent=parent)
    linear.say(row, "On Mondays only")
    linear.say(row, "Seen it", botActor={"name": "sentry"})
    issue = tracker().issue("ENG-2")
    assert (issue.id, issue.title, issue.labels, issue.state) == (
        "ENG-2",
        "Fix the login",
        ("bug", "ui"),
        "open",
    )
    assert issue.body == "It breaks.\n\n## Part of ENG-1: Login\n\nAll about logins."
    assert issue.comments == ("ada: On Mondays only", "sentry: Seen it")
    assert issue.url == "https://linear.app/acme/issue/ENG-2/x"
    assert linear.names() == ["Issue"]


def test_an_issue_without_words_has_an_empty_body(linear: Linear, tracker: Tracker) -> None:
    linear.add("ENG-1", description=None)
    assert tracker().issue("ENG-1").body == ""


def test_all_comments_are_read_and_come_oldest_first(linear: Linear, tracker: Tracker) -> None:
    row = linear.add("ENG-1")
    for number in range(120):
        linear.say(row, f"word {number}")
    assert tracker().issue("ENG-1").comments == tuple(
        f"ada: word {number}" for number in range(120)
    )
    assert linear.names() == ["Issue", "MoreComments", "MoreComments"]


def test_the_branch_is_linears_own_unless_git_would_not_take_it(
    linear: Linear, tracker: Tracker
) -> None:
    linear.add("ENG-1", branch="ada/eng-1-fix-the-login")
    linear.add("ENG-2", "Fix: it", branch="ada/eng-2..fix")
    assert tracker().issue("ENG-1").branch == "ada/eng-1-fix-the-login"
    ours = tracker().issue("ENG-2").branch
    assert ours == "issue-eng-2-fix-it"
    check_branch(ours)


def test_the_open_issues_of_the_team_are_listed_over_all_pages(
    linear: Linear, tracker: Tracker
) -> None:
    for number in range(1, 121):
        linear.add(f"ENG-{number}")
    linear.add("OPS-1")
    linear.rows[4].state = "Done"
    linear.rows[5].state = "Canceled"
    ids = [issue.id for issue in tracker(team="eng").issues()]
    assert ids == [f"ENG-{number}" for number in range(1, 121) if number not in (5, 6)]
    assert linear.names() == ["Issues"] * 3
    assert "OPS-1" in [issue.id for issue in tracker().issues()]


@pytest.mark.parametrize(
    "written",
    ["ENG-1", "eng-1", "1", "#1", " #1 ", "https://linear.app/acme/issue/ENG-1/fix-the-login"],
)
def test_an_issue_is_found_by_whatever_a_person_writes(
    linear: Linear, tracker: Tracker, written: str
) -> None:
    linear.add("ENG-1")
    assert tracker(team="ENG").issue(written).id == "ENG-1"


def test_an_unknown_issue_is_not_found_and_named(linear: Linear, tracker: Tracker) -> None:
    for call in (
        tracker().issue,
        tracker().close,
        lambda issue_id: tracker().comment(issue_id, "x"),
    ):
        with pytest.raises(NotFound, match="ENG-404"):
            call("ENG-404")
    with pytest.raises(NotFound, match="set team"):
        tracker().issue("404")


def test_an_issue_that_is_null_is_not_found_either(linear: Linear, tracker: Tracker) -> None:
    linear.before = lambda: (200, '{"data": {"issue": null}}')
    with pytest.raises(NotFound, match="ENG-1"):
        tracker().issue("ENG-1")


def test_a_change_without_success_is_no_change(linear: Linear, tracker: Tracker) -> None:
    linear.before = lambda: (200, '{"data": {"commentCreate": {"success": false}}}')
    with pytest.raises(Refused, match="commentCreate"):
        tracker().comment("ENG-1", "x")


def test_a_comment_is_written_and_closing_twice_is_fine(linear: Linear, tracker: Tracker) -> None:
    row = linear.add("ENG-1")
    tracker().comment("ENG-1", "well done")
    tracker().close("ENG-1")
    tracker().close("ENG-1")
    assert (row.bodies, row.state) == (["well done"], "Done")
    assert linear.names().count("Move") == 1
    assert tracker().issue("ENG-1").state == "closed"


STORY = {
    "spawned": "In Progress",
    "pull_opened": "in review",
    "merged": "completed",
    "closed": "Todo",
    "killed": "Backlog",
}


def test_an_issue_goes_through_its_states_as_configured(linear: Linear, tracker: Tracker) -> None:
    row = linear.add("ENG-1")
    told = tracker(states=STORY)
    seen = []
    for kind in ("spawned", "pull_opened", "closed", "pull_opened", "merged"):
        told.tell("ENG-1", _milestone(kind))
        seen.append(row.state)
    assert seen == ["In Progress", "In Review", "Todo", "In Review", "Done"]


def test_a_second_session_does_not_move_an_issue_back_and_no_session_reopens_it(
    linear: Linear, tracker: Tracker
) -> None:
    row = linear.add("ENG-1", state="In Review")
    told = tracker(states=STORY)
    told.tell("ENG-1", _milestone("spawned", "s-2"))
    assert row.state == "In Review"
    row.state = "Canceled"
    for kind in STORY:
        told.tell("ENG-1", _milestone(kind))
    assert row.state == "Canceled"


def test_a_state_the_team_does_not_have_is_refused_with_those_it_has(
    linear: Linear, tracker: Tracker
) -> None:
    linear.add("ENG-1")
    with pytest.raises(
        Refused, match=r"no state 'QA'; it has Triage, Backlog, Todo, In Progress, In Review, Done"
    ):
        tracker(states={"merged": "QA"}).tell("ENG-1", _milestone("merged"))


def test_the_pull_request_is_attached_once_and_says_what_became_of_it(
    linear: Linear, tracker: Tracker
) -> None:
    row = linear.add("ENG-1")
    for _ in range(2):
        tracker().tell("ENG-1", _milestone("pull_opened"))
    assert row.attachments == {
        URL: {"title": "Pull request #7", "subtitle": "open, by session s-1"}
    }
    assert linear.names().count("Attach") == 1
    tracker().tell("ENG-1", _milestone("merged"))
    assert row.attachments == {
        URL: {"title": "Pull request #7", "subtitle": "merged, by session s-1"}
    }


def test_a_milestone_told_twice_is_one_comment(linear: Linear, tracker: Tracker) -> None:
    row = linear.add("ENG-1")
    for _ in range(2):
        tracker(comment=True, link=False).tell("ENG-1", _milestone("merged"))
    tracker(comment=["spawned"], link=False).tell("ENG-1", _milestone("pull_opened"))
    assert row.bodies == [f"Pull request #7 of session s-1 is merged: {URL}"]


def test_an_issue_is_closed_on_merge_when_that_is_asked_for(
    linear: Linear, tracker: Tracker
) -> None:
    row = linear.add("ENG-1")
    tracker(close_on_merge=True).tell("ENG-1", _milestone("pull_opened"))
    assert row.state == "Todo"
    tracker(close_on_merge=True).tell("ENG-1", _milestone("merged"))
    assert row.state == "Done"


def test_nothing_is_asked_for_a_milestone_nobody_wants_told(
    linear: Linear, tracker: Tracker
) -> None:
    linear.add("ENG-1")
    tracker(link=False).tell("ENG-1", _milestone("merged"))
    tracker().tell("ENG-1", _milestone("spawned"))
    assert linear.asked == []


# --- limits and trouble ---------------------------------------------------------------------------


@pytest.mark.parametrize("counter", ["requests", "complexity"])
def test_a_used_up_quota_is_waited_out_without_a_single_request(
    linear: Linear, tracker: Tracker, counter: str
) -> None:
    linear.add("ENG-1")
    linear.remaining[counter] = 0
    with pytest.raises(Unreachable, match="full again at") as caught:
        tracker().issue("ENG-1")
    assert caught.value.until == linear.clock.now() + timedelta(seconds=PERIOD)
    for _ in range(10):
        linear.clock.advance(300)
        with pytest.raises(Unreachable, match="was not asked"):
            tracker().issue("ENG-1")
    assert len(linear.asked) == 1
    linear.clock.advance(601)
    linear.remaining[counter] = linear.limits[counter]
    assert tracker().issue("ENG-1").id == "ENG-1"


def test_reading_stops_at_a_reserve_that_is_kept_for_telling(
    linear: Linear, tracker: Tracker
) -> None:
    row = linear.add("ENG-1")
    linear.remaining["requests"] = 240
    tracker().issue("ENG-1")
    with pytest.raises(Unreachable, match="kept for actions"):
        tracker().issue("ENG-1")
    tracker().comment("ENG-1", "still heard")
    assert row.bodies == ["still heard"]


def test_a_limit_without_a_counter_means_silence_for_a_minute(
    linear: Linear, tracker: Tracker
) -> None:
    linear.add("ENG-1")
    linear.before = lambda: (429, "slow down")
    with pytest.raises(Unreachable, match="limits requests"):
        tracker().issue("ENG-1")
    linear.before = lambda: None
    with pytest.raises(Unreachable, match="was not asked"):
        tracker().issue("ENG-1")
    linear.clock.advance(61)
    assert tracker().issue("ENG-1").id == "ENG-1"


def test_a_failing_service_is_left_alone_after_the_third_time(
    linear: Linear, tracker: Tracker
) -> None:
    linear.add("ENG-1")
    linear.before = lambda: (502, "<html>bad gateway</html>")
    for _ in range(6):
        with pytest.raises(Unreachable):
            tracker().issue("ENG-1")
    assert len(linear.asked) == 3
    linear.before = lambda: None
    linear.clock.advance(16)
    assert tracker().issue("ENG-1").id == "ENG-1"


def test_an_answer_that_is_no_json_is_no_answer(linear: Linear, tracker: Tracker) -> None:
    linear.before = lambda: (200, "<html>maintenance</html>")
    with pytest.raises(Unreachable, match="usable answer"):
        tracker().issue("ENG-1")


def test_nobody_there_is_unreachable(linear: Linear, tracker: Tracker) -> None:
    with pytest.raises(Unreachable, match="did not answer"):
        tracker(api_url="http://127.0.0.1:9/graphql").issue("ENG-1")


def test_a_wrong_key_is_refused_and_never_shown(linear: Linear, tracker: Tracker) -> None:
    with pytest.raises(Refused, match="refuses the key") as caught:
        tracker(api_key="lin_api_wrong").issue("ENG-1")
    assert "lin_api_wrong" not in str(caught.value)


def test_an_oauth_token_is_sent_as_a_bearer(linear: Linear, tracker: Tracker) -> None:
    linear.add("ENG-1")
    assert tracker(api_key=None, token=KEY).issue("ENG-1").id == "ENG-1"


# --- settings -------------------------------------------------------------------------------------


def test_every_wrong_setting_is_told_at_once_and_no_secret_among_them() -> None:
    wrong = {
        "api_key": ["canary"],
        "taem": "ENG",
        "states": {"mergd": "Done"},
        "link": "yes",
        "comment": ["sometimes"],
        "api_url": 1,
    }
    with pytest.raises(ConfigError) as caught:
        parse(wrong)
    words = str(caught.value)
    parts = (
        "taem: is no known key here: did you mean `team`?",
        "states.mergd: is no known key here: did you mean `merged`?",
        "link: `yes` is neither true nor false",
        "`sometimes` is no milestone",
        "api_key: is not a text",
    )
    for part in parts:
        assert part in words
    assert "canary" not in words


def test_a_missing_key_is_named_with_the_way_to_one() -> None:
    with pytest.raises(
        ConfigError, match=r"api_key: is missing; write api_key: \$\{LINEAR_API_KEY\}"
    ):
        parse({"team": "ENG"})


def test_settings_do_not_show_the_key() -> None:
    assert KEY not in repr(parse({"api_key": KEY}))
