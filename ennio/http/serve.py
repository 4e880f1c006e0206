"""The supervisor process: gunicorn's arbiter, and under it one worker in
which the orchestrator lives.

The arbiter is the outermost supervisor. It holds the instance's lock and the port, notices a worker
that is dead or blocked and starts another, and never has two at once: two orchestrators would start
every agent twice. While a worker is being replaced requests wait in the port's queue.
"""

from __future__ import annotations

import argparse
import logging
import mmap
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn, Protocol

from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.glogging import Logger

from ennio import lasting, logs
from ennio.config import last_good
from ennio.config.model import Config, LogFormat
from ennio.config.secrets import secrets
from ennio.http import address
from ennio.http.logfile import LOG, LogFile
from ennio.http.port import listen, listener_of, second_ports, url_of
from ennio.machine import single
from ennio.machine.home import Home, private
from ennio.machine.local import LocalMachine
from ennio.model.clock import rfc3339
from ennio.model.errors import ConfigError, EnnioError, Refused, Untrusted
from ennio.model.printable import printable

log = logging.getLogger(__name__)

PATIENCE = 3.0  # a worker whose arbiter was killed needs up to two seconds to notice
GRACE = 15  # seconds the actors may take to stop before the worker is killed
TIMEOUT = 30  # seconds a blocked worker is tolerated
_IN_MEMORY = "/dev/shm"  # noqa: S108 - gunicorn makes a file of its own there and unlinks it at once
UNBORN = int(Arbiter.WORKER_BOOT_ERROR)  # a worker that ends with this ends the supervisor too
AGAIN = 1.0  # seconds between two tries to put a worker in the place of one that ended


class Booted(Protocol):
    """What was booted in this process, and how it is stopped."""

    @property
    def orchestrator(self) -> Any:
        """What the API asks (ennio.actors.orchestrator.Orchestrator)."""
        ...

    def stop(self) -> None:
        """Stop its actors in order; the agents keep running."""
        ...


Boot = Callable[[Path, int], Booted]
"""Starts what a configuration file describes; told the port its API is reached at,
which the file need not name.
"""


def main(argv: Sequence[str], boot: Boot) -> int:
    """Run the supervisor of a configuration in the foreground, what lives in its worker started by
    ``boot``; returns the exit code.
    """
    from ennio.config import trusted  # noqa: PLC0415
    from ennio.config.discover import find  # noqa: PLC0415 - the patching of the standard library comes first
    from ennio.config.load import load  # noqa: PLC0415
    from ennio.plugins.shipped import known  # noqa: PLC0415

    parser = argparse.ArgumentParser(
        prog="ennio-supervisor", description="Run Ennio's supervisor in the foreground."
    )
    parser.add_argument(
        "--config", type=Path, help="the configuration file (default: found from here upwards)"
    )
    options = parser.parse_args(argv)
    try:
        config = load(find(Path.cwd(), options.config), os.environ, known())
        home = Home.of_environment()
        trusted.insist(config, home, os.environ)
        return serve(config, boot, home)
    except EnnioError as error:
        print(printable(f"ennio-supervisor: {error}"), file=sys.stderr)
        return error.exit_code if isinstance(error, Untrusted) else 1


def serve(config: Config, boot: Boot, home: Home) -> int:
    """Serve a configuration until a signal ends it; returns the exit code.

    Raises Refused when this instance runs already or its port is taken. ``boot`` is called in the
    worker, anew for each one.
    """
    logs.to_stderr(secrets(config), as_json=config.log_format is LogFormat.JSON)
    run_dir = private(home.run(config.source))
    _take(run_dir, config)
    address.remove(run_dir)  # of one that ended without a word: nobody is to be sought there
    if (kept := LogFile.of_process(run_dir / LOG)) is not None:
        logs.before_each(kept.look)
    last_good.forget(run_dir)
    with ExitStack() as open_ports:
        listener = open_ports.enter_context(listener_of(config, run_dir, PATIENCE))
        others = [
            open_ports.enter_context(listen(config.host, port, PATIENCE))
            for port in second_ports(config)
        ]
        logs.to_stderr({address.token(run_dir, config.api_token)})
        address.write(run_dir, _address(config, listener))
        return _run(_Arbiter(GunicornApp(listener, config, boot, run_dir, others)))


def _run(arbiter: Arbiter) -> int:
    own = os.getpid()
    lasting.end()  # of what supervise.py began: by now all is imported that the arbiter needs
    try:
        arbiter.run()
    except SystemExit as end:
        if os.getpid() != own:
            raise  # a worker comes by here too, and its exit code is a word to the arbiter
        return 0 if end.code in (0, None) else 1
    return 0


