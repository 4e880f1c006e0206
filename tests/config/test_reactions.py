"""The built-in reactions and how they are changed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ennio.config.model import Reaction, ReactionAction
from ennio.config.reactions import BUILT_IN, KEYS, TRIGGERS, merged
from ennio.model.session import Priority
from ennio.policy.reactions.cases import SESSION_KEYS
from tests.config.writing import loaded

OF_OTHERS = ("all-complete", "budget-warning", "budget-exceeded")
"""Of a whole project, or of a budget."""
SEND, NOTIFY = ReactionAction.SEND_TO_AGENT, ReactionAction.NOTIFY


@pytest.mark.parametrize(
    ("key", "rule"),
    [
        ("ci-failed", Reaction(action=SEND, retries=2, escalate_after=120.0)),
        ("changes-requested", Reaction(action=SEND, retries=0, escalate_after=1800.0)),
        ("bugbot-comments", Reaction(action=SEND, retries=0, escalate_after=1800.0, rounds=5)),
        ("merge-conflicts", Reaction(action=SEND, retries=0, escalate_after=900.0)),
        ("approved-and-green", Reaction(action=NOTIFY, priority=Priority.ACTION)),
        ("agent-stuck", Reaction(action=NOTIFY, priority=Priority.URGENT, threshold=600.0)),
        ("agent-needs-input", Reaction(action=NOTIFY, priority=Priority.URGENT)),
        ("agent-exited", Reaction(action=NOTIFY, priority=Priority.URGENT)),
        ("all-complete", Reaction(action=NOTIFY, priority=Priority.INFO)),
    ],
)
def test_a_built_in_reaction_is_as_documented(key: str, rule: Reaction) -> None:
    assert BUILT_IN[key] == rule
    assert rule.enabled
    assert key in TRIGGERS


OURS = (
    *("agent-resting", "budget-warning", "budget-exceeded", "plan-window", "fan-out", "anomaly"),
    "workspace-gone",
)


def test_the_nine_documented_ones_come_first_and_ours_tell_a_person() -> None:
    assert len(KEYS) == len(set(KEYS))
    assert KEYS[9:] == OURS
    assert {BUILT_IN[key].action for key in OURS} == {NOTIFY}
    calm = {key for key in OURS if BUILT_IN[key].priority is Priority.INFO}
    assert calm == {"agent-resting"}  # nothing is lost while nobody looks


def test_every_reaction_is_set_off_by_something() -> None:
    assert sorted((*SESSION_KEYS, *OF_OTHERS)) == sorted(KEYS) == sorted(TRIGGERS)


def test_every_reaction_can_be_routed_and_changed(tmp_path: Path) -> None:
    routes = "".join(f"\n          {key}: [local]" for key in KEYS)
    rules = "".join(f"\n          {key}: {{priority: critical}}" for key in KEYS)
    text = f"""\
        notifiers: [{{plugin: desktop, name: local}}]
        notification_routing:{routes}
        reactions:{rules}
    """
    config = loaded(tmp_path, text)
    assert {rule.priority for rule in config.reactions.values()} == {Priority.CRITICAL}
    assert tuple(config.notification_routing) == KEYS


def test_rules_merge_field_by_field(tmp_path: Path) -> None:
    text = """\
        reactions:
          ci-failed: {retries: 3, message: global words, escalate_after: 5m}
        projects:
          - {name: plain, repo: ./a, path: /a}
          - name: critical
            repo: ./b
            path: /b
            reactions:
              ci-failed: {retries: 5, priority: urgent, message: ~}
              agent-stuck: {threshold: 20m}
    """
    config = loaded(tmp_path, text)
    plain, critical = config.projects
    everywhere = replace(
        BUILT_IN["ci-failed"], retries=3, message="global words", escalate_after=300.0
    )
    assert config.reactions["ci-failed"] == plain.reactions["ci-failed"] == everywhere
    assert critical.reactions["ci-failed"] == replace(
        everywhere, retries=5, priority=Priority.URGENT, message=None
    )
    assert critical.reactions["agent-stuck"] == replace(BUILT_IN["agent-stuck"], threshold=1200.0)
    assert plain.reactions["agent-stuck"] == BUILT_IN["agent-stuck"]


def test_what_is_built_in_never_changes() -> None:
    assert merged({"ci-failed": {"retries": 9}})["ci-failed"].retries == 9
    assert merged() == BUILT_IN
