"""The way to the ennio-node of another machine: logs in, has the node there and running, and holds
the tunnel through which it is asked.

A node that survived us is met again by its token, which is kept for our eyes alone. Who has its
port and does not know the token is somebody else, and is left alone.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import secrets
import socket
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from functools import cached_property
from pathlib import Path

import ennio
from ennio.hosts.node_link import DaemonHealth, DaemonLog, Report
from ennio.machine import files
from ennio.machine.home import private
from ennio.machine.interface import FileSpan, Machine
from ennio.model.clock import Clock
from ennio.model.errors import EnnioError, Exhausted, NotFound, Refused, Unauthorized, Unreachable
from ennio.model.failpoints import failpoint
from ennio.model.node import StepName
from ennio.node.client import NodeDescription, NodeHost
from ennio.node.deployment import Deployment, NodeSettings, Steps
from ennio.node.tunnel import Tunnel

_REACH = 10.0  # seconds
_ANSWERS_WITHIN = 5.0
BEGINS_WITHIN, ENDS_WITHIN = 30.0, 20.0
_PAUSE = 0.2


class SshNodeLink:
    """See ``NodeLink``. ``log_in`` gives the machine and raises Unreachable or Refused;
    ``settings`` are given a token of our own, which a configured one wins over.
    """

    def __init__(
        self,
        name: str,
        log_in: Callable[[], Machine],
        settings: Callable[[str], NodeSettings],
        folder: Path,
        clock: Clock,
    ) -> None:
        self._name = name
        self._log_in = log_in
        self._settings = settings
        self._folder = folder
        self._clock = clock
        self._lock = threading.Lock()
        self._machine: Machine | None = None
        self._told: NodeDescription | None = None
        self._host: NodeHost | None = None
        self.trouble: EnnioError | None = None
        """Why the last try to connect failed; None once one did not."""
        self.tunnel = Tunnel(self._reach, folder / "ways" / _short(name))

    @property
    def host(self) -> NodeHost:
        """The host that is asked through it; the same for all of its life."""
        with self._lock:
            if self._host is None:
                self._host = NodeHost(self._name, f"unix:{self.tunnel.path}", self._own.token)
            return self._host

    def explained(self, error: Unreachable) -> Unreachable:
        """The error of a call through it, in words of what is in its way where that is known."""
        why = self.tunnel.trouble
        return Unreachable(f"{self._name} cannot be reached: {why}") if why else error

    # --- NodeLink ---------------------------------------------------------------------------------

    @failpoint("node.connect")
    def connect(self, report: Report) -> None:
        """See ``NodeLink``."""
        try:
            self._connect(report)
        except EnnioError as error:
            self.trouble = error
            raise
        self.trouble = None

    def _connect(self, report: Report) -> None:
        steps = Steps(report, self._clock)
        with steps.step(StepName.LOG_IN) as words:
            begun = time.monotonic()
            self._machine = machine = self._log_in()
            deployment = self._deployment(machine)
            words.append(f"{(time.monotonic() - begun) * 1000:.0f} ms")
        standing = self._standing(steps)
        if standing is None:
            deployment.run(steps)
            with steps.step(StepName.VERIFY) as words:
                standing = self._begun(deployment)
                words.append(f"ennio-node {standing.version} answers")
        self._told = standing

    def heartbeat(self) -> DaemonHealth:
        """See ``NodeLink``."""
        begun = time.monotonic()
        try:
            uptime = self.host.heartbeat()
        except Unreachable as error:
            raise self.explained(error) from error
        took = time.monotonic() - begun
        since = self._clock.now() - timedelta(seconds=uptime)
        return DaemonHealth(took, self._told.version if self._told else None, since)

    @failpoint("node.disconnect")
    def disconnect(self) -> None:
        """See ``NodeLink``."""
        self.trouble = None
        self._machine = self._machine or self._log_in()
        if self._is_listened_to():
            self.tunnel.open()
            self._end()
        self.tunnel.cut()

    def release(self) -> None:
        """See ``NodeLink``."""
        self.tunnel.close()

    def log(self, most: int) -> DaemonLog:
        """See ``NodeLink``."""
        machine = self._machine or self._log_in()
        path = self._deployment(machine).log
        (part,) = machine.read([FileSpan(path, -most, most)])
        if isinstance(part, OSError):
            raise NotFound(f"{self._name} has no log of an ennio-node: {path}: {part.strerror}")
        return DaemonLog(str(path), part.data.decode(errors="replace"))

    # --- what stands already ----------------------------------------------------------------------

    def _standing(self, steps: Steps) -> NodeDescription | None:
        """The node that runs there, if it is one of ours; one of another version is ended."""
        if not self._is_listened_to():
            return None
        with steps.step(StepName.TUNNEL) as words:
            self.tunnel.open()
            words.append(f"port {self._own.port} of its loopback")
        with steps.step(StepName.VERIFY) as words:
            told = self._met()
            words.append(f"ennio-node {told.version} has run for {told.uptime} s")
        if told.fits:
            return told
        with steps.step(StepName.STOP) as words:
            self._judge(told)
            words.append(f"ennio-node {told.version} is another one than {ennio.__version__} here")
            self._end()
        return None

    def _met(self) -> NodeDescription:
        """What has the port says who it is. Raises Refused where it is none of ours."""
        until = time.monotonic() + _ANSWERS_WITHIN
        while time.monotonic() < until:
            with contextlib.suppress(Unreachable):  # it may have just begun, or we just tried
                return self._described()
            time.sleep(_PAUSE)
        try:
            return self._described()
        except Exhausted:
            raise
        except Unreachable as error:
            if not self._is_listened_to():
                raise
            raise Refused(
                f"port {self._own.port} on {self._name} is another program's, which is no "
                f"ennio-node ({error}): end it, or name another port in node_config.port"
            ) from error

    def _described(self) -> NodeDescription:
        try:
            return self.host.describe(_REACH)
        except Unauthorized as error:
            raise Refused(
                f"port {self._own.port} on {self._name} is an ennio-node that does not take our "
                "token: another supervisor's, or one that was started by hand; name its token in "
                "node_config.auth_token, or another port in node_config.port"
            ) from error

    def _judge(self, told: NodeDescription) -> None:
        if _number(told.version) > _number(ennio.__version__):
            raise Refused(
                f"the ennio-node on {self._name} is of Ennio {told.version}, this supervisor of "
                f"{ennio.__version__}: upgrade this one, or end that one with: ennio node "
                f"disconnect {self._name}"
            )

    def _end(self) -> None:
        """Have it end, and wait for that; its last word may be lost with it."""
        with contextlib.suppress(Unreachable):
            self.host.shutdown()
        until = time.monotonic() + ENDS_WITHIN
        while self._is_listened_to():
            if time.monotonic() > until:
                raise Unreachable(f"the ennio-node on {self._name} was told to end and still runs")
            time.sleep(_PAUSE)

    # --- one that was just started ----------------------------------------------------------------

    def _begun(self, deployment: Deployment) -> NodeDescription:
        until = time.monotonic() + BEGINS_WITHIN
        while not self._is_listened_to():
            if time.monotonic() > until or deployment.has_ended():
                raise Refused(f"ennio-node did not begin: {_last(deployment.tail())}")
            time.sleep(_PAUSE)
        self.tunnel.open()
        told = self._met()
        if not told.fits:
            raise Refused(
                f"the ennio-node on {self._name} is of Ennio {told.version}, this supervisor of "
                f"{ennio.__version__}: they must be of one version; leave ennio_binary_path out to "
                "have the right one put there"
            )
        return told

    # --- the way ----------------------------------------------------------------------------------

    @failpoint("node.tunnel")
    def _reach(self) -> socket.socket:
        if self._machine is None:
            raise Unreachable(f"nobody has logged in to {self._name}")
        return self._machine.connect(self._own.port, _REACH)

    def _is_listened_to(self) -> bool:
        try:
            self._reach().close()
        except ConnectionRefusedError:
            return False
        except ConnectionResetError:
            return True  # it was taken in, by one that is just about to end
        except OSError as error:
            raise Refused(
                f"port {self._own.port} on {self._name} cannot be reached through ssh: "
                f"{error.strerror or error}"
            ) from error
        return True

    @cached_property
    def _own(self) -> NodeSettings:
        return self._settings(self._token())

    def _deployment(self, machine: Machine) -> Deployment:
        return Deployment(self._name, machine, self._own, self._folder)

    def _token(self) -> str:
        """Ours for this host, made once; that of the configuration wins over it."""
        file = private(self._folder / "tokens") / re.sub(r"[^A-Za-z0-9@._-]", "_", self._name)
        if not file.exists():
            files.write_atomically(file, secrets.token_urlsafe(32))
        return file.read_text().strip()


def _short(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:8]


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def _last(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "its log is empty"
