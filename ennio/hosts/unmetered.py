"""What stands in place of a metering proxy on a machine where none is kept: the proxy is a process
of this machine, beside the files that it is told by.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from ennio.hosts.metering import HostMeter
from ennio.hosts.observation import MeterState
from ennio.hosts.session_files import SessionFiles
from ennio.model.errors import Refused
from ennio.plugins.agent.interface import Agent, AgentContext, CommandLine
from ennio.policy.budgets.headroom import Headroom


class Unmetered(HostMeter):
    """Counts nothing, and lets no agent go past it. Touches no file."""

    def __init__(self, host: str) -> None:
        self._host = host

    def state(self) -> MeterState:
        """There is none."""
        return MeterState(None)

    def keep(self) -> MeterState:
        """There is none, and none is started."""
        return MeterState(None)

    def leave(self) -> MeterState:
        """There is none."""
        return MeterState(None)

    def stop(self, session_id: str, reason: str) -> None:
        """Nobody passes."""

    def allow(self, session_id: str) -> None:
        """Nobody passes."""

    def limit(self, headroom: Headroom) -> None:
        """Nobody passes."""

    def lead(
        self,
        agent: Agent,
        context: AgentContext,
        command: CommandLine,
        env: Mapping[str, str],
        number: int,
    ) -> CommandLine:
        """Never asked for: no launch begins past it."""
        raise Refused(self._why)

    def begins(self, files: SessionFiles, number: int, at: datetime, *, metered: bool) -> bool:
        """False. Raises Refused for one that is to be metered: it would go uncounted."""
        if metered:
            raise Refused(self._why)
        return False

    def of(self, files: SessionFiles) -> None:
        """Nothing was counted."""
        return

    def ended(self, session_id: str) -> None:
        """Nobody passed."""

    def forget(self, session_id: str) -> None:
        """Nothing is known."""

    @property
    def _why(self) -> str:
        return (
            f"agent_config.metering: `proxy` cannot be had on {self._host}: the proxy runs on the "
            "supervisor's machine, which agents over there do not reach; `agent` counts what the "
            "agent writes down"
        )
