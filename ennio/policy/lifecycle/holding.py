"""Why nothing is typed to an agent, and no message starts one that has ended, though it could take
words: the one place that is asked. Each reason holds by itself.
"""

from __future__ import annotations

from ennio.policy.lifecycle import parking, pausing
from ennio.policy.lifecycle.state import LifecycleState
from ennio.policy.lifecycle.waiting import Wait


def hold(state: LifecycleState) -> Wait | None:
    """All that keeps messages from it now, in words; None: nothing does."""
    reasons = [wait for wait in (parking.waits(state), pausing.waits(state)) if wait is not None]
    if not reasons:
        return None
    return Wait("; ".join(wait.why for wait in reasons), any(wait.by_person for wait in reasons))
