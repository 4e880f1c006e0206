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
from ennio.policy.lifecycle.memory import Mail, Memory, Seen, Spec, Stage, Wish
from ennio.policy.lifecycle.step import Plan, step

__all__ = [
    "DeliverMessage",
    "Effect",
    "InspectWorkspace",
    "LaunchAgent",
    "Mail",
    "MakeWorkspace",
    "Memory",
    "Plan",
    "PrepareWorkspace",
    "RemoveWorkspace",
    "Seen",
    "SettleMessage",
    "Spec",
    "Stage",
    "StopAgent",
    "Wish",
    "orders",
    "step",
]