def _take(run_dir: Path, config: Config) -> None:
    """Hold the instance's lock for the life of this process.

    Only the worker of an arbiter that was killed is waited for. Who waited for one that lives would
    take its place when that is ended, when nobody wants a supervisor any more.
    """
    until = time.monotonic() + PATIENCE
    while address.take(run_dir) is None:
        who = address.read(run_dir)
        if time.monotonic() > until or (
            who is not None and single.start_of(LocalMachine(), who.pid)
        ):
            known = (
                f"pid {who.pid}, since {who.since}, {who.url}"
                if who
                else "its address is not known yet"
            )
            raise Refused(
                f"a supervisor runs already for {config.source} ({known}); `ennio stop` ends it"
            )
        time.sleep(0.1)


def _address(config: Config, listener: socket.socket) -> address.SupervisorAddress:
    return address.SupervisorAddress(
        os.getpid(), url_of(listener), rfc3339(datetime.now(UTC)), str(config.source)
    )


class GunicornApp(BaseApplication):  # type: ignore[misc] # gunicorn is not typed
    """gunicorn's settings and hooks, all in code: no file or variable changes them."""

    def __init__(
        self,
        listener: socket.socket,
        config: Config,
        boot: Boot,
        run_dir: Path,
        others: Sequence[socket.socket] = (),
    ) -> None:
        self._listeners = (listener, *others)
        self._port = int(listener.getsockname()[1])
        self._config = config
        self._boot = boot
        self._run_dir = run_dir
        self._running: Booted | None = None
        self._stood = mmap.mmap(-1, 1)  # shared with every worker: whether one has come to stand
        super().__init__()

    def load_config(self) -> None:
        """Set every setting that matters here."""
        from ennio.http.worker import Worker  # noqa: PLC0415 - gevent's; the arbiter itself needs none of it

        settings: dict[str, Any] = {
            # handed over: one descriptor more and the port would outlive the worker's closing it
            "bind": [f"fd://{listener.detach()}" for listener in self._listeners],
            "worker_class": Worker,
            "workers": 1,
            "worker_connections": 1000,
            "max_requests": 0,
            "preload_app": False,
            "timeout": TIMEOUT,
            "graceful_timeout": GRACE,
            "keepalive": 15,
            "worker_tmp_dir": _memory(),
            "limit_request_line": 8190,
            "limit_request_fields": 100,
            "forwarded_allow_ips": "",
            "secure_scheme_headers": {},
            "control_socket_disable": True,
            "accesslog": None,
            "logger_class": GunicornLogger,
            "worker_exit": self._worker_exit,
            "on_exit": lambda _arbiter: address.remove(self._run_dir),
        }
        for name, value in settings.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Boot the orchestrator in this worker and put the API over it."""
        with lasting.lasting():
            return self._booted()

    def _booted(self) -> Any:
        from ennio.http.app import create_app  # noqa: PLC0415
        from ennio.http.dashboard_files import DashboardFiles  # noqa: PLC0415
        from ennio.http.websocket import handed_over  # noqa: PLC0415
        from ennio.http.worker import Worker  # noqa: PLC0415

        try:
            self._running = self._boot(self._config.source, self._port)
        except (EnnioError, OSError) as error:
            log.error("could not start: %s", error)  # noqa: TRY400 - somebody can act on it; the way there is of no interest
            self._end_unborn(error)
        self._stood[0] = 1
        orchestrator = self._running.orchestrator
        app = create_app(
            orchestrator,
            address.token(self._run_dir, orchestrator.config.api_token),
            Worker.sse_connections,
            DashboardFiles(),
            Worker.web_sockets,
        )
        return handed_over(app)

    def _end_unborn(self, error: Exception) -> NoReturn:
        """A first start that fails is told and ends; later on, what time may heal is tried
        again: nobody may be watching.
        """
        if not self._stood[0] or isinstance(error, Refused | ConfigError):
            sys.exit(UNBORN)
        time.sleep(AGAIN)
        sys.exit(1)

    def _worker_exit(self, _arbiter: Arbiter, _worker: Any) -> None:
        if self._running is not None:
            self._running.stop()


def _memory() -> str | None:
    """Where the worker's heartbeat lies: a file touched twice a second keeps a disk awake;
    None for the usual place.
    """
    return _IN_MEMORY if os.access(_IN_MEMORY, os.W_OK | os.X_OK) else None


class _Arbiter(Arbiter):  # type: ignore[misc] # gunicorn is not typed
    """gunicorn's arbiter without what would run two workers at once."""

    def handle_hup(self) -> None:
        """Replace the worker, which reads the configuration anew: the old one ends first."""
        self.kill_workers(signal.SIGTERM)

    def _ignore(self) -> None:
        log.warning("ignored a signal that would change the number of workers")

    handle_ttin = handle_ttou = handle_usr2 = handle_winch = _ignore


class GunicornLogger(Logger):  # type: ignore[misc] # gunicorn is not typed
    """gunicorn's messages go where all others go, from warnings on."""

    def setup(self, cfg: Any) -> None:
        """Leave formats and handlers to the root logger."""
        self.cfg = cfg
        self._access_log_enabled = False
        self.error_log.setLevel(logging.WARNING)
        self.error_log.propagate = True


def shutdown() -> None:
    """Ask the arbiter of this worker to stop; returns at once."""
    os.kill(os.getppid(), signal.SIGTERM)
