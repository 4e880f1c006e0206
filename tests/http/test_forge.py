"""Projects, issues, pull requests and the house itself over the API."""

from __future__ import annotations

from ennio.actors.landing import MergeOrder
from ennio.model.pulls import MergeMethod, ReviewState
from tests.http.api import Api
from tests.http.small_orchestrator import SmallOrchestrator


def test_projects_are_shown_without_secrets(api: Api, session_id: str) -> None:
    app, bare = api.get("/projects")
    assert (app["id"], app["repo"], app["scm"], app["sessions"]) == (
        "my-app",
        "https://example.org/me/app.git",
        "local",
        1,
    )
    assert bare["repo"] == "git@example.org:me/bare.git"
    assert api.get("/projects/my-app") == app
    api.get("/projects/none", 404)


def test_issues_are_listed_and_added(api: Api) -> None:
    assert api.get("/projects/my-app/issues")[0]["title"] == "A bug"
    added = api.post("/projects/my-app/issues", {"title": "New", "labels": ["a", "b"]})
    assert (added["title"], added["labels"]) == ("New", ["a", "b"])
    assert (
        "labels[0]"
        in api.post("/projects/my-app/issues", {"title": "New", "labels": [1]}, 400)["error"]
    )


def test_a_pull_request_is_opened_reviewed_and_merged(
    api: Api, orchestrator: SmallOrchestrator
) -> None:
    assert [pull["number"] for pull in api.get("/pulls?project_id=my-app")] == [1]
    assert api.get("/pulls?project_id=bare") == []
    for where in ("/pulls", "/conflicts"):
        assert "host" in api.get(f"{where}?host=nosuch", 400)["error"], "nobody looks at it"
    assert len(api.get("/pulls")) == 1
    opened = api.post("/projects/my-app/pulls", {"branch": "b", "title": "T", "draft": True})
    path = f"/projects/my-app/pulls/{opened['number']}"
    assert "draft" in api.post(f"{path}/merge", status=409)["error"]
    assert api.post(f"{path}/ready")["draft"] is False
    assert api.post(f"{path}/approve", {"head": "abc"})["review"] == "approved"
    assert (
        api.post(
            f"{path}/request-changes", {"body": "no", "path": "a.py", "line": 3, "author": "ann"}
        )["review"]
        == "changes_requested"
    )
    api.post(f"{path}/comment", {"body": "hm"})
    assert orchestrator.reviews == [
        ("my-app", 2, "person", ReviewState.APPROVED, "", None, None, "abc"),
        ("my-app", 2, "ann", ReviewState.CHANGES_REQUESTED, "no", "a.py", 3, None),
        ("my-app", 2, "person", ReviewState.NONE, "hm", None, None, None),
    ]
    assert api.post(f"{path}/rerun")["checks"] == "pending"
    assert api.post(f"{path}/merge", {"method": "rebase"}) == {
        "commit": "b" * 40,
        "message": "rebase",
        "conflicts_expected": [],
        "undelivered": 0,
    }
    assert api.post(f"{path}/merge", {"force": True, "by": "ada", "head": "abc"})["commit"]
    assert orchestrator.merges[1:3] == [
        MergeOrder(MergeMethod.REBASE),
        MergeOrder(head="abc", force=True, by="ada"),
    ]
    assert api.get(path)["state"] == "merged"
    assert api.post("/projects/my-app/pulls/1/close")["state"] == "closed"


def test_what_a_pull_request_changes_is_told(api: Api) -> None:
    files = api.get("/projects/my-app/pulls/1/files")
    assert files["files"] == [
        {"path": "a.py", "status": "modified", "added": 2, "removed": None, "before": None}
    ]
    diff = api.get("/projects/my-app/pulls/1/diff")
    assert (diff["base"], diff["text"], diff["truncated"]) == ("ba5e", "+ words\n", True)
    api.get("/projects/my-app/pulls/77/diff", 404)


def test_what_is_wrong_with_a_review_is_named(api: Api) -> None:
    path = "/projects/my-app/pulls/1"
    assert "body: is missing" in api.post(f"{path}/comment", {}, 400)["error"]
    assert "path: is missing" in api.post(f"{path}/comment", {"body": "x", "line": 3}, 400)["error"]
    assert "method" in api.post(f"{path}/merge", {"method": "yolo"}, 400)["error"]
    assert "number: 'x' is no whole number" in api.get("/projects/my-app/pulls/x", 400)["error"]
    api.get("/projects/my-app/pulls/77", 404)


def test_status_configuration_notifications_and_shutdown(
    api: Api, orchestrator: SmallOrchestrator
) -> None:
    assert api.get("/status")["last_seq"] == 0
    assert api.get("/notifications?limit=5") == []
    shown = str(api.get("/config"))
    assert "s3cret" not in shown
    assert "me:secret" not in shown
    assert api.post("/shutdown") == "stopping"
    assert orchestrator.stopped
