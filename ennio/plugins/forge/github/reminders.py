"""Reviewers who are told again that they are waited for."""

from __future__ import annotations

from typing import Any

from ennio.model.errors import Refused
from ennio.model.failpoints import asks
from ennio.model.pulls import PullRequest
from ennio.plugins.forge.github.parsing import MARK
from ennio.plugins.github.client import GitHubClient

_BY_A_PERSON = "a person's order like their remark (request.post.issues.comments), which is played"


@asks("get.pulls.requested_reviewers", because=_BY_A_PERSON)
@asks("post.pulls.requested_reviewers", because=_BY_A_PERSON)
def remind(client: GitHubClient, pull: PullRequest) -> None:
    """Ask those who looked at another head to look again; who is asked already is not told by
    asking anew, and so is named in a comment. Raises Refused where nobody is asked.
    """
    at = client.address.at
    again = sorted({one.author for one in (*pull.answered, *pull.stale)})
    asked: Any = client.get(at("pulls", pull.number, "requested_reviewers"))
    waited = [one["login"] for one in asked["users"] if one["login"] not in again]
    teams = [f"{client.address.owner}/{one['slug']}" for one in asked["teams"]]
    if not (again or waited or teams):
        raise Refused(f"nobody is asked for a review of #{pull.number}; ask somebody on GitHub")
    if again:
        client.send("POST", at("pulls", pull.number, "requested_reviewers"), {"reviewers": again})
    if waited or teams:
        names = " ".join(f"@{one}" for one in (*waited, *teams))
        words = f"{names} this waits for your review.\n\n{MARK}reminder -->"
        client.send("POST", at("issues", pull.number, "comments"), {"body": words})
