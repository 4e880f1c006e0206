"""The effects a session can ask for; at most one is under way at a time. All safe to repeat."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MakeWorkspace:
    """Make the working copy, or find it."""


@dataclass(frozen=True, slots=True)
class PrepareWorkspace:
    """Links and post-create commands."""


@dataclass(frozen=True, slots=True)
class LaunchAgent:
    """Start launch ``number`` of the agent, or find it; ``message`` is the one it should carry."""

    number: int
    resume: bool
    message: str | None = None


@dataclass(frozen=True, slots=True)
class StopAgent:
    """End the agent and everything it left behind."""

    why: str


@dataclass(frozen=True, slots=True)
class InspectWorkspace:
    """Look what would be lost with the working copy."""


@dataclass(frozen=True, slots=True)
class DeliverMessage:
    """Type a message to the agent and verify that it took it."""

    message_id: str


@dataclass(frozen=True, slots=True)
class SettleMessage:
    """Find out whether a message in doubt arrived, before anything is repeated."""

    message_id: str


@dataclass(frozen=True, slots=True)
class InterruptAgent:
    """Make the agent stop what it is doing."""


@dataclass(frozen=True, slots=True)
class RemoveWorkspace:
    """Preserve what is only there, then remove the working copy."""


Effect = (
    MakeWorkspace
    | PrepareWorkspace
    | LaunchAgent
    | StopAgent
    | InspectWorkspace
    | DeliverMessage
    | SettleMessage
    | InterruptAgent
    | RemoveWorkspace
)
