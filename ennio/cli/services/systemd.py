"""A unit of systemd's user manager.

``KillMode=process`` is the point of it: by default systemd ends the whole control group of a unit,
and in that are tmux and all agents.
"""

from __future__ import annotations

import getpass
import os
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ennio.cli.services.interface import ServiceState, ask
from ennio.cli.services.spec import MARK, ServiceSpec
from ennio.model.errors import EnnioError, Unreachable

_UNIT = """\
# {mark}, for {config};
# `ennio service remove` takes it away. What is changed here is lost with the next install:
# changes of your own belong into a drop-in (systemctl --user edit {unit}).
[Unit]
Description=Ennio's supervisor of {config}
StartLimitIntervalSec=300
StartLimitBurst=10

[Service]
Type=exec
ExecStart={command}
{environment}
# variables that are secrets: NAME=value, a line each, in a file of yours (0600)
EnvironmentFile=-{variables}
StandardOutput=append:{log}
StandardError=append:{log}
# Agents and their terminals are in the same control group. They outlive the supervisor, whose next
# start finds them again; systemd's default would end them with it.
KillMode=process
OOMPolicy=continue
TasksMax=infinity
Restart=on-failure
RestartSec=5
# a file that nobody has trusted is not trusted the second time either
RestartPreventExitStatus=5
TimeoutStopSec=30

[Install]
WantedBy=default.target
"""


@dataclass(frozen=True, slots=True)
class SystemdUser:
    """See ``ServiceManager``."""

    spec: ServiceSpec
    folder: Path

    name = "systemd"

    @classmethod
    def of(cls, spec: ServiceSpec, environ: Mapping[str, str], person: Path) -> SystemdUser:
        """That of whoever calls."""
        settings = Path(environ.get("XDG_CONFIG_HOME") or person / ".config")
        return cls(spec, settings / "systemd" / "user")

    @property
    def unit(self) -> str:
        """See ``ServiceManager``."""
        return f"ennio-{self.spec.instance}.service"

    @property
    def file(self) -> Path:
        """See ``ServiceManager``."""
        return self.folder / self.unit

    @property
    def start_command(self) -> str:
        """See ``ServiceManager``."""
        return f"systemctl --user start {self.unit}"

    def text(self) -> str:
        """See ``ServiceManager``."""
        spec = self.spec
        return _UNIT.format(
            mark=MARK,
            unit=self.unit,
            config=_plain(str(spec.config)),
            command=" ".join(_quoted(word.replace("$", "$$")) for word in _startable(spec.command)),
            environment="\n".join(
                f"Environment={_quoted(f'{name}={value}')}"
                for name, value in spec.environment.items()
            ),
            variables=_plain(str(spec.variables)),
            log=_plain(str(spec.log)),
        )

    def insist(self) -> None:
        """See ``ServiceManager``."""
        try:
            ask("systemctl", "--user", "show", "--property=Version")
        except EnnioError as error:
            raise Unreachable(
                f"systemd's user manager does not answer ({error}): log in as this user itself "
                "(not by su or sudo), or use another way to start at boot; the unit is shown by: "
                "ennio service install --dry-run"
            ) from error

    def enable(self, *, now: bool) -> None:
        """See ``ServiceManager``."""
        ask("systemctl", "--user", "daemon-reload")
        ask("systemctl", "--user", "enable", *(["--now"] if now else []), self.unit)

    def restart(self) -> None:
        """See ``ServiceManager``."""
        ask("systemctl", "--user", "daemon-reload")
        ask("systemctl", "--user", "restart", self.unit)

    def disable(self) -> None:
        """See ``ServiceManager``."""
        ask("systemctl", "--user", "disable", "--now", self.unit)

    def forget(self) -> None:
        """See ``ServiceManager``."""
        ask("systemctl", "--user", "daemon-reload")

    def state(self) -> ServiceState:
        """See ``ServiceManager``."""
        asked = "ActiveState,MainPID,UnitFileState"
        told = dict(
            line.partition("=")[::2]
            for line in ask(
                "systemctl", "--user", "show", f"--property={asked}", self.unit
            ).splitlines()
        )
        pid = int(told.get("MainPID") or 0) or None
        enabled = told.get("UnitFileState") == "enabled"
        return ServiceState(enabled, told.get("ActiveState", "unknown"), pid, _lingers())

    def lasting_command(self) -> str:
        """See ``ServiceManager``."""
        return f"loginctl enable-linger {shlex.quote(_user())}"


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # an account without an entry
        return str(os.getuid())


def _lingers() -> bool | None:
    """Whether this person's services run without a login."""
    try:
        told = ask("loginctl", "show-user", _user(), "--property=Linger", "--value")
    except EnnioError:
        return None
    return told.strip() == "yes"


def _startable(command: Sequence[str]) -> Sequence[str]:
    """The command, begun by another where systemd takes no such name of a program."""
    plain = re.fullmatch(r"[\w./+@ -]+", command[0], re.ASCII)
    return command if plain else ("/usr/bin/env", *command)


def _plain(text: str) -> str:
    """As it stands to the end of a line: only what begins with a percent sign means something."""
    return text.replace("%", "%%")


def _quoted(word: str) -> str:
    """One word of a list of them, whatever is in it."""
    return '"' + _plain(word).replace("\\", "\\\\").replace('"', '\\"') + '"'
