"""The process of the proxy from outside: found, or started so that it outlives whoever did."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from ennio.machine.files import holder, is_held
from ennio.machine.inherited import inherited
from ennio.model.errors import Unreachable
from ennio.proxy.directory import ProxyDirectory

HOST = "127.0.0.1"
_READY = 15.0
_LOOK = 0.05
_CONNECT = 1.0


def address(directory: ProxyDirectory) -> str | None:
    """Where the proxy of this folder listens; None while none does."""
    port = port_of(directory)
    if port is None or not is_held(directory.lock):
        return None
    try:
        socket.create_connection((HOST, port), _CONNECT).close()
    except OSError:
        return None
    return f"http://{HOST}:{port}"


def port_of(directory: ProxyDirectory) -> int | None:
    """The port that was written down last."""
    try:
        return int(directory.port.read_text())
    except (OSError, ValueError):
        return None


def pid(directory: ProxyDirectory) -> int | None:
    """The process that serves; None while none does."""
    told = holder(directory.lock)
    return int(told) if told.isdigit() and is_held(directory.lock) else None


def version(directory: ProxyDirectory) -> str:
    """Of which version of Ennio the process that serves is; empty where that is not known."""
    try:
        return directory.version.read_text()[:100].strip()
    except OSError:
        return ""


def ensure(directory: ProxyDirectory, environ: dict[str, str]) -> str:
    """Where it listens, started if need be. Raises Unreachable where it does not come up."""
    found = address(directory)
    if found is not None:
        return found
    directory.make()
    begun = _begin(directory, environ)
    until = time.monotonic() + _READY
    while (found := address(directory)) is None:
        if time.monotonic() > until:
            raise Unreachable(f"the metering proxy does not come up; see {directory.log}")
        time.sleep(_LOOK)
        if begun.poll() == 0:  # another was there, which has just been told to end
            begun = _begin(directory, environ)
    return found


def _begin(directory: ProxyDirectory, environ: dict[str, str]) -> subprocess.Popen[bytes]:
    passed = {name: environ[name] for name in _PASSED if name in environ}
    with directory.log.open("ab") as words:
        return subprocess.Popen(
            (sys.executable, str(Path(__file__).parent), str(directory.root)),
            stdin=subprocess.DEVNULL,
            stdout=words,
            stderr=words,
            cwd="/",
            env={**inherited(environ), **passed},
            start_new_session=True,
        )


def end(directory: ProxyDirectory) -> None:
    """End it, with what passes just now; fine if there is none."""
    tell_to_end(directory)
    until = time.monotonic() + _READY
    while is_held(directory.lock) and time.monotonic() < until:
        time.sleep(_LOOK)


def tell_to_end(directory: ProxyDirectory) -> None:
    """The same without waiting for it."""
    serves = pid(directory)
    if serves is not None:
        with suppress(ProcessLookupError):
            os.kill(serves, signal.SIGTERM)


_PASSED = (
    "PYTHONPATH",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "all_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
)
"""What says where libraries lie, and how the world is reached from here."""
