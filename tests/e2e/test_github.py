"""The whole story on GitHub: from prompt over a red check, a review thread and a conflict to the
merge, over real HTTP and git.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ennio.demo.scene import GREET, REVIEW
from ennio.demo.scene import story as told
from ennio.model.clock import SystemClock
from tests.conftest import eventually
from tests.e2e.house import Ground, Supervised, close, configure, ground_at, project, repository
from tests.github import published
from tests.github.standin.hub import Fault, Hub, Run
from tests.github.standin.server import Server

pytestmark = pytest.mark.e2e

LOG = (
    "##[group]Run make check\nFAILED: a greeting must name whom it greets\n##[error]Process "
    "completed with exit code 1.\n"
)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    published.graphql_schema()
    published.openapi()
    server = Server(Hub(tmp_path / "github", SystemClock()))
    yield server
    server.close()
    assert server.hub.invalid == []


@pytest.fixture
def ground(tmp_path: Path, server: Server) -> Iterator[Ground]:
    with ground_at(tmp_path / "ground") as made:
        repository(made, {"CHANGES.md": "# Changes\n\n- The beginning.\n"}, hub=False)
        made.git("remote", "add", "origin", server.git)
        made.git("push", "--quiet", "--force", "origin", "HEAD:main")
        made.git("fetch", "--quiet", "origin")
        yield made


def actions(hub: Hub) -> None:
    """What Actions would do: judge every head of an open pull request once."""
    hub.follow()
    for pull in hub.pulls.values():
        if pull.state == "OPEN" and pull.head not in hub.runs:
            good = "Ennio" in hub.git("show", f"{pull.head}:greeting.txt")
            run = hub.run(pull.head, Run("check", conclusion="SUCCESS" if good else "FAILURE"))
            hub.log_of(run, LOG)


@pytest.fixture
def house(ground: Ground, server: Server) -> Iterator[Supervised]:
    """A supervisor whose project lies on the stand-in; how it ends is checked too."""
    access = {"owner": "acme", "repo": "shop", "token": server.hub.token, "api_url": server.api}
    forge = {"plugin": "github", "config": {**access, "pace": 0.02}}
    tracker = {"plugin": "github", "config": {**access, "close_on_merge": True}}
    configure(
        ground,
        project(
            ground,
            repo=server.git,
            scm_config=forge,
            tracker_config=tracker,
            agent_config={"passthrough": told(20)},
        ),
        reactions={"approved-and-green": {"action": "auto_merge"}},
    )
    house = Supervised(ground)
    house.start()
    yield house
    close(house)


def test_a_session_on_github_goes_from_prompt_to_merge(house: Supervised, server: Server) -> None:
    hub, ground = server.hub, house.ground
    issue = hub.issue("Greet", GREET)
    session = house.spawn(issue_id=str(issue))
    eventually(lambda: hub.pulls, 40, "the pull request is open")
    pull = next(iter(hub.pulls.values()))

    def green() -> bool:
        with server.lock:
            actions(hub)
            return any(run.conclusion == "SUCCESS" for run in hub.runs.get(pull.head, ()))

    eventually(green, 40, "the agent mended what the log said")
    assert "FAILED: a greeting must name whom it greets" in "\n".join(ground.taken(session))

    with server.lock:
        hub.push("main", {"CHANGES.md": "# Changes\n\n- Notes on the score.\n- The beginning.\n"})
        thread = hub.thread(pull.number, "ada", REVIEW, "CHANGES.md", 3)
        hub.review(pull.number, "ada", "CHANGES_REQUESTED", "")

    def settled() -> bool:
        with server.lock:
            actions(hub)
            mended = "A greeting" in hub.git("show", f"{pull.head}:CHANGES.md")
            return mended and hub.merges(pull.head, hub.heads()["main"])

    eventually(settled, 60, "the agent did what the reviewer asked for and resolved the conflict")
    with server.lock:
        thread.resolved = True
        hub.review(pull.number, "ada", "APPROVED", "")

    def merged() -> bool:
        with server.lock:
            actions(hub)
            return pull.state == "MERGED"

    eventually(merged, 60, "it is merged")
    house.becomes(session, "merged", "done")
    eventually(lambda: hub.issues[issue]["state"] == "closed", 30, "the issue is closed")
    assert "ci_failed" in {
        event["data"].get("to") for event in house.events(session_id=session) if event["data"]
    }
    assert {"- Notes on the score.", "- A greeting."} <= set(
        hub.git("show", "main:CHANGES.md").splitlines()
    )


@pytest.mark.parametrize(
    "said",
    ["Base branch was modified. Review and try the merge again.", "Something nobody has heard of"],
)
def test_incident_a_merge_that_was_refused_once_was_refused_for_good(
    house: Supervised, server: Server, said: str
) -> None:
    hub = server.hub
    session = house.spawn(issue_id=str(hub.issue("Greet", GREET)))
    eventually(lambda: hub.pulls, 40, "the pull request is open")
    pull = next(iter(hub.pulls.values()))
    with server.lock:
        hub.follow()
        hub.faults.append(Fault(405, message=said, path="/merge"))
        hub.run(pull.head, Run("lint"))
        hub.review(pull.number, "ada", "APPROVED")
    eventually(lambda: not hub.faults, 30, "the merge was tried")
    told = eventually(
        lambda: [
            one
            for one in house.client.get(f"/sessions/{session}/reactions")
            if one["outcome"] == "waits"
        ]
    )
    assert said in told[0]["detail"]  # type: ignore[index]
    if said.startswith("Base"):
        eventually(lambda: pull.state == "MERGED", 40, "it is merged")
        house.becomes(session, "merged", "done")
    else:
        eventually(
            lambda: [
                event
                for event in house.events(session_id=session)
                if event["event_type"] == "reaction_escalated"
            ]
        )


def test_an_agents_push_to_the_base_alone_is_noticed_on_github_and_the_work_goes_on(
    house: Supervised, server: Server
) -> None:
    hub, ground = server.hub, house.ground
    session = house.spawn(issue_id=str(hub.issue("Greet", GREET)))
    eventually(lambda: hub.pulls, 40, "the pull request is open")
    place = Path(house.session(session)["workspace_path"])
    ground.git("switch", "--quiet", "-c", "aside", "origin/main", cwd=place)
    ground.git("commit", "--quiet", "--allow-empty", "-m", "past every review", cwd=place)
    ground.git("push", "--quiet", "origin", "HEAD:main", cwd=place)
    commit = ground.git("rev-parse", "HEAD", cwd=place)
    assert hub.heads()["main"] == commit

    def told() -> list[dict[str, object]]:
        return [
            event["data"]
            for event in house.events(session_id=session)
            if event["event_type"] == "base_pushed"
        ]

    eventually(told, 30, "it is noticed")
    assert told() == [{"commit": commit}]
    assert next(iter(hub.pulls.values())).state == "OPEN"
