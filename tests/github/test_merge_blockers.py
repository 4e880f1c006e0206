"""What GitHub says when it does not merge: every word has its row, and an approved green pull
request never just stands still.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from graphql import GraphQLEnumType
from hypothesis import given
from hypothesis import strategies as st

from ennio.model.errors import Conflict, EnnioError, Invalid, NotFound, Refused, Unreachable
from ennio.plugins.forge.github.forge import GitHubForge
from ennio.plugins.forge.github.merge_blockers import STATES, of_state, of_words
from ennio.policy.merging import (
    PATIENCE,
    UNREACHABLE,
    Held,
    Remedy,
    Superseded,
    concerns_a_person,
    held,
    next_try,
    outlook,
)
from tests.github.published import graphql_schema
from tests.github.standin.hub import Fault, Hub, Run

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SAID = {
    "Base branch was modified. Review and try the merge again.": ("base moved", Remedy.AGAIN),
    "Merge already in progress": ("merge under way", Remedy.AGAIN),
    "Head branch is out of date. Review and try the merge again.": ("behind", Remedy.UPDATE),
    "The head branch must be up to date before it can be merged": ("behind", Remedy.UPDATE),
    'Required status check "ci" is expected.': ("required checks", Remedy.WAIT),
    'Required status check "ci" is in progress.': ("required checks", Remedy.WAIT),
    'Required status check "ci" is failing.': ("required checks", Remedy.WAIT),
    "2 of 3 required status checks are expected.": ("required checks", Remedy.WAIT),
    "3 of 4 required status checks have not succeeded: 1 expected.": (
        "required checks",
        Remedy.WAIT,
    ),
    'Repository rule violations found\n\nRequired status check "ci" is expected.\n\n': (
        "required checks",
        Remedy.WAIT,
    ),
    "Required deployment to production has not succeeded": ("required deployments", Remedy.WAIT),
    "Code scanning is waiting for results from CodeQL for the commits": (
        "required scans",
        Remedy.WAIT,
    ),
    "Changes must be made through the merge queue": ("merge queue", Remedy.WAIT),
    "At least 1 approving review is required by reviewers with write access.": (
        "required review",
        Remedy.PERSON,
    ),
    "Waiting on code owner review from acme/owners.": ("required review", Remedy.PERSON),
    "New changes require approval from someone other than the last pusher.": (
        "required review",
        Remedy.PERSON,
    ),
    "Changes requested by a reviewer with write access": ("required review", Remedy.PERSON),
    "All comments must be resolved.": ("open conversations", Remedy.PERSON),
    "A conversation must be resolved before this pull request can be merged.": (
        "open conversations",
        Remedy.PERSON,
    ),
    "Pull Request is still a draft": ("draft", Remedy.WAIT),
    "Merge commits are not allowed on this repository.": ("merge method", Remedy.PERSON),
    "Squash merges are not allowed on this repository.": ("merge method", Remedy.PERSON),
    "This branch can't be rebased": ("merge method", Remedy.PERSON),
    "This branch must not contain merge commits.": ("merge method", Remedy.PERSON),
    "Commits must have verified signatures.": ("signatures", Remedy.PERSON),
    "You're not authorized to push to this branch.": ("permission", Remedy.PERSON),
    "Resource not accessible by personal access token": ("permission", Remedy.PERSON),
    "Cannot change this locked branch": ("permission", Remedy.PERSON),
    "Merge conflict": ("conflicts", Remedy.WAIT),
    "Pull Request is not mergeable": ("not mergeable", Remedy.WAIT),
    "Repository rule violations found": ("rules", Remedy.PERSON),
    "Protected branch update failed for refs/heads/main": ("rules", Remedy.PERSON),
    "Something GitHub says since yesterday": ("unknown reason", Remedy.PERSON),
}


@pytest.mark.parametrize("said", SAID)
def test_each_word_of_githubs_has_its_row(said: str) -> None:
    row = of_words(said)
    assert (row.kind, row.remedy) == SAID[said]


def test_each_published_merge_state_has_its_row() -> None:
    published = graphql_schema().type_map["MergeStateStatus"]
    assert isinstance(published, GraphQLEnumType)
    assert set(STATES) == set(published.values)
    assert [
        state for state in STATES if (row := of_state(state)) and row.remedy is Remedy.UPDATE
    ] == ["BEHIND"]


ERRORS: st.SearchStrategy[EnnioError] = st.one_of(
    st.builds(
        Unreachable,
        st.text(),
        until=st.none() | st.timedeltas(timedelta(0), timedelta(hours=1)).map(NOW.__add__),
    ),
    st.builds(Conflict, st.text()),
    st.builds(Refused, st.text()),
    st.builds(NotFound, st.text()),
    st.builds(Invalid, st.text()),
    st.text().map(lambda said: Held(said, of_words(said).remedy, of_words(said).kind)),
    st.sampled_from(list(SAID)).map(
        lambda said: Held(said, of_words(said).remedy, of_words(said).kind)
    ),
)


@given(ERRORS, st.integers(1, 10_000))
def test_whatever_hinders_a_merge_it_is_tried_again_and_a_person_hears_of_what_does_not_pass(
    error: EnnioError, attempts: int
) -> None:
    reason = held(error)
    assert NOW < next_try(reason, attempts, NOW) <= NOW + timedelta(hours=1)
    assert outlook(reason)
    at_once, later = (
        concerns_a_person(reason, NOW, NOW),
        concerns_a_person(reason, NOW, NOW + PATIENCE),
    )
    assert at_once is (reason.remedy is Remedy.PERSON)
    assert later is (reason.kind != UNREACHABLE)


def opened(hub: Hub) -> tuple[int, str]:
    head = hub.push("fix", {"a.txt": "1\n"})
    return hub.open("fix").number, head


@pytest.mark.parametrize(
    "said", [said for said, (_, remedy) in SAID.items() if remedy is not Remedy.UPDATE]
)
def test_a_refusal_says_what_mends_it_and_the_next_try_merges(
    said: str, hub: Hub, forge: GitHubForge
) -> None:
    number, head = opened(hub)
    hub.faults.append(Fault(405, message=said, path="/merge"))
    with pytest.raises(Held) as error:
        forge.merge(number, head)
    assert (error.value.kind, error.value.remedy) == SAID[said]
    assert said.splitlines()[0] in str(error.value)
    assert forge.merge(number, head).commit == hub.heads()["main"]


def test_a_head_that_moved_between_look_and_merge_is_no_reason_to_call_anybody(
    hub: Hub, forge: GitHubForge
) -> None:
    number, head = opened(hub)
    hub.faults.append(
        Fault(
            409, message="Head branch was modified. Review and try the merge again.", path="/merge"
        )
    )
    with pytest.raises(Superseded):
        forge.merge(number, head)


def test_a_branch_behind_its_base_is_updated_where_the_project_says_so(
    hub: Hub, forge: GitHubForge, make: Callable[..., GitHubForge]
) -> None:
    number, head = opened(hub)
    hub.push("main", {"other.txt": "2\n"})
    hub.up_to_date = True
    with pytest.raises(Held, match="is behind main") as error:
        forge.merge(number, head)
    assert (error.value.remedy, hub.pulls[number].head) == (Remedy.PERSON, head)
    with pytest.raises(Held, match="asked to bring #1 up to date") as error:
        make(update_branch=True).merge(number, head)
    assert error.value.remedy is Remedy.WAIT
    updated = hub.pulls[number].head
    assert updated != head
    assert forge.merge(number, updated).commit == hub.heads()["main"]


def test_what_an_admins_token_could_force_is_not_forced(hub: Hub, forge: GitHubForge) -> None:
    number, head = opened(hub)
    hub.required_checks = hub.admin = True
    hub.run(head, Run("test", status="IN_PROGRESS", conclusion=None))
    with pytest.raises(Held, match="blocked") as error:
        forge.merge(number, head)
    assert (error.value.remedy, hub.pulls[number].state) == (Remedy.WAIT, "OPEN")
    hub.auto_merge_allowed = True
    assert "auto-merge" in forge.merge(number, head).message
    assert forge.look(number).merging


@pytest.mark.parametrize("state", ["CLEAN", "HAS_HOOKS", "UNSTABLE", "UNKNOWN"])
def test_what_does_not_hinder_is_merged(state: str, hub: Hub, forge: GitHubForge) -> None:
    number, head = opened(hub)
    hub.pulls[number].merge_state = state
    assert forge.merge(number, head).commit == hub.heads()["main"]
