"""Answers REST from the hub; the shapes are GitHub's own published examples, filled in."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from tests.github.gate import example
from tests.github.standin.hub import Hub, Pull, actor

Body = Any


@dataclass
class Answered:
    status: int
    body: Body = None
    headers: dict[str, str] = field(default_factory=dict)


def problem(status: int, message: str, **more: Any) -> Answered:
    return Answered(
        status,
        {
            "message": message,
            "documentation_url": "https://docs.github.example/rest",
            "status": str(status),
            **more,
        },
    )


def invalid(**error: str) -> Answered:
    return problem(422, "Validation Failed", errors=[{"resource": "PullRequest", **error}])


class Rest:
    """The routes our side asks."""

    def __init__(self, hub: Hub, base: str) -> None:
        self.hub, self.base = hub, base
        repo = r"/repos/(?:[^/]+/[^/]+)"
        self.routes: list[tuple[str, str, Callable[..., Answered]]] = [
            ("GET", repo, self.repository),
            ("POST", rf"{repo}/pulls", self.open),
            ("PATCH", rf"{repo}/pulls/(\d+)", self.edit),
            ("PUT", rf"{repo}/pulls/(\d+)/merge", self.merge),
            ("PUT", rf"{repo}/pulls/(\d+)/update-branch", self.update_branch),
            ("GET", rf"{repo}/pulls/(\d+)/files", self.files),
            ("GET", rf"{repo}/pulls/(\d+)/reviews", self.reviews),
            ("POST", rf"{repo}/pulls/(\d+)/reviews", self.review),
            ("POST", rf"{repo}/pulls/(\d+)/comments", self.line_comment),
            ("GET", rf"{repo}/pulls/(\d+)/requested_reviewers", self.requested),
            ("POST", rf"{repo}/pulls/(\d+)/requested_reviewers", self.request),
            ("GET", rf"{repo}/issues", self.issues),
            ("POST", rf"{repo}/issues", self.add_issue),
            ("GET", rf"{repo}/issues/(\d+)", self.issue),
            ("PATCH", rf"{repo}/issues/(\d+)", self.edit_issue),
            ("GET", rf"{repo}/issues/(\d+)/comments", self.comments),
            ("POST", rf"{repo}/issues/(\d+)/comments", self.comment),
            ("POST", rf"{repo}/issues/(\d+)/assignees", self.assign),
            ("POST", rf"{repo}/issues/(\d+)/labels", self.label),
            ("PUT", rf"{repo}/issues/(\d+)/labels", self.set_labels),
            ("GET", rf"{repo}/actions/jobs/(\d+)/logs", self.log),
            ("POST", rf"{repo}/actions/runs/(\d+)/rerun-failed-jobs", self.rerun),
            ("DELETE", rf"{repo}/git/refs/heads/(.+)", self.delete_ref),
        ]

    def answer(self, method: str, path: str, body: Body, query: dict[str, str]) -> Answered:
        named = re.match(r"/repos/([^/]+)/([^/]+)", path)
        if named is None:
            return problem(404, "Not Found")
        # as GitHub does it: the path is cut at its slashes first, and each part is decoded once
        repository = (unquote(named[1]), unquote(named[2]))
        if repository in self.hub.former:
            moved = path.replace(named[0], f"/repos/{self.hub.owner}/{self.hub.name}", 1)
            body = {"message": "Moved Permanently", "url": moved, "documentation_url": "x"}
            return Answered(
                301 if method == "GET" else 307, body, {"Location": f"{self.base}{moved}"}
            )
        if repository != (self.hub.owner, self.hub.name):
            return problem(404, "Not Found")
        for verb, pattern, handler in self.routes:
            match = re.fullmatch(pattern, path)
            if verb == method and match:
                self.hub.follow()
                return handler(
                    *(int(part) if part.isdigit() else unquote(part) for part in match.groups()),
                    body=body,
                    query=query,
                )
        return problem(404, "Not Found")

    def repository(self, body: Body, query: dict[str, str]) -> Answered:
        shown = example("full-repository-default-response")
        for key in (
            "source",
            "parent",
            "template_repository",
        ):  # these published examples do not fit their own schema
            shown.pop(key, None)
        shown["language"] = None
        allow = {
            "allow_squash_merge": "squash",
            "allow_merge_commit": "merge",
            "allow_rebase_merge": "rebase",
        }
        shown |= {key: self.hub.allowed[name] for key, name in allow.items()}
        shown |= {"name": self.hub.name, "full_name": f"{self.hub.owner}/{self.hub.name}"}
        shown["permissions"] = {"pull": True, "push": True, "admin": False}
        return Answered(200, shown)

    # --- pull requests ----------------------------------------------------------------------------

    def open(self, body: Body, query: dict[str, str]) -> Answered:
        owner, _, branch = body["head"].rpartition(":")
        heads = self.hub.heads()
        if not owner and branch not in heads:
            return invalid(field="head", code="invalid")
        if not owner and self.hub.ahead(branch, body["base"]) == 0:
            return invalid(code="custom", message="No commits between them")
        there = {
            (pull.owner, pull.branch) for pull in self.hub.pulls.values() if pull.state == "OPEN"
        }
        if (owner or self.hub.owner, branch) in there:
            return invalid(code="custom", message="A pull request already exists")
        made = self.hub.open(
            branch,
            body["base"],
            body["title"],
            body.get("body") or "",
            draft=body.get("draft", False),
            owner=owner,
        )
        return Answered(201, self.shown(made))

    def shown(self, pull: Pull) -> Body:
        shown = example("pull-request")
        shown |= {
            "number": pull.number,
            "title": pull.title,
            "body": pull.body,
            "state": "open" if pull.state == "OPEN" else "closed",
        }
        shown["head"] |= {"ref": pull.branch, "sha": pull.head}
        shown["base"] |= {"ref": pull.base}
        shown["requested_teams"] = []  # the published example does not fit its own schema
        return shown

    def requested(self, number: int, body: Body, query: dict[str, str]) -> Answered:
        shown = example("simple-pull-request-review-request")
        users = [{**shown["users"][0], "login": one} for one in self.hub.pulls[number].reviewers]
        return Answered(200, {"users": users, "teams": []})

    def request(self, number: int, body: Body, query: dict[str, str]) -> Answered:
        pull = self.hub.pulls[number]
        pull.reviewers = sorted({*pull.reviewers, *body["reviewers"]})
        return Answered(201, self.shown(pull))

    def edit(self, number: int, body: Body, query: dict[str, str]) -> Answered:
        pull = self.hub.pulls[number]
        if body.get("state") == "closed":
            pull.state = "CLOSED"
        return Answered(200, self.shown(pull))

    def merge(self, number: int, body: Body, query: dict[str, str]) -> Answered:
        hub, pull = self.hub, self.hub.pulls.get(number)
        if pull is None:
            return problem(404, "Not Found")
        if body.get("sha") and body["sha"] != pull.head:
            return problem(409, "Head branch was modified. Review and try the merge again.")
        if not hub.allowed[body.get("merge_method", "merge")]:
            return problem(
                405, f"{body['merge_method']} merges are not allowed on this repository."
            )
        state = hub.merge_state(pull, hub.heads())
        if state == "BEHIND":
            return problem(405, "Head branch is out of date. Review and try the merge again.")
        if state == "BLOCKED" and not hub.admin:
            return problem(405, "Required status check is expected.")
        if pull.draft or pull.state != "OPEN" or not hub.merges(pull.head, hub.heads()[pull.base]):
            return problem(405, "Pull Request is not mergeable")
        return Answered(
            200,
            {"sha": hub.land(pull), "merged": True, "message": "Pull Request successfully merged"},
        )

    def update_branch(self, number: int, body: Body, query: dict[str, str]) -> Answered:
        pull = self.hub.pulls[number]
        if body.get("expected_head_sha", pull.head) != pull.head:
            return invalid(
                code="custom", message="expected head sha didn't match current head ref."
            )
        self.hub.update(pull)
        return Answered(
            202,
            {
                "message": "Updating pull request branch.",
                "url": f"{self.base}/repos/{self.hub.owner}/{self.hub.name}",
            },
        )

    def review(self, number: int, body: Body, query: dict[str, str]) -> Answered:
        if number not in self.hub.pulls:
            return problem(404, "Not Found")
        states = {
            "APPROVE": "APPROVED",
            "REQUEST_CHANGES": "CHANGES_REQUESTED",
            "COMMENT": "COMMENTED",
        }
        self.hub.review(
            number,
            self.hub.login,
            states[body["event"]],
            body.get("body") or "",
            commit=body.get("commit_id") or "",
        )
        for remark in body.get("comments", ()):
            self.hub.thread(
                number, self.hub.login, remark["body"], remark["path"], remark.get("line")
            )
        return Answered(200, example("pull-request-review"))

    def reviews(self, number: int, body: Body, query: dict[str, str]) -> Answered:
        if number not in self.hub.pulls:
            return problem(404, "Not Found")
        shown = example("pull-request-review")
        rows = self.hub.pulls[number].reviews
        found = [shown | {"body": row["body"], "state": row["state"]} for row in rows]
        return self._page(found, f"/pulls/{number}/reviews", query)

    def files(self, number: int, body: Body, query: dict[str, str]) -> Answered:
        """What git says, file by file; like GitHub without the patch of a binary."""
        pull = self.hub.pulls.get(number)
        if pull is None:
            return problem(404, "Not Found")
        base = self.hub.git("merge-base", pull.base, pull.head).strip()
        listing = self.hub.git("diff-tree", "-r", "-M", "--name-status", base, pull.head)
        return self._page(
            [self._file(base, pull.head, line.split("\t")) for line in listing.splitlines()],
            f"/pulls/{number}/files",
            query,
        )

    def _file(self, base: str, head: str, named: list[str]) -> Body:
        status = {"A": "added", "M": "modified", "D": "removed", "R": "renamed"}[named[0][:1]]
        text = self.hub.git("diff-tree", "-r", "-M", "-p", base, head, "--", *named[1:])
        patch = text[text.index("@@") :].rstrip("\n") if "@@" in text else None
        added, removed = (
            sum(line.startswith(sign) for line in (patch or "").splitlines()) for sign in "+-"
        )
        shown = example("diff-entry-items")[0] | {
            "filename": named[-1],
            "status": status,
            "additions": added,
            "deletions": removed,
        }
        shown |= {"changes": added + removed} | (
            {"previous_filename": named[1]} if status == "renamed" else {}
        )
        shown.pop("patch")
        return shown | ({"patch": patch} if patch is not None else {})

    def line_comment(self, number: int, body: Body, query: dict[str, str]) -> Answered:
        self.hub.thread(number, self.hub.login, body["body"], body["path"], body.get("line"))
        return Answered(
            201, example("pull-request-review-comment-example-for-a-multi-line-comment")
        )

    def log(self, number: int, body: Body, query: dict[str, str]) -> Answered:
        if number not in self.hub.logs:
            return problem(404, "Not Found")
        return Answered(
            302,
            None,
            {"Location": f"{self.base.replace('127.0.0.1', 'localhost')}/signed/{number}"},
        )

    def rerun(self, number: int, body: Body, query: dict[str, str]) -> Answered:
        self.hub.reruns.append(number)
        return Answered(201, {})

    def delete_ref(self, branch: str | int, body: Body, query: dict[str, str]) -> Answered:
        branch = str(branch)
        if branch not in self.hub.heads():
            return problem(422, "Reference does not exist")
        self.hub.delete_branch(branch)
        return Answered(204)

    # --- issues -----------------------------------------------------------------------------------

    def issues(self, body: Body, query: dict[str, str]) -> Answered:
        found = [
            self.issue_shown(number)
            for number, row in sorted(self.hub.issues.items())
            if row["state"] == query.get("state", "open")
        ]
        return self._page(found, "/issues", query)

    def issue_shown(self, number: int) -> Body:
        row, shown = self.hub.issues[number], example("issue")
        shown |= {key: row[key] for key in ("title", "body", "state")}
        shown |= {
            "number": number,
            "html_url": f"https://github.example/{self.hub.owner}/{self.hub.name}/issues/{number}",
        }
        shown["labels"] = [{**example("label"), "name": name} for name in row["labels"]]
        shown["assignees"] = [{**shown["user"], "login": login} for login in row["assignees"]]
        shown.pop("pull_request", None)
        return shown

    def issue(self, number: int, body: Body, query: dict[str, str]) -> Answered:
        if number in self.hub.pulls:
            shown = example("issue")
            return Answered(200, {**shown, "number": number})
        if number not in self.hub.issues:
            return problem(404, "Not Found")
        return Answered(200, self.issue_shown(number))

    def add_issue(self, body: Body, query: dict[str, str]) -> Answered:
        return Answered(
            201,
            self.issue_shown(
                self.hub.issue(body["title"], body.get("body") or "", body.get("labels") or ())
            ),
        )

    def edit_issue(self, number: int, body: Body, query: dict[str, str]) -> Answered:
        self.hub.issues[number]["state"] = body.get("state", "open")
        return Answered(200, self.issue_shown(number))

    def comments(self, number: int, body: Body, query: dict[str, str]) -> Answered:
        shown = [self._comment(row) for row in self.hub.issues[number]["comments"]]
        return self._page(shown, f"/issues/{number}/comments", query)

    def comment(self, number: int, body: Body, query: dict[str, str]) -> Answered:
        if number in self.hub.pulls:
            row = self.hub.remark(number, self.hub.login, body["body"])
        elif number in self.hub.issues:
            row = {
                "body": body["body"],
                "author": actor(self.hub.login),
                "createdAt": self.hub.now(),
            }
            self.hub.issues[number]["comments"].append(row)
        else:
            return problem(404, "Not Found")
        return Answered(201, self._comment(row))

    def _comment(self, row: Body) -> Body:
        shown = example("issue-comment")
        return {
            **shown,
            "body": row["body"],
            "user": {**shown["user"], "login": row["author"]["login"]},
        }

    def assign(self, number: int, body: Body, query: dict[str, str]) -> Answered:
        self.hub.issues[number]["assignees"] += body["assignees"]
        return Answered(201, self.issue_shown(number))

    def label(self, number: int, body: Body, query: dict[str, str]) -> Answered:
        self.hub.issues[number]["labels"] += body["labels"]
        return Answered(200, self.issue_shown(number)["labels"])

    def set_labels(self, number: int, body: Body, query: dict[str, str]) -> Answered:
        self.hub.issues[number]["labels"] = list(body["labels"])
        return Answered(200, self.issue_shown(number)["labels"])

    def _page(self, items: list[Body], path: str, query: dict[str, str]) -> Answered:
        size, page = int(query.get("per_page", 30)), int(query.get("page", 1))
        part, headers = items[(page - 1) * size : page * size], {}
        if page * size < len(items):
            more = "".join(
                f"&{key}={value}" for key, value in query.items() if key not in ("page", "per_page")
            )
            place = f"{self.base}/repos/{self.hub.owner}/{self.hub.name}{path}?per_page={size}&page={page + 1}{more}"
            headers["Link"] = f'<{place}>; rel="next"'
        return Answered(200, part, headers)
