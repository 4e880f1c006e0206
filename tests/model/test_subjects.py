"""Every event has a subject that a server takes, and those of the documentation
have the documented one.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ennio.model.events import Event, EventType
from ennio.model.session import Priority
from ennio.model.subjects import CATEGORIES, ROOT, of_house, subject

LEGAL = re.compile(r"ennio(\.[A-Za-z0-9_-]+){2,4}\Z")
IDS = st.text("abcXYZ019_-", max_size=8)
HOSTS = st.one_of(
    st.sampled_from(["", "build-server", "a.example.com", "fe80::1%eth0", "[::1]", "::", "*", ">"]),
    st.ip_addresses().map(str),
    st.text(max_size=12),
)


def event(kind: str, project: str = "shop", host: str | None = None) -> Event:
    data = {} if host is None else {"host": host}
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return Event(1, "id", kind, Priority.INFO, "", project, at, "words", data)


@given(st.sampled_from([*EventType, "of_tomorrow", "new"]), IDS, HOSTS, IDS)
def test_whatever_the_type_the_project_and_the_host_the_subject_is_legal(
    kind: str, project: str, host: str, instance: str
) -> None:
    assert LEGAL.match(found := subject(event(kind, project, host), instance)), found


@given(st.sampled_from(list(EventType)), HOSTS)
def test_what_has_no_project_is_told_of_the_whole_house(kind: EventType, host: str) -> None:
    if kind.startswith("node_") and host:
        return
    assert subject(event(kind, "", host)) == f"ennio.lifecycle.{kind}"


DOCUMENTED = {
    "sessions.shop": "session_spawned:spawned session_working:working session_exited:exited "
    "session_killed:killed "
    "session_restored:restored session_cleaned:cleaned status_changed:status_changed "
    "activity_changed:activity_changed",
    "pr.shop": "pr_created:created pr_updated:updated pr_merged:merged pr_closed:closed",
    "ci.shop": "ci_passing:passing ci_failing:failing ci_fix_sent:fix_sent ci_fix_failed:fix_failed",
    "review.shop": "review_pending:pending review_approved:approved "
    "review_changes_requested:changes_requested review_comments_sent:comments_sent",
    "merge.shop": "merge_ready:ready merge_conflicts:conflicts merge_completed:completed",
    "reactions.shop": "reaction_triggered:triggered reaction_escalated:escalated",
    "lifecycle": "all_complete:all_complete",
    "node.build_example_com": "node_connected:connected node_disconnected:disconnected "
    "node_launched:launched node_health_check:health_check",
}


@pytest.mark.parametrize("where", DOCUMENTED)
def test_every_documented_event_has_its_documented_subject(where: str) -> None:
    for pair in DOCUMENTED[where].split():
        kind, action = pair.split(":")
        found = subject(event(kind, "shop", "build.example.com"))
        assert found == f"ennio.{where}.{action}"


def test_all_thirty_documented_events_stand_in_the_table() -> None:
    named = {pair.split(":")[0] for line in DOCUMENTED.values() for pair in line.split()}
    assert named == {kind.value for kind in list(EventType)[:30]}


def test_an_instance_stands_before_the_category_and_is_never_taken_for_one() -> None:
    assert subject(event("pr_created"), "north") == f"{ROOT}.north.pr.shop.created"
    assert of_house("commands", "shutdown", "north") == f"{ROOT}.north.commands.shutdown"
    assert "north" not in CATEGORIES
