"""The host of a session for which a person waits."""

from __future__ import annotations

from ennio.actors.dependencies import Dependencies
from ennio.actors.messages import NodeAwaited
from ennio.actors.registry import node_name
from ennio.model.session import Session


def hurry(deps: Dependencies, session: Session) -> None:
    """Have it tried at once where it is away, beside whatever the person asked for."""
    if session.host:
        deps.actors.tell(node_name(session.host), NodeAwaited())
