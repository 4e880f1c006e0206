"""An agent of launchd, macOS's manager of services.

``AbandonProcessGroup`` is here what ``KillMode=process`` is to systemd: without it launchd ends
what is left of the supervisor's group, and so the agents.
"""

from __future__ import annotations

import os
import plistlib
import re
from dataclasses import dataclass
from pathlib import Path

from ennio.cli.services.interface import ServiceState, ask
from ennio.cli.services.spec import MARK, ServiceSpec
from ennio.model.errors import EnnioError, Unreachable


@dataclass(frozen=True, slots=True)
class LaunchdUser:
    """See ``ServiceManager``. It reads no file of variables: the command does that for it."""

    spec: ServiceSpec
    folder: Path

    name = "launchd"

    @classmethod
    def of(cls, spec: ServiceSpec, person: Path) -> LaunchdUser:
        """That of whoever calls."""
        return cls(spec, person / "Library" / "LaunchAgents")

    @property
    def unit(self) -> str:
        """See ``ServiceManager``."""
        return f"ennio.{self.spec.instance}"

    @property
    def file(self) -> Path:
        """See ``ServiceManager``."""
        return self.folder / f"{self.unit}.plist"

    @property
    def start_command(self) -> str:
        """See ``ServiceManager``."""
        return f"launchctl kickstart {self._target}"

    def text(self) -> str:
        """See ``ServiceManager``."""
        spec = self.spec
        document = {
            "Label": self.unit,
            "Comment": f"{MARK}; `ennio service remove` takes it away",
            "ProgramArguments": [*_WITH_VARIABLES, str(spec.variables), *spec.command],
            "EnvironmentVariables": dict(spec.environment),
            "StandardOutPath": str(spec.log),
            "StandardErrorPath": str(spec.log),
            "RunAtLoad": True,
            "KeepAlive": {"SuccessfulExit": False},
            "ThrottleInterval": 5,
            "ExitTimeOut": 30,
            "AbandonProcessGroup": True,
        }
        return plistlib.dumps(document, sort_keys=False).decode()

    @property
    def _domain(self) -> str:
        return f"gui/{os.getuid()}"

    @property
    def _target(self) -> str:
        return f"{self._domain}/{self.unit}"

    def insist(self) -> None:
        """See ``ServiceManager``."""
        try:
            ask("launchctl", "print", self._domain)
        except EnnioError as error:
            raise Unreachable(
                f"launchd does not answer for this login ({error}): log in on the screen, not over "
                "ssh; what it would be given is shown by: ennio service install --dry-run"
            ) from error

    def enable(self, *, now: bool) -> None:
        """See ``ServiceManager``; it begins with the next login where it does not begin at once."""
        if now:
            ask("launchctl", "bootstrap", self._domain, str(self.file))

    def restart(self) -> None:
        """See ``ServiceManager``."""
        self.disable()
        ask("launchctl", "bootstrap", self._domain, str(self.file))

    def disable(self) -> None:
        """See ``ServiceManager``."""
        if self._known() is not None:
            ask("launchctl", "bootout", self._target)

    def forget(self) -> None:
        """See ``ServiceManager``: it looks at files with the next login only."""

    def state(self) -> ServiceState:
        """See ``ServiceManager``; it begins with the login, and nothing makes it begin before."""
        told = self._known()
        pid = re.search(r"^\s*pid = (\d+)$", told or "", re.MULTILINE)
        active = "inactive" if told is None else "active" if pid else "failed"
        return ServiceState(self.file.exists(), active, int(pid[1]) if pid else None, None)

    def lasting_command(self) -> str:
        """See ``ServiceManager``: there is none."""
        return ""

    def _known(self) -> str | None:
        """What launchd tells of it; None where it does not know it."""
        try:
            return ask("launchctl", "print", self._target)
        except Unreachable:
            raise
        except EnnioError:
            return None


_READ = 'if [ -r "$1" ]; then set -a; . "$1"; set +a; fi; shift; exec "$@"'
_WITH_VARIABLES = ("/bin/sh", "-c", _READ, "sh")
