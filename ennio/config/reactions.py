"""The built-in reactions, the nine documented ones first, and how a configuration
changes them: field by field.

Of a rule, a project's own field wins, then the global one, then what is built in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from ennio.config.model import Reaction, ReactionAction
from ennio.model.session import Priority

_SEND, _NOTIFY = ReactionAction.SEND_TO_AGENT, ReactionAction.NOTIFY

BUILT_IN: Mapping[str, Reaction] = MappingProxyType(
    {
        "ci-failed": Reaction(action=_SEND, retries=2, escalate_after=120.0),
        "changes-requested": Reaction(action=_SEND, escalate_after=1800.0),
        "bugbot-comments": Reaction(action=_SEND, escalate_after=1800.0, rounds=5),
        "merge-conflicts": Reaction(action=_SEND, escalate_after=900.0),
        "approved-and-green": Reaction(action=_NOTIFY, priority=Priority.ACTION),
        "agent-stuck": Reaction(action=_NOTIFY, priority=Priority.URGENT, threshold=600.0),
        "agent-needs-input": Reaction(action=_NOTIFY, priority=Priority.URGENT),
        "agent-exited": Reaction(action=_NOTIFY, priority=Priority.URGENT),
        "all-complete": Reaction(action=_NOTIFY, priority=Priority.INFO),
        # ours
        "agent-resting": Reaction(action=_NOTIFY, priority=Priority.INFO, threshold=120.0),
        "budget-warning": Reaction(action=_NOTIFY, priority=Priority.ACTION),
        "budget-exceeded": Reaction(action=_NOTIFY, priority=Priority.URGENT),
        "plan-window": Reaction(action=_NOTIFY, priority=Priority.ACTION),
        "fan-out": Reaction(action=_NOTIFY, priority=Priority.URGENT),
        "anomaly": Reaction(action=_NOTIFY, priority=Priority.ACTION),
        "workspace-gone": Reaction(action=_NOTIFY, priority=Priority.URGENT),
    }
)

KEYS: tuple[str, ...] = tuple(BUILT_IN)

TRIGGERS: Mapping[str, str] = MappingProxyType(
    {
        "ci-failed": "CI checks fail",
        "changes-requested": "a reviewer requests changes",
        "bugbot-comments": "a bot comments on the pull request",
        "merge-conflicts": "the pull request conflicts with its base",
        "approved-and-green": "the pull request is approved, or needs no review, and its checks pass",  # noqa: E501
        "agent-stuck": "no activity for `threshold`",
        "agent-resting": "the agent rests for `threshold`, and has handed nothing in",
        "agent-needs-input": "the agent waits for an answer",
        "agent-exited": "the agent's process ended unexpectedly",
        "all-complete": "all sessions of a project are done",
        "budget-warning": "a budget is used up to its `warn_at`",
        "budget-exceeded": "a budget is used up",
        "plan-window": "the window of the agent's plan is used up",
        "fan-out": "the agent starts many agents of its own, or burns tokens far faster than it may",  # noqa: E501
        "anomaly": "tokens, money or silence are far outside of what sessions like it came to",
        "workspace-gone": "its working copy is gone, moved or cut off, or its branch is deleted",
    }
)


def merged(*layers: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Reaction]:
    """The rules when the fields given in each layer are laid over the built-in ones, in order."""
    rules = dict(BUILT_IN)
    for layer in layers:
        for key, given in layer.items():
            rules[key] = replace(rules[key], **given)
    return rules
