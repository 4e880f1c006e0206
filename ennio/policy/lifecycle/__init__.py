"""What to do with a session: pure, total, and the only place where its states are decided.

``step(spec, inputs, state, now)`` takes what is wanted, what was seen and what is remembered, and
returns the new state, the events to write with it and the one effect to perform next.
"""

from ennio.policy.lifecycle import orders, pausing
from ennio.policy.lifecycle.effects import (
    DeliverMessage,
    Effect,
    InspectWorkspace,
    InterruptAgent,
    LaunchAgent,
    MakeWorkspace,
    PrepareWorkspace,
    RemoveWorkspace,
    SettleMessage,
    StopAgent,
)
from ennio.policy.lifecycle.state import (
    Desired,
    Inputs,
    LifecycleState,
    PendingMessage,
    Phase,
    Spec,
)
from ennio.policy.lifecycle.step import Plan, step

__all__ = [
    "DeliverMessage",
    "Desired",
    "Effect",
    "Inputs",
    "InspectWorkspace",
    "InterruptAgent",
    "LaunchAgent",
    "LifecycleState",
    "MakeWorkspace",
    "PendingMessage",
    "Phase",
    "Plan",
    "PrepareWorkspace",
    "RemoveWorkspace",
    "SettleMessage",
    "Spec",
    "StopAgent",
    "orders",
    "pausing",
    "step",
]
