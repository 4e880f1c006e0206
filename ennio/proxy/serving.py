"""The life of the proxy's process: one for each folder, on the port it had before, until nobody has
been let pass for a while.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import time
from pathlib import Path

import gevent
from gevent.pywsgi import WSGIServer

import ennio
from ennio.machine.files import acquire, note_holder, write_atomically
from ennio.model.clock import SystemClock
from ennio.proxy.directory import ProxyDirectory
from ennio.proxy.process import HOST, port_of
from ennio.proxy.server import MeteringProxy, RawPathHandler

IDLE = 600.0
_LOOK = 5.0
_QUEUE = 256
log = logging.getLogger(__name__)


def main(root: Path) -> int:
    """Serve until the end; 0 also where another serves already."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    directory = ProxyDirectory(root)
    directory.make()
    lock = acquire(directory.lock)
    if lock is None:
        return 0
    note_holder(lock, str(os.getpid()))
    write_atomically(directory.version, ennio.__version__)
    listener = listening(directory)
    server = WSGIServer(
        listener,
        MeteringProxy(directory, SystemClock()),
        handler_class=RawPathHandler,
        log=None,
        error_log=log,
    )
    gevent.signal_handler(signal.SIGTERM, server.stop)
    gevent.spawn(_end_when_idle, directory, server)
    server.serve_forever()
    return 0


def listening(directory: ProxyDirectory) -> socket.socket:
    """On the port it had before, which agents were given; on another where that is taken by now."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # for each connection of it: else a small piece waits for the agent's word on the last one
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    before = port_of(directory)
    try:
        listener.bind((HOST, before or 0))
    except OSError as error:
        log.warning(
            "port %s is taken by now, and agents that have it are cut off: %s", before, error
        )
        listener.bind((HOST, 0))
    listener.listen(_QUEUE)
    write_atomically(directory.port, str(listener.getsockname()[1]))
    return listener


def _end_when_idle(directory: ProxyDirectory, server: WSGIServer) -> None:
    granted_at = time.monotonic()
    while time.monotonic() - granted_at < IDLE:
        gevent.sleep(_LOOK)
        if any(directory.grants.glob("*.json")):
            granted_at = time.monotonic()
    server.stop()
