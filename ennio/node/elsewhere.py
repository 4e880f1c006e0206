"""A host whose machine has an ennio-node: asked through the way to it, while that is open."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from ennio.config.model import NodeConfig, SshConfig
from ennio.hosts.brief import Brief
from ennio.hosts.elsewhere import HostOverSsh, MachineOf
from ennio.hosts.far_clock import moved
from ennio.hosts.interface import Host
from ennio.hosts.observation import News
from ennio.hosts.on_demand import OpenHost
from ennio.machine.ssh.errors import LoginRefused, needs_a_person
from ennio.model.clock import Clock
from ennio.model.errors import Unreachable
from ennio.node.deployment import NodeSettings
from ennio.node.link import SshNodeLink

_SINCE = frozenset({"settle", "received"})
"""What is answered of what an agent told since a moment of ours."""


class NodeElsewhere(HostOverSsh):
    """Connects nowhere by itself: whoever keeps the way does, see ``link``."""

    def __init__(
        self,
        name: str,
        ssh: SshConfig,
        machine_of: MachineOf,
        near: Host,
        clock: Clock,
        folder: Path,
    ) -> None:
        super().__init__(name, self._connected, near, ssh, machine_of)
        self.link = SshNodeLink(name, self._logged_in, self._settings, folder, clock)

    def check(self, brief: Brief) -> None:
        """See ``Host``: a node has every runtime."""
        self._near.check(brief)

    def news(self, cursor: str, timeout: float) -> News:
        """See ``Host``; while the way is not open there is none."""
        return (
            self._ask("news", cursor, timeout) if self.link.tunnel.wait(timeout) else News(cursor)
        )

    def close(self) -> None:
        """Let go of the way; the node and its agents go on."""
        self.link.release()
        super().close()

    def _ask(self, name: str, *args: Any, **kwargs: Any) -> Any:
        try:
            if self._machine is not None and self.link.tunnel.is_open:
                self._machine.tell_time()  # a node asks it nothing
                if name in _SINCE:  # by its own clock, of which we know only nearly what it says
                    args = moved(args, timedelta(seconds=-self._machine.slack))
            return super()._ask(name, *args, **kwargs)
        except LoginRefused:
            raise
        except Unreachable as error:
            raise self.link.explained(error) from error

    def _host(self) -> OpenHost:
        if not self.link.tunnel.is_open:
            raise self._away()
        return super()._host()

    def _away(self) -> Unreachable:
        """Why it is not connected, as the last try has it."""
        trouble, words = self.link.trouble, f"the ennio-node on {self.name} is not connected"
        if needs_a_person(trouble):
            return LoginRefused(f"{words}: {trouble}")
        return Unreachable(f"{words}; `ennio node status {self.name}` says why")

    def _connected(self) -> OpenHost:
        return self.link.host

    def _settings(self, token: str) -> NodeSettings:
        own = self._ssh.node_config or NodeConfig()
        return NodeSettings(
            port=own.port,
            idle_timeout=own.idle_timeout,
            root=None if own.workspace_root is None else str(own.workspace_root),
            program=None if own.ennio_binary_path is None else str(own.ennio_binary_path),
            token=own.auth_token or token,
        )
