"""One survey of a project's forge a tick, for all the branches of its sessions; each
asks for it by a ``Watch``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pykka

from ennio.actors.dependencies import Dependencies
from ennio.actors.messages import ForgeObserved, LookSince, Unwatch
from ennio.actors.poller import PollerActor
from ennio.model.errors import EnnioError
from ennio.model.facts import ForgeSeen, Presence
from ennio.plugins.forge.interface import Paced


class ForgePoller(PollerActor):
    """Tells each session what became of its branch; what could not be asked is told as unknown."""

    def __init__(
        self, deps: Dependencies, name: str, watcher: pykka.ActorRef[Any] | None, project_id: str
    ) -> None:
        super().__init__(deps, name, watcher, deps.config.poll.forge)
        forge = deps.plugins.forge(deps.project(project_id))
        if forge is None:
            raise AssertionError(f"{project_id} has no forge to poll")
        self._forge = forge
        self._since: dict[str, datetime] = {}
        """Who waits for a look that is made no earlier than that."""

    def on_receive(self, message: Any) -> Any:
        """Somebody may wait for a look that comes by itself, or at once where it can."""
        match message:
            case LookSince(session_id, at):
                if self._since.get(session_id) != at:
                    self._since[session_id] = at
                    self._look_now(session_id)
                return None
            case Unwatch(session_id):
                self._since.pop(session_id, None)
        return super().on_receive(message)

    def look(self, watched: Mapping[str, Any]) -> Mapping[str, ForgeSeen]:
        """One survey."""
        return self._forge.survey([*watched.values()])

    def trouble(self, result: Mapping[str, ForgeSeen]) -> str:
        """See ``PollerActor.trouble``: the branches that could not be seen, with
        the reason of the first.
        """
        unseen = [seen.detail for seen in result.values() if seen.presence is Presence.UNKNOWN]
        return (
            f"{len(unseen)} of {len(result)} branches cannot be seen: {unseen[0]}" if unseen else ""
        )

    def pause(self) -> float:
        """See ``PollerActor.pause``; sooner where a nudge came too soon after the last look."""
        pressing = self._forge.next_due() if isinstance(self._forge, Paced) else None
        return super().pause() if pressing is None else min(pressing, super().pause())

    def tell(self, begun: float, result: Any, error: EnnioError | None) -> None:
        """Unchanged news are not told again; an error is told as "unknown", with its words."""
        now = self._deps.clock.now()
        for session_id in tuple(self._watched):
            seen = (
                result.get(session_id)
                if error is None
                else ForgeSeen(Presence.UNKNOWN, now, self._forge.name, detail=str(error))
            )
            if seen is None:
                continue  # it came while the survey was under way
            known, since = self._told.get(session_id), self._since.get(session_id)
            awaited = since is not None and seen.at >= since
            if known == seen and not awaited:
                continue
            if awaited:
                del self._since[session_id]
            self._told[session_id] = seen
            self._tell_session(session_id, ForgeObserved(seen, begun))
