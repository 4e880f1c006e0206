"""The daemon: holds its root, answers until it is told to end or nobody needs it, and leaves all
sessions running.
"""

from __future__ import annotations

import logging
import os
import shutil
import signal
import threading
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from ennio import __version__, logs
from ennio.hosts.plugin_host import PluginHost
from ennio.machine import home
from ennio.machine.files import acquire, holder, note_holder
from ennio.model.clock import SystemClock
from ennio.model.errors import Conflict, Refused
from ennio.node.access import NodeAccess, kept_token
from ennio.node.activity import CallActivity
from ennio.node.documented import DocumentedCalls
from ennio.node.host_calls import HostCalls
from ennio.node.options import NodeOptions
from ennio.node.server import NodeServer
from ennio.node.sessions import living
from ennio.node.workspace_root import WorkspaceRoot
from ennio.plugins.registry import Registry

log = logging.getLogger(__name__)

GRACE = 10.0  # seconds that calls have to be done once it is told to end
_PATIENCE = 3.0  # seconds that the one before has to be gone
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class NodeDaemon:
    """One for a root. ``host`` is what it serves; it is not closed with it."""

    def __init__(self, options: NodeOptions) -> None:
        self._options = options
        self._folder = options.root / "node"
        self._ended = threading.Event()
        self._grace = GRACE
        self._activity = CallActivity()

    def run(self) -> None:
        """Serve until the end. Raises Conflict where another one has the root, Refused, OSError."""
        with ExitStack() as undo:
            home.private(self._options.root)
            home.private(self._folder)
            lock = self._held()
            undo.callback(os.close, lock)
            token = self._token()
            logs.to_stderr({token} if token else ())
            host = self._host(undo)
            server = self._server(host, token)
            undo.callback(self._stop, server)
            port = server.listen(self._options.port)
            note_holder(lock, f"pid {os.getpid()}, port {port}, since {_now()}")
            self._listen_to_signals()
            self._tell(port, token)
            self._wait(host)

    def end(self, graceful: bool) -> None:
        """End soon; what is at work is done to its end first, unless in a hurry."""
        self._grace = GRACE if graceful else 0.5
        self._ended.set()

    # --- beginning --------------------------------------------------------------------------------

    def _held(self) -> int:
        path = self._folder / "lock"
        lock = acquire(path, patience=_PATIENCE)
        if lock is None:
            raise Conflict(
                f"another ennio-node has {self._options.root} ({holder(path) or 'it begins'}): "
                "end it first, or give this one a --workspace-root of its own"
            )
        return lock

    def _token(self) -> str | None:
        if self._options.open:
            return None
        return self._options.token or kept_token(self._token_file)

    @property
    def _token_file(self) -> Path:
        return self._folder / "token"

    def _host(self, undo: ExitStack) -> PluginHost:
        place, clock = WorkspaceRoot(self._options.root).home(), SystemClock()
        plugins = Registry(place, clock)
        undo.callback(plugins.close)
        host = PluginHost(plugins, place, clock)
        undo.callback(host.close)
        return host

    def _server(self, host: PluginHost, token: str | None) -> NodeServer:
        root = WorkspaceRoot(self._options.root)
        return NodeServer(
            DocumentedCalls(host, root),
            HostCalls(host, str(root.home().root), self._options.idle),
            NodeAccess(token),
            self._activity,
            self.end,
        )

    def _tell(self, port: int, token: str | None) -> None:
        for words in self._options.told:
            log.warning(words)
        if token is None:
            whose = "without a token"
        elif self._options.token is None:
            whose = f"the token lies in {self._token_file}"
        else:
            whose = "with the token it was given"
        where = self._options.root
        log.info("ennio-node %s listens on 127.0.0.1:%d", __version__, port)
        log.info("its root is %s; %s", where, whose)

    def _listen_to_signals(self) -> None:
        for number in _SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup said that it is to stay
                signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        """The first one ends it gracefully, the second at once."""
        del frame
        self.end(graceful=not self._ended.is_set())
        if self._grace < GRACE:
            os._exit(128 + number)

    # --- until the end ----------------------------------------------------------------------------

    def _wait(self, host: PluginHost) -> None:
        idle = self._options.idle
        while not self._ended.wait(max(0.1, idle - self._activity.idle) if idle else None):
            if idle and self._activity.idle >= idle and not self._is_needed(host):
                log.info("nobody has asked for anything for %g s, and no session lives", idle)
                return

    def _is_needed(self, host: PluginHost) -> bool:
        """Whether agents live, or nobody can tell; then it waits as long again."""
        found = living(host)
        # without tmux nobody here can tell what runs in it, or do anything about it
        if not found.number and (found.known or shutil.which("tmux") is None):
            return False
        self._activity.touch()
        return True

    def _stop(self, server: NodeServer) -> None:
        log.info("ennio-node ends; its sessions go on")
        server.stop(self._grace)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def serve(options: NodeOptions) -> None:
    """Run one. Raises Refused for a root that cannot be used."""
    if options.root == Path("/"):
        raise Refused("--workspace-root: / is no folder of its own")
    NodeDaemon(options).run()
