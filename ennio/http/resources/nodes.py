"""The machines on which agents work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from ennio.actors.orchestrator import NodeLog, NodeParted, NodeView
from ennio.http.operation import Resource, operation
from ennio.model.request_fields import NumberField, TextField

_LOG_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class NodeLogQuery:
    """How much of the end of a log, in bytes."""

    bytes: Annotated[int, NumberField(1, 1 << 20)] = _LOG_BYTES


class NodesResource(Resource):
    """This machine, those of the configuration, and those that sessions name."""

    @operation("The machines on which agents work, this one first.", list[NodeView])
    def on_get(self) -> Sequence[NodeView]:
        """List them."""
        return self._orchestrator.nodes.list()

    @operation("One machine, by its host or by a project that is on it.", NodeView)
    def on_get_one(self, node: str) -> NodeView:
        """Show one."""
        return self._orchestrator.nodes.get(_name(node))

    @operation("The end of the log of the daemon on a machine.", NodeLog, query=NodeLogQuery)
    def on_get_logs(self, node: str, query: NodeLogQuery) -> NodeLog:
        """Show its log."""
        return self._orchestrator.nodes.log(_name(node), query.bytes)

    @operation(
        "Ask a machine now; its daemon, where it has one, is put there and started.", NodeView
    )
    def on_post_connect(self, node: str) -> NodeView:
        """Begin to connect; what becomes of that is seen by looking."""
        return self._orchestrator.nodes.connect(_name(node))

    @operation("Shut the daemon on a machine down; its sessions go on there.", NodeParted)
    def on_post_disconnect(self, node: str) -> NodeParted:
        """Shut it down, and say how many sessions go on."""
        return self._orchestrator.nodes.disconnect(_name(node))


def _name(node: str) -> str:
    return TextField().from_json("node", node)
