"""What each verb asks the supervisor, and what it prints."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cli.conftest import Api
from tests.cli.told import EVENT, SESSION


def test_status_shows_sessions_queue_and_the_question(api: Api) -> None:
    api.on("GET", "/sessions", [SESSION]).on(
        "GET", "/queue", [{"session_id": "ma-2", "project_id": "my-app", "held": True}]
    )
    api.on("GET", "/status", {"config_problem": None})
    ended = api.ennio("status")
    assert ended.code == 0
    titles, row, _, total, queue = ended.out.splitlines()
    assert titles.split() == [
        "TURN",
        "SESSION",
        "STATUS",
        "ACTIVITY",
        "TITLE",
        "PR",
        "FOR",
        "WHY",
    ]
    assert row.startswith("you asks  ma-1a2b3c4d  ci_failed  waiting_input  Log in  #7  ")
    assert row.endswith("May I run rm?")
    assert total == "1 session: 1 your turn"
    assert queue == "1 in the queue, 1 of them held; more: ennio queue list"


def test_status_says_when_the_configuration_file_was_refused(api: Api) -> None:
    api.on("GET", "/sessions", [SESSION]).on("GET", "/queue", []).on(
        "GET", "/status", {"config_problem": "line 3: no such key"}
    )
    ended = api.ennio("status")
    assert "the last good one holds (mend it, then: ennio reload)" in ended.out.splitlines()[-1]
    assert ended.out.rstrip().endswith("line 3: no such key")
    assert api.ennio("status", "--json").document["config_problem"] == "line 3: no such key"


@pytest.mark.parametrize(("flag", "when"), [("", "at_reset"), ("--now", "now")])
def test_a_parked_session_is_let_go_on_when_a_person_says(api: Api, flag: str, when: str) -> None:
    parked = SESSION | {"activity": "blocked", "reason": "plan window used up"}
    api.on("POST", "/sessions/ma-1a2b3c4d/resume", parked)
    ended = api.ennio("session", "resume", "ma-1a2b3c4d", *flag.split())
    assert "goes on then: plan window used up" in ended.out
    asked = ("POST", "/sessions/ma-1a2b3c4d/resume", {}, {"when": when})
    assert asked in api.asked


@pytest.mark.parametrize("name", ["my-app", "My App"])
def test_a_project_may_be_given_by_id_or_name(api: Api, name: str) -> None:
    api.on("GET", "/sessions", []).on("GET", "/queue", []).on(
        "GET", "/status", {"config_problem": None}
    )
    assert api.ennio("status", name).code == 0
    assert ("GET", "/sessions", {"project_id": "my-app"}, None) in api.asked


def test_an_unknown_project_suggests_the_nearest(api: Api) -> None:
    ended = api.ennio("status", "my-ap", "--json")
    assert (ended.code, ended.document["code"]) == (3, 3)
    assert "did you mean 'my-app'" in ended.document["error"]


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        ("session kill ma-1a2b3c4d", ("DELETE", "/sessions/ma-1a2b3c4d", {}, None)),
        ("interrupt ma-1a2b3c4d", ("POST", "/sessions/ma-1a2b3c4d/interrupt", {}, {})),
        (
            "answer ma-1a2b3c4d no thanks",
            ("POST", "/sessions/ma-1a2b3c4d/answer", {}, {"answer": "no thanks"}),
        ),
        (
            "send ma-1a2b3c4d two words",
            ("POST", "/sessions/ma-1a2b3c4d/send", {}, {"message": "two words"}),
        ),
        ("queue hold ma-1a2b3c4d", ("POST", "/queue/ma-1a2b3c4d/hold", {}, {})),
        ("queue release ma-1a2b3c4d", ("POST", "/queue/ma-1a2b3c4d/release", {}, {})),
        ("queue move ma-1a2b3c4d 3", ("POST", "/queue/ma-1a2b3c4d/move", {}, {"position": 3})),
        ("queue drop ma-1a2b3c4d", ("DELETE", "/queue/ma-1a2b3c4d", {}, None)),
        (
            "queue priority ma-1a2b3c4d -5",
            ("POST", "/queue/ma-1a2b3c4d/priority", {}, {"priority": -5}),
        ),
        ("output ma-1a2b3c4d -n 7", ("GET", "/sessions/ma-1a2b3c4d/output", {"lines": "7"}, None)),
        (
            "session list my-app --status exited --status killed -a",
            (
                "GET",
                "/sessions",
                {"project_id": "my-app", "status": "exited,killed", "all": "true"},
                None,
            ),
        ),
    ],
)
def test_a_verb_asks_for_exactly_what_was_said(
    api: Api, words: str, asked: tuple[str, str, dict[str, str], Any]
) -> None:
    api.on(asked[0], asked[1], [] if asked[1] == "/sessions" else "ok").on(
        "GET", "/sessions/ma-1a2b3c4d", SESSION
    )
    ended = api.ennio(*words.split())
    assert (ended.code, ended.err) == (0, "")
    assert api.last == asked


def test_an_id_cannot_reach_another_path(api: Api) -> None:
    assert api.ennio("session", "kill", "../queue").code == 3
    assert api.ennio("session", "kill", "..").code == 2
    # it may be a branch
    assert {asked[:2] for asked in api.asked} <= {("GET", "/sessions")}


def test_open_prints_the_command_where_there_is_no_terminal(api: Api) -> None:
    api.on(
        "GET", "/sessions/ma-1a2b3c4d/attach", ["tmux", "-L", "my socket", "attach", "-t", "=ma-1"]
    )
    assert api.ennio("open", "ma-1a2b3c4d").out == "tmux -L 'my socket' attach -t =ma-1\n"


def test_events_are_shown_oldest_first_and_filters_are_passed_on(api: Api) -> None:
    api.on("GET", "/events", [EVENT | {"seq": 9, "message": "later"}, EVENT]).on(
        "GET", "/sessions/ma-1a2b3c4d", SESSION
    )
    ended = api.ennio(
        "events",
        "--type",
        "ci_failing",
        "--type",
        "pr_merged",
        "--session",
        "ma-1a2b3c4d",
        "--project",
        "My App",
        "-n",
        "2",
    )
    assert [line.split("  ")[-1] for line in ended.out.splitlines()] == ["lint fails", "later"]
    assert api.last[2] == {
        "type": "ci_failing,pr_merged",
        "session_id": "ma-1a2b3c4d",
        "project_id": "my-app",
        "limit": "2",
    }


def test_the_dashboard_link_carries_a_one_time_code(api: Api) -> None:
    api.on("POST", "/auth/code", {"code": "once", "expires_in": 60})
    assert api.ennio("dashboard").out == f"{api.url}/auth?code=once\n"
    assert api.ennio("dashboard", "--port", "8080", "--json").document == {
        "url": "http://127.0.0.1:8080/auth?code=once"
    }


def test_the_dashboard_link_leads_on_to_the_page_that_was_named(api: Api) -> None:
    api.on("POST", "/auth/code", {"code": "once", "expires_in": 60})
    ended = api.ennio("dashboard", "/s/ma-1/pr?line=3", "--print")
    assert ended.out == f"{api.url}/auth?code=once&next=%2Fs%2Fma-1%2Fpr%3Fline%3D3\n"
    whole = api.ennio("dashboard", "http://127.0.0.1:8080/s/ma-1", "--print")
    assert whole.out.endswith("&next=%2Fs%2Fma-1\n")
    for wrong in ("s/ma-1", "//evil.example/x"):
        ended = api.ennio("dashboard", wrong)
        assert ended.code == 2, ended
        assert "page: must be a path" in ended.err


def test_the_dashboard_link_is_drawn_for_a_camera_under_the_public_address(api: Api) -> None:
    api.on("POST", "/auth/code", {"code": "once", "expires_in": 60})
    api.on("GET", "/config", {"public_url": "https://ennio.example/"})
    first, *drawn = api.ennio("dashboard", "--qr").out.splitlines()
    assert first == "https://ennio.example/auth?code=once"
    assert len(drawn) > 12
    assert set("".join(drawn[:-1])) == set(" █▀▄")


def test_one_frame_of_the_board_can_be_printed(api: Api) -> None:
    api.on("GET", "/sessions", [SESSION]).on("GET", "/status", {}).on("GET", "/budgets", [])
    api.on("GET", "/verbs", []).on("GET", "/queue", [])
    assert "ma-1a2b" in api.ennio("board", "--once").out
    assert api.ennio("board").code == 2


@pytest.mark.parametrize(
    "words",
    ["start --detach", "start", "stop", "cleanup", "cleanup ma-2 --force", "session kill ma-2"],
)
def test_an_agent_neither_starts_nor_stops_ennio_nor_ends_what_is_anothers(
    api: Api, words: str
) -> None:
    api.on("GET", "/sessions", [{"id": "ma-1"}, {"id": "ma-2"}])
    ended = api.ennio(*words.split(), ENNIO_SESSION_ID="ma-1")
    assert (ended.code, "agents do not" in ended.err) == (5, True)
    assert not [asked for asked in api.asked if asked[0] in ("POST", "DELETE")]


def test_a_session_may_be_named_by_how_its_id_begins(api: Api) -> None:
    api.on(
        "GET",
        "/sessions",
        [SESSION, SESSION | {"id": "ma-1b000000"}, SESSION | {"id": "web-00000000"}],
    )
    api.on("DELETE", "/sessions/web-00000000", "ok")
    assert "web-00000000" in api.ennio("session", "kill", "we").out
    assert api.last[:2] == ("DELETE", "/sessions/web-00000000")
    several = api.ennio("session", "kill", "ma-1")
    assert several.code == 2
    assert "2 sessions begin with 'ma-1': ma-1a2b3c4d, ma-1b000000; write more" in several.err
    typed = api.ennio("session", "kill", "wbe-00")
    assert typed.code == 3
    assert "no session 'wbe-00'" in typed.err
    assert len([one for one in api.asked if one[0] == "DELETE"]) == 1


def test_a_session_may_be_named_by_its_branch(api: Api) -> None:
    ended = SESSION | {"id": "ma-1b000000", "branch": "feat/log-in", "status": "merged"}
    living = SESSION | {"id": "ma-2b000000", "branch": "feat/log-in"}
    api.on("GET", "/sessions", [SESSION, ended, living])
    api.on("DELETE", "/sessions/ma-2b000000", "ok")
    assert "ma-2b000000" in api.ennio("session", "kill", "feat/log-in").out
    api.on("GET", "/sessions", [living, living | {"id": "ma-3b000000"}])
    several = api.ennio("session", "kill", "feat/log-in")
    assert several.code == 2
    assert "2 sessions have the branch 'feat/log-in': ma-2b000000, ma-3b000000; " in several.err


def test_the_names_a_shell_completes_are_those_there_are(api: Api) -> None:
    row = SESSION | {"pr_number": 7}
    api.on("GET", "/sessions", [row]).on("GET", "/projects", [{"id": "my-app"}])
    for kind, names in (
        ("sessions", ["ma-1a2b3c4d"]),
        ("projects", ["my-app"]),
        ("pulls", ["my-app#7", "ma-1a2b3c4d"]),
    ):
        assert api.ennio("completion", "bash", "--known", kind).out.split() == names


def test_a_session_that_is_not_there_is_told_with_the_one_nearly_called_so(api: Api) -> None:
    api.on("GET", "/sessions", [SESSION])
    unknown = "no session ma-1a2b3c4e; `ennio session list` shows them"
    for method, path in (
        ("GET", "/sessions/ma-1a2b3c4e"),
        ("DELETE", "/sessions/ma-1a2b3c4e"),
        ("GET", "/sessions/ma-1a2b3c4e/output"),
    ):
        api.on(method, path, unknown, status=404, error="NotFound")
    for words in (["session", "info"], ["session", "kill"], ["output"], ["events", "--session"]):
        ended = api.ennio(*words, "ma-1a2b3c4e")
        assert ended.code == 3, words
        assert (
            ended.err
            == "ennio: no session ma-1a2b3c4e, did you mean 'ma-1a2b3c4d'?; `ennio session "
            "list` shows them\n"
        )


def test_who_writes_to_an_exited_session_is_told_that_nobody_reads_it(api: Api) -> None:
    api.on("GET", "/sessions/ma-1a2b3c4d", SESSION | {"status": "exited"}).on(
        "POST", "/sessions/ma-1a2b3c4d/send", "ok"
    )
    assert "ennio session restore ma-1a2b3c4d" in api.ennio("send", "ma-1a2b3c4d", "go on").out


def test_a_wrong_token_is_told_as_the_affair_of_who_sent_it(api: Api) -> None:
    words = (
        "the token is wrong; send Authorization: Bearer <api_token> (`ennio` reads it by itself)"
    )
    api.on("GET", "/sessions", words, status=401, error="Unauthorized")
    ended = api.ennio("status")
    assert ended.code == 5
    assert (
        "api_token): it was changed since the start; make them agree with: ennio stop && ennio "
        "start --detach" in ended.err
    )
    assert "Authorization" not in ended.err
