"""The hosts on other machines that a configuration names, one for each host and user: projects that
name the same share it, with its connections and its plugins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

from ennio.config.host_name import host_name
from ennio.config.model import Config, SshConfig, SshStrategy
from ennio.hosts.brief import Brief
from ennio.hosts.far_clock import FarClock, moved
from ennio.hosts.interface import Host
from ennio.hosts.on_demand import HostOnDemand, OpenHost
from ennio.hosts.plugin_host import PluginHost
from ennio.hosts.sharing import RemoteControlSharing, Sharing, TmateSharing, Unshared
from ennio.hosts.ssh_words import quoted, ssh_words
from ennio.machine.home import Home
from ennio.machine.interface import Machine
from ennio.model.clock import Clock
from ennio.plugins.registry import Registry


class FarMachine(Machine, Protocol):
    """A machine at the end of a line."""

    @property
    def ahead(self) -> float:
        """How many seconds its clock is ahead of ours."""
        ...

    def check(self) -> None:
        """Ask it something now, whatever went wrong before. Raises Unreachable."""
        ...

    def hurry(self) -> None:
        """Somebody waits for it: where nothing answered, the next question tries again."""
        ...

    def tell_time(self) -> None:
        """Have it tell its time, where nobody has asked it anything for a while. Raises
        Unreachable.
        """
        ...

    def close(self) -> None:
        """Hang up; what runs over there goes on."""
        ...


MachineOf = Callable[[str, SshConfig], FarMachine]


class FarHost(PluginHost):
    """The plugins of this process, on a machine that is elsewhere. Connects when it is made, and
    raises Unreachable where that cannot be. All moments are by that machine's clock; files that a
    configuration names lie here, in its ``directory``.
    """

    def __init__(
        self,
        name: str,
        machine: FarMachine,
        clock: Clock,
        instance: str,
        strategy: SshStrategy = SshStrategy.TMUX,
        directory: Path | None = None,
    ) -> None:
        home = home_on(machine)
        clock = FarClock(machine, clock)
        plugins = Registry(home, clock, None, directory, instance, machine)
        super().__init__(plugins, home, clock, name, sharing=_sharing(strategy, machine, home))

    def close(self) -> None:
        """Wait for no more news, and end what plugins keep running here."""
        super().close()
        self._plugins.close()


def _sharing(strategy: SshStrategy, machine: Machine, home: Home) -> Sharing:
    if strategy is SshStrategy.TMATE:
        return TmateSharing(machine, home.root / "tmate")
    if strategy is SshStrategy.REMOTE_CONTROL:
        return RemoteControlSharing(machine)
    return Unshared()


def home_on(machine: Machine) -> Home:
    """Where Ennio keeps its files on a machine: what ``ENNIO_HOME`` names over there, else
    ``~/.ennio``, by its real path.
    """
    named = machine.environ.get("ENNIO_HOME")
    (root,) = machine.real([Path(named) if named else machine.home / ".ennio"])
    return Home(root)


class HostOverSsh(HostOnDemand):
    """One on a machine that is logged in to over ssh. Hangs up when it is closed. Moments are by
    our clock, whatever the one over there says.
    """

    def __init__(
        self,
        name: str,
        make: Callable[[], OpenHost],
        near: Host,
        ssh: SshConfig,
        machine_of: MachineOf,
    ) -> None:
        super().__init__(name, make, near)
        self._ssh = ssh
        self._machine_of = machine_of
        self._machine: FarMachine | None = None

    def _logged_in(self) -> FarMachine:
        if self._machine is None:  # one that could not be reached knows when to try again
            self._machine = self._machine_of(self.name, self._ssh)
        return self._machine

    def _ask(self, name: str, *args: Any, **kwargs: Any) -> Any:
        self._host()  # which tells the time
        by = timedelta(seconds=self._machine.ahead if self._machine is not None else 0.0)
        return moved(super()._ask(name, *moved(args, by), **moved(kwargs, by)), -by)

    def wake(self) -> None:
        """Ask at once whether it can be reached, however soon after a failure. Raises
        Unreachable.
        """
        if self._machine is not None:
            self._machine.check()

    def hurry(self) -> None:
        """Somebody waits for it: where nothing answered, whoever asks next tries again, however
        soon that is; what was refused is not tried more often.
        """
        if self._machine is not None:
            self._machine.hurry()

    def attach_command(self, brief: Brief) -> tuple[str, ...]:
        """See ``Host``: ssh leads a person's terminal there, by the login of the configuration."""
        over_there: tuple[str, ...] = self._ask("attach_command", brief)
        return (*ssh_words(self._ssh), quoted(over_there))

    def close(self) -> None:
        """Let go of what is open, and hang up; agents go on."""
        super().close()
        machine, self._machine = self._machine, None
        if machine is not None:
            machine.close()


class HostElsewhere(HostOverSsh):
    """One that is asked by single commands."""

    def __init__(
        self,
        name: str,
        ssh: SshConfig,
        machine_of: MachineOf,
        clock: Clock,
        instance: str,
        near: Host,
        directory: Path | None = None,
    ) -> None:
        super().__init__(name, self._connected, near, ssh, machine_of)
        self._clock = clock
        self._instance = instance
        self._directory = directory

    def _connected(self) -> OpenHost:
        return FarHost(
            self.name,
            self._logged_in(),
            self._clock,
            self._instance,
            self._ssh.strategy,
            self._directory,
        )


def hosts_elsewhere(
    config: Config, clock: Clock, instance: str, near: Host, machine_of: MachineOf
) -> Mapping[str, HostElsewhere]:
    """One for each host and user that a project names. Connects nowhere."""
    found: dict[str, HostElsewhere] = {}
    for project in config.projects:
        if project.ssh is not None:
            name = host_name(project.ssh)
            if name not in found:
                found[name] = HostElsewhere(
                    name, project.ssh, machine_of, clock, instance, near, config.directory
                )
    return found


def close_all(hosts: Iterable[Host]) -> None:
    """Close those that keep something open."""
    for host in hosts:
        if isinstance(host, HostOnDemand):
            host.close()
