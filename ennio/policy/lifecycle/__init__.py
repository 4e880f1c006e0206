"""What to do with a session: pure, total, and the only place where its states are decided.

``step(spec, seen, memory, now)`` takes what is wanted, what was seen and what is remembered, and
returns the new memory, the events to write with it and the one effect to perform next.
"""

from ennio.policy.lifecycle import orders
from ennio.policy.lifecycle.effects import (
    DeliverMessage,
    Effect,
    InspectWorkspace,
    LaunchAgent,
    MakeWorkspace,
    PrepareWorkspace,
    RemoveWorkspace,
    SettleMessage,
    StopAgent,
)
from ennio.policy.lifecycle.state import Desired, LifecycleState, Mail, Phase, Seen, Spec
from ennio.policy.lifecycle.step import Plan, step

__all__ = [
    "DeliverMessage",
    "Desired",
    "Effect",
    "InspectWorkspace",
    "LaunchAgent",
    "LifecycleState",
    "Mail",
    "MakeWorkspace",
    "Phase",
    "Plan",
    "PrepareWorkspace",
    "RemoveWorkspace",
    "Seen",
    "SettleMessage",
    "Spec",
    "StopAgent",
    "orders",
    "step",
]
