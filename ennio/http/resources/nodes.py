"""The machines on which agents work."""

from __future__ import annotations

from collections.abc import Sequence

from ennio.actors.orchestrator import NodeView
from ennio.http.operation import Resource, operation


class NodesResource(Resource):
    """This machine, and those that sessions name."""

    @operation("The machines on which agents work, this one first.", list[NodeView])
    def on_get(self) -> Sequence[NodeView]:
        """List them."""
        return self._orchestrator.supervisor.nodes()
