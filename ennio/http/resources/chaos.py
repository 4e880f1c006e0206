"""Faults on order, for the demo and for tests: there only when ``ENNIO_CHAOS=1`` is set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from ennio.http.operation import Resource, operation, word
from ennio.model.request_fields import TextField


@dataclass(frozen=True, slots=True)
class CrashBody:
    """Which actor."""

    actor: Annotated[str, TextField()]


class ChaosResource(Resource):
    """One actor is made to end with an error."""

    @operation("Crash an actor.", word("crashed"), body=CrashBody)
    def on_post_crash(self, body: CrashBody) -> str:
        """Crash it; its supervisor starts it again."""
        self._orchestrator.supervisor.crash(body.actor)
        return "crashed"
