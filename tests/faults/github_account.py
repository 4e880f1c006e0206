"""What must be true on GitHub when the story has been told there: counted from what the stand-in
itself was asked and keeps.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from tests.e2e import account
from tests.e2e.house import Ground
from tests.e2e.persons import Follower
from tests.faults.account import close, paper, took
from tests.faults.on_github import (
    ADA,
    ASSIGNED,
    DATE,
    DONE,
    NOTES,
    SIGN,
    SIGNED,
    THANKS,
    TITLE,
    OnGitHub,
)
from tests.faults.teller import Wired
from tests.github.standin.hub import Hub, Pull

_CALLS = "select message from events where event_type = 'reaction_escalated'"


def settle(house: Wired, teller: OnGitHub, follower: Follower) -> None:
    """See ``account.settle``; what was asked and answered is valid by the published
    schemas, to the last request.
    """
    close(house, [*_all(house, teller, follower)])
    assert teller.hub.invalid == []


def _all(house: Wired, teller: OnGitHub, follower: Follower) -> Iterator[str]:
    ground, hub, greet, notes = house.ground, teller.hub, teller.ids["greet"], teller.ids["notes"]
    if len(teller.sessions) != 2:
        yield f"there are {len(teller.sessions)} sessions"
    red = [
        f"whom it greets: {found}|the log could not be read" for found in ("hello", "hello, you")
    ]
    yield from took(ground, {greet: ("Issue 1", *red, SIGN, DATE, THANKS), notes: ("Write notes",)})
    yield from account.words(ground, teller.ids)
    yield from account.lives(ground, {greet: 1, notes: 1})
    yield from account.strays(ground, ())
    yield from _pulls(hub)
    yield from _main(hub)
    yield from _said(hub)
    yield from _issue(hub, greet)
    yield from _refs(ground, hub, str(teller.sessions[notes]["branch"]))
    yield from (f"a person was called: {row['message']}" for row in ground.rows(_CALLS))
    yield from account.told_on_paper(ground, paper(ground))
    yield from account.log(house, follower)
    yield from account.state(ground)


def _merged(hub: Hub) -> Pull:
    return next(pull for pull in hub.pulls.values() if pull.state == "MERGED")


def _pulls(hub: Hub) -> Iterator[str]:
    """One pull request for each session: one merged, by one request, the other closed;
    neither a draft any more.
    """
    found = sorted((pull.title, pull.state, pull.draft) for pull in hub.pulls.values())
    if found != [(TITLE, "MERGED", False), ("Notes", "CLOSED", False)]:
        yield f"pull requests: {found}"
    asked = Counter(
        (method, path.rpartition("/")[2])
        for _, method, path, status in hub.requests
        if status in (200, 201)
    )
    for what, wanted in ((("PUT", "merge"), 1), (("POST", "pulls"), 2)):
        if asked[what] != wanted:
            yield f"{asked[what]} times {what} was done, not {wanted}"


def _main(hub: Hub) -> Iterator[str]:
    """The work is on main as one commit, and nothing else is."""
    commits = hub.git("log", "--format=%s", "main").splitlines()
    if commits != [f"{TITLE} (#{_merged(hub).number})", "Begin"]:
        yield f"on main: {commits}"
    if hub.git("show", "main:greeting.txt") != DONE.strip():
        yield f"greeting.txt on main is {hub.git('show', 'main:greeting.txt')!r}"


def _said(hub: Hub) -> Iterator[str]:
    """Every word of a person stands there once, and the thread is settled."""
    pull = _merged(hub)
    threads = [
        ([(said["author"]["login"], _first(said)) for said in one.comments], one.resolved)
        for one in pull.threads
    ]
    if threads != [([(ADA, SIGN), (hub.login, SIGNED)], True)]:
        yield f"threads: {threads}"
    if [_first(said) for said in pull.comments] != [DATE]:
        yield f"comments: {pull.comments}"
    thanks = [one["body"] for one in pull.reviews if THANKS in one["body"]]
    if len(thanks) != 1:
        yield f"a review is there {len(thanks)} times: {thanks}"


def _first(said: Mapping[str, Any]) -> str:
    return str(said["body"]).partition("\n")[0]


def _issue(hub: Hub, greet: str) -> Iterator[str]:
    """It was made once, told each milestone once, is labelled as it should be, and closed."""
    if len(hub.issues) != 1:
        yield f"there are {len(hub.issues)} issues"
    issue = next(iter(hub.issues.values()))
    told = [said["body"] for said in issue["comments"]]
    for kind in ("spawned", "pull_opened", "merged"):
        if sum(f"<!-- ennio:{greet}:{kind} -->" in words for words in told) != 1:
            yield f"the issue was told {told}, not once of {kind}"
    if len(told) != 3:
        yield f"the issue was told {told}"
    found = {key: issue[key] for key in ("state", "labels", "assignees")}
    if found != {"state": "closed", "labels": ["done"], "assignees": [ASSIGNED]}:
        yield f"the issue is {found}"


def _refs(ground: Ground, hub: Hub, notes: str) -> Iterator[str]:
    """The merged branch is gone, the closed one stays with its work; none is left in
    the person's repository.
    """
    if sorted(hub.heads()) != sorted(["main", notes]):
        yield f"branches on GitHub: {sorted(hub.heads())}"
    elif hub.git("show", f"{notes}:NOTES.md") != NOTES.strip():
        yield "the notes are not what was written"
    refs = ground.git("for-each-ref", "--format=%(refname)", "refs/heads", "refs/ennio").split()
    if sorted(refs) != ["refs/ennio/base/main", "refs/heads/main"]:
        yield f"refs in the repository: {refs}"
