"""The port a supervisor listens on, and in whose hands it is when it cannot be had.

Where nobody chose one, the first supervisor of a person has 3000 and the next the next that is
free; it is kept in the run folder (``port``), since pages, cookies and hooks know it.
"""

from __future__ import annotations

import errno
import socket
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil

from ennio.config.model import Config
from ennio.machine import files
from ennio.model.errors import Refused

if TYPE_CHECKING:
    from pathlib import Path

BACKLOG = 512
KEPT = "port"
NEXT = 100
"""So many ports after the usual one are tried before any that is free is taken."""


@dataclass(frozen=True, slots=True)
class PortOwner:
    """Who has a port, and the first way out; the other is another port."""

    who: str
    way: str
    ennio: bool = False

    def __str__(self) -> str:
        return f"{self.who}; {self.way}"


def listener_of(config: Config, run_dir: Path, patience: float) -> socket.socket:
    """What the API of a configuration listens on. Raises Refused as ``listen`` does."""
    if config.port_chosen:
        return listen(config.host, config.port, patience)
    found = _kept(config, run_dir, patience) or _next_free(config)
    files.write_atomically(run_dir / KEPT, str(found.getsockname()[1]))
    return found


def expected(config: Config, run_dir: Path) -> int | None:
    """The port that it will most likely have, as far as that can be told without taking it."""
    if config.port_chosen:
        return config.port
    return next((port for port in _candidates(config, run_dir) if _is_free(config, port)), None)


def _kept(config: Config, run_dir: Path, patience: float) -> socket.socket | None:
    port = remembered(run_dir)
    if port is None:
        return None
    with suppress(Refused):
        return listen(config.host, port, patience)
    return None  # somebody else has it for good


def remembered(run_dir: Path) -> int | None:
    """The port that was had last where nobody chose one, or None."""
    try:
        port = int((run_dir / KEPT).read_text())
    except (OSError, ValueError):
        return None
    return port if 0 < port < 1 << 16 else None


def _candidates(config: Config, run_dir: Path) -> tuple[int, ...]:
    kept = remembered(run_dir)
    return (*(() if kept is None else (kept,)), *_usual(config))


def _usual(config: Config) -> range:
    """None where any that is free is asked for."""
    return range(config.port, config.port + NEXT) if config.port else range(0)


def _next_free(config: Config) -> socket.socket:
    for port in _usual(config):
        with suppress(_Taken):
            return _tried(config.host, port)
    return listen(config.host, 0, 0)


def _is_free(config: Config, port: int) -> bool:
    try:
        _tried(config.host, port).close()
    except (_Taken, Refused):
        return False
    return True


class _Taken(Exception):
    """Somebody listens there already."""


def _tried(host: str, port: int) -> socket.socket:
    try:
        return _bound(host, port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise _Taken from None
        words = error.strerror or str(error)
        raise Refused(
            f"cannot listen on {host}:{port}: {words}; see `host` and `port` in the configuration"
        ) from None


def listen(host: str, port: int, patience: float) -> socket.socket:
    """A listening socket; port 0 takes a free one.

    Waits for a port that is just being given up, for ``patience`` seconds at most. Raises Refused
    naming who has it.
    """
    until = time.monotonic() + patience
    while True:
        try:
            return _tried(host, port)
        except _Taken:
            if time.monotonic() > until:
                raise Refused(
                    f"port {port} on {host} is taken by {port_owner(port)}, or set another `port` "
                    "in the configuration"
                ) from None
        time.sleep(0.1)


def second_ports(config: Config) -> tuple[int, ...]:
    """The ports on which the same is served beside the first one."""
    wanted = (config.terminal_port, config.direct_terminal_port)
    return tuple(port for port in wanted if port is not None)


def url_of(listener: socket.socket) -> str:
    """The base URL that reaches it from this machine."""
    host, port = listener.getsockname()[:2]
    if host in ("0.0.0.0", "::"):  # noqa: S104 - every address: then also this one
        host = "127.0.0.1" if host == "0.0.0.0" else "::1"  # noqa: S104
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _bound(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, place = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(place)
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def port_owner(port: int) -> PortOwner:
    """Who listens on a port, as far as that can be seen."""
    try:
        for connection in psutil.net_connections("tcp"):
            if (
                connection.status == psutil.CONN_LISTEN
                and connection.laddr[1:] == (port,)
                and connection.pid
            ):
                return _named(psutil.Process(connection.pid))
    except (psutil.Error, OSError):
        pass
    return PortOwner("another program", "end it")


def _named(process: psutil.Process) -> PortOwner:
    """Who it is, and the first way out; another supervisor has agents of its own, and is not
    to be ended for this one.
    """
    words = process.cmdline()
    if any("ennio.supervise" in word or "ennio-supervisor" in word for word in words):
        whose = f" of {words[words.index('--config') + 1]}" if "--config" in words[:-1] else ""
        return PortOwner(
            f"another Ennio{whose} (pid {process.pid})", "let both run: leave that one", ennio=True
        )
    return PortOwner(f"{process.name()} (pid {process.pid})", "end it")
