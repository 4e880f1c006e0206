"""What each verb asks the supervisor, and what it prints."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest

from ennio.cli import caller
from tests.cli.conftest import Api

WHEN = "2026-01-01T00:00:00+00:00"
SESSION: dict[str, Any] = {
    "id": "ma-1a2b3c4d",
    "project_id": "my-app",
    "status": "ci_failed",
    "activity": "waiting_input",
    "branch": "issue-42-login",
    "base": "main",
    "pr_url": "https://example.org/pull/7",
    "pr_number": 7,
    "agent_name": "claude-code",
    "created_at": WHEN,
    "last_activity_at": WHEN,
    "reason": "a check fails on the head",
    "outcome": None,
    "prompt": "Log in\nby key",
    "usage": {"input_tokens": 12000, "output_tokens": 340, "cost_usd": "0.42", "model": None},
    "queued": None,
    "question": "May I run rm?",
    "no_signal_since": None,
    "no_signal": None,
    "runtime": "tmux",
    "tmux_name": "ma-1a2b3c4d",
}
EVIDENCE = [
    {
        "at": WHEN,
        "status": "ci_failed",
        "rule": "a check fails on the head",
        "facts": [
            {"what": "check lint: failing", "source": "github", "at": WHEN},
            {"what": "head 0a1b", "source": "github", "at": None},
        ],
    }
]
EVENT = {
    "seq": 4,
    "id": "u",
    "event_type": "ci_failing",
    "priority": "urgent",
    "session_id": "ma-1a2b3c4d",
    "project_id": "my-app",
}
EVENT |= {"timestamp": WHEN, "message": "lint fails", "data": {}}
REACTION = {
    "id": "r3",
    "session_id": "ma-1a2b3c4d",
    "key": "bugbot-comments",
    "at": WHEN,
    "action": "none",
    "attempt": 0,
}
REACTION |= {
    "fingerprint": "f",
    "outcome": "skipped",
    "detail": "bots commented on #7: it is switched off",
}
MESSAGE = {
    "id": "m",
    "session_id": "ma-1a2b3c4d",
    "text": "fix\nlint",
    "origin": "reaction",
    "state": "delivered",
    "created_at": WHEN,
}
MESSAGE |= {"reaction": "ci-failed", "error": None, "detail": ""}
PULL: dict[str, Any] = {
    "project_id": "my-app",
    "number": 7,
    "url": "u7",
    "title": "Log in",
    "branch": "issue-42-login",
    "base": "main",
    "head": "0a1b",
}
PULL |= {
    "state": "open",
    "draft": False,
    "mergeability": "clean",
    "conflicts": [],
    "checks": "failing",
    "review": "none",
    "merge_commit": None,
}
PULL |= {
    "check_runs": [
        {
            "id": "1",
            "name": "lint",
            "state": "failing",
            "url": None,
            "log_tail": "E501 line too long",
        }
    ],
    "comments": [
        {
            "id": "c",
            "author": "ann",
            "body": "Add a test",
            "path": "a.py",
            "line": 3,
            "decision": None,
        }
    ],
}


def test_status_shows_sessions_queue_and_the_question(api: Api) -> None:
    api.on("GET", "/sessions", [SESSION]).on(
        "GET", "/queue", [{"session_id": "ma-2", "project_id": "my-app", "held": True}]
    )
    api.on("GET", "/status", {"config_problem": None})
    ended = api.ennio("status")
    assert ended.code == 0
    titles, row, _, total, queue = ended.out.splitlines()
    assert titles.split() == [
        "SESSION",
        "STATUS",
        "ACTIVITY",
        "BRANCH",
        "PR",
        "AGENT",
        "AGE",
        "WHY",
    ]
    assert row.startswith("ma-1a2b3c4d  ci_failed  waiting_input  issue-42-login  #7  claude-code")
    assert row.endswith("asks: May I run rm?")
    assert total == "1 session: 1 ci_failed"
    assert queue == "1 in the queue, 1 of them held; more: ennio queue list"


def test_status_says_when_the_configuration_file_was_refused(api: Api) -> None:
    api.on("GET", "/sessions", [SESSION]).on("GET", "/queue", []).on(
        "GET", "/status", {"config_problem": "line 3: no such key"}
    )
    ended = api.ennio("status")
    assert (
        f"the last good one holds (mend it, then: kill -HUP {os.getpid()})"
        in ended.out.splitlines()[-1]
    )
    assert ended.out.rstrip().endswith("line 3: no such key")
    assert api.ennio("status", "--json").document["config_problem"] == "line 3: no such key"


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


def test_info_shows_everything_history_events_and_messages(api: Api) -> None:
    _with_session(api)
    ended = api.ennio("session", "info", "ma-1a2b3c4d")
    assert ended.code == 0
    for line in (
        "status         ci_failed",
        "asks           May I run rm?",
        "used           12.0k in, 340 out, $0.42",
        "               by key",
    ):
        assert line in ended.out.splitlines()
    assert "lint fails" in ended.out
    assert "ci-failed  delivered  fix lint" in ended.out
    assert set(api.ennio("session", "info", "ma-1a2b3c4d", "--json").document) == {
        "session",
        "evidence",
        "events",
        "messages",
    }


def _with_session(api: Api) -> None:
    at = "/sessions/ma-1a2b3c4d"
    api.on("GET", at, SESSION).on("GET", f"{at}/evidence", EVIDENCE).on(
        "GET", f"{at}/events", [EVENT]
    ).on("GET", f"{at}/messages", [MESSAGE])
    sent = REACTION | {
        "id": "r2",
        "key": "ci-failed",
        "action": "send_to_agent",
        "outcome": "act",
        "detail": "attempt 1 of 3",
    }
    earlier = REACTION | {"id": "r1", "outcome": "act", "detail": "words to pass on"}
    api.on("GET", f"{at}/reactions", [REACTION, sent, earlier])


def test_why_tells_the_rule_and_each_fact_with_its_source(api: Api) -> None:
    _with_session(api)
    lines = api.ennio("session", "why", "ma-1a2b3c4d").out.splitlines()
    assert lines[0].startswith("ci_failed since ")
    assert lines[1] == "  rule: a check fails on the head"
    assert lines[2].startswith("  as it was when that was decided"), (
        "an old head is no look that was missed"
    )
    assert lines[3].startswith("  - check lint: failing  [github, seen ")
    assert lines[4] == "  - head 0a1b  [github]"


def test_incident_31_why_tells_what_each_reaction_did_last_or_why_it_did_nothing(api: Api) -> None:
    _with_session(api)
    lines = api.ennio("session", "why", "ma-1a2b3c4d").out.splitlines()[5:]
    assert [line.split("  [")[0] for line in lines] == [
        "  reaction bugbot-comments: skipped: bots commented on #7: it is switched off",
        "  reaction ci-failed: send to agent: attempt 1 of 3",
    ]
    document = json.loads(api.ennio("session", "why", "ma-1a2b3c4d", "--json").out)
    assert [reaction["id"] for reaction in document["reactions"]] == ["r3", "r2"]


def test_why_tells_what_a_message_waits_for_and_why_one_failed(api: Api) -> None:
    _with_session(api)
    waits = MESSAGE | {"state": "queued", "detail": "waits for the person at the terminal"}
    failed = MESSAGE | {"state": "failed", "error": "nobody could confirm it"}
    api.on(
        "GET", "/sessions/ma-1a2b3c4d/messages", [MESSAGE | {"state": "delivered"}, waits, failed]
    )
    lines = api.ennio("session", "why", "ma-1a2b3c4d").out.splitlines()[-2:]
    assert "queued: waits for the person at the terminal" in lines[0]
    assert "failed: nobody could confirm it" in lines[1]


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
    assert api.asked == []


def test_spawn_sends_only_what_was_given(api: Api) -> None:
    api.on("POST", "/sessions", SESSION | {"status": "spawning"})
    ended = api.ennio("spawn", "My App", "-i", "42", "--priority", "3", "--hold", "-b", "feat/x")
    assert (
        ended.out == "spawned ma-1a2b3c4d on issue-42-login; see: ennio session info ma-1a2b3c4d\n"
    )
    assert api.last[3] == {
        "project_id": "my-app",
        "issue_id": "42",
        "priority": 3,
        "held": True,
        "branch": "feat/x",
    }


def test_spawn_reads_the_prompt_from_standard_input_or_a_file(api: Api) -> None:
    api.on("POST", "/sessions", SESSION)
    assert api.ennio("spawn", "my-app", "-p", "-", given="from the pipe\n").code == 0
    assert api.last[3]["prompt"] == "from the pipe\n"
    (api.place.folder / "notes.md").write_text("from the file")
    assert api.ennio("spawn", "my-app", "-p", "@notes.md").code == 0
    assert api.last[3]["prompt"] == "from the file"
    assert api.ennio("spawn", "my-app", "-p", "@missing").code == 2


def test_incident_48_a_prompt_is_only_words(api: Api) -> None:
    api.on("POST", "/sessions", SESSION)
    nasty = "$(touch owned) `touch owned`; touch owned 'x\" \n--force"
    assert api.ennio("spawn", "my-app", f"--prompt={nasty}").code == 0
    assert api.last[3]["prompt"] == nasty
    assert not (api.place.folder / "owned").exists()


def test_spawn_without_anything_to_do_is_wrong_usage(api: Api) -> None:
    ended = api.ennio("spawn", "my-app")
    assert ended.code == 2
    assert "--issue" in ended.err
    assert api.ennio("spawn", "my-app", "-p", "  ").code == 2


def test_a_dry_run_shows_prompt_command_branch_and_workspace(api: Api) -> None:
    preview = {
        "session_id": "ma-0",
        "agent": "claude-code",
        "runtime": "tmux",
        "workspace_kind": "worktree",
        "workspace": "/w",
        "branch": "b",
    }
    preview |= {
        "base": "main",
        "prompt": "Do it",
        "system": "Rules",
        "command": ["claude", "--", "Do it"],
        "env": ["KEY"],
        "post_create": ["npm i"],
    }
    api.on("POST", "/sessions", preview | {"queue_reason": "3 of 3 run"})
    lines = api.ennio("spawn", "my-app", "-p", "Do it", "--dry-run").out.splitlines()
    assert api.last[2] == {"dry_run": "true"}
    for line in (
        "workspace    /w (worktree)",
        "branch       b (from main)",
        "command      claude -- 'Do it'",
        "prompt       Do it",
        "waits        3 of 3 run",
    ):
        assert line in lines
    assert lines[-1] == "nothing was started (--dry-run)"


@pytest.mark.parametrize(
    "begun",
    [
        {"event_type": "session_working"},
        {"event_type": "status_changed", "data": {"from": "spawning", "to": "pr_open"}},
    ],
)
def test_spawn_wait_follows_the_session_until_it_has_begun(api: Api, begun: dict[str, Any]) -> None:
    steps = [
        EVENT | {"seq": 5, "event_type": "session_step", "message": "cloning"},
        EVENT | {"seq": 6, "message": "works"} | begun,
        EVENT | {"seq": 7, "event_type": "ci_passing", "message": "later"},
    ]
    stream = "".join(
        f"id: {step['seq']}\nevent: {step['event_type']}\ndata: {json.dumps(step)}\n\n"
        for step in steps
    )
    api.on("POST", "/sessions", SESSION).on("GET", "/events/stream", stream).on(
        "GET", "/sessions/ma-1a2b3c4d", SESSION | {"status": "working"}
    )
    ended = api.ennio("spawn", "my-app", "-p", "x", "--wait", "--json")
    assert ended.err == "cloning\nworks\n"
    assert ended.document["status"] == "working"


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


def test_a_pull_request_is_named_by_project_and_number_or_by_its_session(api: Api) -> None:
    api.on("GET", "/sessions/ma-1a2b3c4d", SESSION).on("GET", "/projects/my-app/pulls/7", PULL)
    for words in (["my-app", "7"], ["My App", "#7"], ["my-app#7"], ["ma-1a2b3c4d"]):
        assert api.ennio("pr", "show", *words).code == 0, words
    lines = api.ennio("pr", "show", "my-app", "7").out.splitlines()
    assert "  | E501 line too long" in lines
    assert "ann on a.py:3:  [c]" in lines
    assert api.ennio("pr", "show", "my-app", "seven").code == 2


def test_reviews_and_merges_carry_what_was_said(api: Api) -> None:
    api.on("POST", "/projects/my-app/pulls/7/request-changes", PULL).on(
        "POST", "/projects/my-app/pulls/7/merge", {"commit": "c0ffee", "message": ""}
    )
    assert (
        api.ennio(
            "pr",
            "request-changes",
            "my-app",
            "7",
            "-m",
            "Add a test",
            "--path",
            "a.py",
            "--line",
            "3",
        ).code
        == 0
    )
    assert api.last[3] == {"body": "Add a test", "path": "a.py", "line": 3}
    assert api.ennio("pr", "merge", "my-app", "7", "--method", "squash").out == "merged as c0ffee\n"
    assert api.last[3] == {"method": "squash", "by": caller.name()}
    api.on("POST", "/projects/my-app/pulls/7/approve", PULL)
    assert (
        api.ennio("pr", "approve", "my-app", "7", "--head", "abc").out
        == f"approved #7 at {PULL['head'][:7]}\n"
    )
    assert api.last[3] == {"head": "abc"}
    assert api.ennio("pr", "comment", "my-app", "7").code == 2


def test_pr_list_and_create_and_issues(api: Api) -> None:
    api.on("GET", "/pulls", [PULL]).on("POST", "/projects/my-app/pulls", PULL)
    api.on("POST", "/projects/my-app/issues", {"id": "3"}).on(
        "GET",
        "/projects/my-app/issues",
        [{"id": "3", "state": "open", "title": "T", "labels": ["bug"]}],
    )
    assert api.ennio("pr", "list").out.splitlines()[1].split() == [
        "my-app",
        "#7",
        "open",
        "failing",
        "none",
        "clean",
        "issue-42-login",
        "Log",
        "in",
    ]
    api.on("GET", "/pulls", [PULL | {"checks": "passing", "check_runs": []}])
    assert "  no checks  " in api.ennio("pr", "list").out.splitlines()[1], (
        "nothing passed where nothing ran"
    )
    assert api.ennio("pr", "create", "my-app", "-b", "x", "-t", "T").out == "#7 is open: u7\n"
    assert (
        "ennio spawn my-app --issue 3" in api.ennio("issue", "add", "my-app", "T", "-l", "bug").out
    )
    assert api.last[3] == {"title": "T", "body": "", "labels": ["bug"]}
    assert api.ennio("issue", "list", "my-app").out.splitlines()[1].split() == [
        "3",
        "open",
        "T",
        "bug",
    ]


@pytest.mark.parametrize(
    ("by_push", "state"), [(True, "merged (by push)"), (False, "merged"), (None, "merged")]
)
def test_a_pull_request_that_a_push_merged_is_told_apart_from_a_merge(
    api: Api, by_push: bool | None, state: str
) -> None:
    merged = PULL | {"state": "merged", "merged_by_push": by_push}
    api.on("GET", "/pulls", [merged]).on("GET", "/projects/my-app/pulls/7", merged)
    assert f"  {state}  " in api.ennio("pr", "list").out.splitlines()[1]
    assert f"state         {state}" in [
        line.rstrip() for line in api.ennio("pr", "show", "my-app", "7").out.splitlines()
    ]
    assert api.ennio("pr", "list", "--json").document[0]["merged_by_push"] is by_push


def test_comments_are_answered_and_threads_settled(api: Api) -> None:
    api.on("POST", "/projects/my-app/pulls/7/reply", PULL).on(
        "POST", "/projects/my-app/pulls/7/resolve", PULL
    )
    assert api.ennio("pr", "reply", "my-app#7", "c", "-m", "Done").out == "answered c on #7\n"
    assert api.last[3] == {"comment": "c", "body": "Done"}
    assert api.ennio("pr", "resolve", "my-app#7", "c").out == "settled c on #7\n"
    assert api.last[3] == {"thread": "c"}
    assert api.ennio("pr", "reply", "my-app#7", "c").code == 2


def test_a_merge_that_the_forge_does_later_says_how(api: Api) -> None:
    api.on(
        "POST",
        "/projects/my-app/pulls/7/merge",
        {"commit": "", "message": "#7 is in the merge queue of main"},
    )
    assert api.ennio("pr", "merge", "my-app", "7").out == "#7 is in the merge queue of main\n"


def test_cleanup_tells_what_became_of_each_and_how_much_is_freed(api: Api) -> None:
    item = {
        "session_id": "ma-1",
        "path": "/w",
        "size": 2048,
        "action": "removed",
        "reason": "merged",
        "preserved": "refs/ennio/preserved/ma-1",
    }
    api.on(
        "POST",
        "/cleanup",
        [item, item | {"session_id": "ma-2", "action": "kept", "reason": "alive"}],
    )
    ended = api.ennio("cleanup", "--project", "my-app", "--dry-run")
    assert api.last[3] == {"force": False, "dry_run": True, "project_id": "my-app"}
    assert ended.out.splitlines()[-1] == "2.0 KiB freed"


def test_a_review_with_empty_words_is_refused_by_the_words_it_lacks(api: Api) -> None:
    ended = api.ennio("pr", "request-changes", "my-app", "7", "-m", "")
    assert ended.code != 0
    assert "the text is empty" in ended.err


def test_why_a_message_waits_stands_before_its_words_however_long_they_are(api: Api) -> None:
    api.on(
        "GET",
        "/sessions/ma-1a2b3c4d/messages",
        [MESSAGE | {"text": "x" * 500, "error": "the person types"}, MESSAGE],
    )
    lines = api.ennio("messages", "ma-1a2b3c4d").out.splitlines()
    assert lines[0].split() == ["AT", "FROM", "STATE", "WHY", "TEXT"]
    assert lines[1].index("the person types") < lines[1].index("xx")


def test_cleanup_says_of_a_pipe_that_it_is_no_file(api: Api) -> None:
    unsaved = [
        {"path": "log", "size": 1, "why": "ignored"},
        {"path": "pipe", "size": 0, "why": "FIFO"},
    ]
    item = {
        "session_id": "ma-1",
        "path": "/w",
        "size": 2048,
        "action": "removing",
        "reason": "merged",
        "unsaved": unsaved,
    }
    api.on("POST", "/cleanup", [item])
    told = api.ennio("cleanup").out.splitlines()
    assert "ma-1: not saved, since git ignores it: log (1 B)" in told
    assert "ma-1: not saved, since it is no file: pipe (FIFO)" in told


def test_cleanup_names_what_is_not_saved_the_largest_first(api: Api) -> None:
    unsaved = [{"path": f"log-{number}", "size": number, "why": "ignored"} for number in range(6)]
    item = {
        "session_id": "ma-1",
        "path": "/w",
        "size": 2048,
        "action": "would remove",
        "reason": "merged",
        "unsaved": unsaved,
    }
    api.on("POST", "/cleanup", [item])
    expected = (
        "ma-1: not saved, since git ignores it: log-5 (5 B), log-4 (4 B), log-3 (3 B), log-2 (2 "
        "B), log-1 (1 B) and 1 more"
    )
    assert expected in api.ennio("cleanup", "--dry-run").out.splitlines()


def test_what_was_preserved_is_listed_shown_and_brought_back(api: Api) -> None:
    item = {
        "id": "ma-1-2", "project_id": "my-app", "source": "/src", "place": "refs/ennio/preserved/ma-1-2", "commit": "c0ffee1234567",
        "at": "2026-01-01T00:00:00Z", "subject": "Not committed in session ma-1",
    }  # fmt: skip
    api.on("GET", "/preserved", [item])
    api.on(
        "GET",
        "/preserved/ma-1-2",
        {"item": item, "commits": ["c0ffee one"], "files": ["M README"], "more": False},
    )
    api.on("POST", "/preserved/ma-1-2/restore", {"item": item, "branch": "mine"})

    assert "ma-1-2" in api.ennio("preserved", "list", "--project", "my-app").out
    shown = api.ennio("preserved", "show", "ma-1-2").out
    assert api.ennio("preserved", "restore", "ma-1-2", "--branch", "mine").out.startswith(
        "it is on the branch mine of /src now"
    )

    assert api.last[3] == {"branch": "mine"}
    assert "  M README" in shown.splitlines()
    assert api.ennio("preserved", "list", "--json").document == [item]


def test_the_dashboard_link_carries_a_one_time_code(api: Api) -> None:
    api.on("POST", "/auth/code", {"code": "once", "expires_in": 60})
    assert api.ennio("dashboard").out == f"{api.url}/auth?code=once\n"
    assert api.ennio("dashboard", "--port", "8080", "--json").document == {
        "url": "http://127.0.0.1:8080/auth?code=once"
    }


def test_one_frame_of_the_board_can_be_printed(api: Api) -> None:
    api.on("GET", "/sessions", [SESSION]).on("GET", "/queue", [])
    assert "ma-1a2b3c4d" in api.ennio("board", "--once").out
    assert api.ennio("board").code == 2


def test_nodes_come_later_and_say_so(api: Api) -> None:
    ended = api.ennio("node", "list")
    assert (ended.code, "later version" in ended.err) == (1, True)


def test_an_agent_merges_nothing_and_approves_in_its_own_name(api: Api) -> None:
    api.on("POST", "/projects/my-app/pulls/7/approve", PULL).on(
        "POST", "/projects/my-app/pulls/7/merge", {"commit": "c", "message": ""}
    )
    assert api.ennio("pr", "merge", "my-app", "7", "--force").code == 0
    assert api.last[3] == {"force": True, "by": caller.name()}
    for force in ((), ("--force",)):
        ended = api.ennio("pr", "merge", "my-app", "7", *force, ENNIO_SESSION_ID="ma-1")
        assert (ended.code, "agents do not merge" in ended.err) == (5, True)
    assert api.ennio("pr", "approve", "my-app", "7", ENNIO_SESSION_ID="ma-1").code == 0
    assert api.last[3] == {"author": "ma-1"}


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


def test_an_agent_may_end_its_own_session_and_see_what_a_cleanup_would_do(api: Api) -> None:
    api.on("GET", "/sessions", [{"id": "ma-1"}]).on("DELETE", "/sessions/ma-1", "killed").on(
        "POST", "/cleanup", []
    )
    assert api.ennio("session", "kill", "ma-1", ENNIO_SESSION_ID="ma-1").code == 0
    assert api.ennio("cleanup", "--dry-run", ENNIO_SESSION_ID="ma-1").code == 0


FILES = {
    "base": "b",
    "head": "h",
    "files": [
        {"path": "a.py", "status": "modified", "added": 2, "removed": 1, "before": None},
        {"path": "b.bin", "status": "renamed", "added": None, "removed": None, "before": "c.bin"},
    ],
    "truncated": True,
}


def test_what_a_pull_request_changes_is_shown_before_it_is_approved(api: Api) -> None:
    diff = {
        "base": "b",
        "head": "h",
        "text": "--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-x\n+y\n",
        "truncated": True,
    }
    api.on("GET", "/projects/my-app/pulls/7/diff", diff).on(
        "GET", "/projects/my-app/pulls/7/files", FILES
    )
    api.on("GET", "/projects/my-app/pulls/7", PULL)
    ended = api.ennio("pr", "diff", "my-app#7")
    assert (ended.out, "longer than what is shown" in ended.err) == (diff["text"], True)
    assert api.ennio("pr", "diff", "my-app#7", "--json").document == diff
    lines = api.ennio("pr", "files", "my-app#7").out.splitlines()
    assert [line.split() for line in lines[1:]] == [
        ["a.py", "modified", "2", "1"],
        ["b.bin", "(was", "c.bin)", "renamed", "?", "?"],
        ["...", "and", "more"],
    ]
    assert lines[1] in api.ennio("pr", "show", "my-app#7").out.splitlines()
    assert api.ennio("pr", "show", "my-app#7", "--json").document["files"] == FILES["files"]


def test_a_forge_that_does_not_tell_the_files_is_shown_without(api: Api) -> None:
    api.on("GET", "/projects/my-app/pulls/7", PULL)
    ended = api.ennio("pr", "show", "my-app#7")
    assert (ended.code, "pull request" in ended.out) == (0, True)


def test_each_review_is_shown_with_the_head_it_is_of(api: Api) -> None:
    approved = {"ab12cdef00": "ada", PULL["head"]: "bob"}
    opinions = [
        {"author": author, "decision": "approved", "head": head}
        for head, author in approved.items()
    ]
    api.on("GET", "/projects/my-app/pulls/7", {**PULL, "opinions": opinions})
    lines = [line.strip() for line in api.ennio("pr", "show", "my-app#7").out.splitlines()]
    assert "approved by ada at ab12cde, stale: the head is 0a1b" in lines
    assert "approved by bob at 0a1b" in lines
    stale = {**PULL, "review": "approved", "opinions": opinions[:1]}
    api.on("GET", "/pulls", [stale, {**stale, "opinions": opinions}])
    assert ["approved, stale" in line for line in api.ennio("pr", "list").out.splitlines()[1:]] == [
        True,
        False,
    ]


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


@pytest.mark.parametrize(
    ("queued", "words"),
    [
        (
            {"held": True, "reason": ""},
            (
                "queued ma-1a2b3c4d on issue-42-login, held back; start it with: ennio queue "
                "release "
                "ma-1a2b3c4d"
            ),
        ),
        (
            {"held": False, "reason": "3 of 3 run"},
            "queued ma-1a2b3c4d on issue-42-login: 3 of 3 run; see: ennio queue list",
        ),
        (
            {"held": False, "reason": ""},
            (
                "queued ma-1a2b3c4d on issue-42-login: the queue has yet to look at it; see: ennio "
                "queue list"
            ),
        ),
    ],
)
def test_a_session_that_waits_is_not_called_spawned(
    api: Api, queued: dict[str, Any], words: str
) -> None:
    api.on(
        "POST", "/sessions", SESSION | {"status": "spawning", "queued": queued | {"position": 1}}
    )
    assert api.ennio("spawn", "my-app", "-p", "x").out == f"{words}\n"


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


def test_why_an_agent_exited_is_told_with_the_last_line_of_its_terminal(api: Api) -> None:
    gone = SESSION | {"status": "exited", "reason": "the agent ended with exit code 1"}
    api.on("GET", "/sessions/ma-1a2b3c4d", gone).on("GET", "/sessions/ma-1a2b3c4d/evidence", [])
    api.on("GET", "/sessions/ma-1a2b3c4d/reactions", []).on(
        "GET", "/sessions/ma-1a2b3c4d/output", "starting\nno API key\x1b[0m\n\n"
    )
    api.on("GET", "/sessions/ma-1a2b3c4d/messages", [])
    ended = api.ennio("session", "why", "ma-1a2b3c4d")
    assert ended.out.splitlines()[-1] == "  its terminal ends with: no API key\\x1b[0m"
    api.on(
        "GET", "/sessions/ma-1a2b3c4d/output", "it has no terminal", status=404, error="NotFound"
    )
    assert "ends with" not in api.ennio("session", "why", "ma-1a2b3c4d").out
