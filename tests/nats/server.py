"""A real nats-server in a folder of its own: stopped, frozen, killed and started
again as a test wants it.
"""

from __future__ import annotations

import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import eventually, need
from tests.frozen import freeze

HOST = "127.0.0.1"


class NatsServer:
    """A server with a port that it keeps, JetStream, and whatever else stands in ``settings``."""

    def __init__(self, folder: Path, settings: str = "", *, jetstream: bool = True) -> None:
        self.folder = folder
        self.port = _free_port()
        self._program = need("nats-server")
        self._process: subprocess.Popen[bytes] | None = None
        store = f'jetstream {{ store_dir: "{folder / "store"}" }}\n' if jetstream else ""
        words = f'listen: "{HOST}:{self.port}"\n{store}{settings}\n'
        (folder / "nats.conf").write_text(words, encoding="utf-8")

    @property
    def address(self) -> str:
        """Where it is reached, without scheme."""
        return f"{HOST}:{self.port}"

    @property
    def url(self) -> str:
        """Where it is reached."""
        return f"nats://{self.address}"

    @property
    def log(self) -> str:
        """What it said so far."""
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")

    def start(self) -> None:
        """Start it, and wait until it answers."""
        assert self._process is None
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._program, "-c", str(self.folder / "nats.conf")],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                start_new_session=True,
            )
        eventually(self._answers, within=30, why=f"nats-server answers: {self.folder / 'log'}")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it; SIGKILL is a crash. Fine if it does not run."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            self._process.send_signal(how)
            self._process.wait(20)
            self._process = None

    def freeze(self) -> None:
        """Have it take connections and answer nothing, as on a machine that hangs."""
        assert self._process is not None
        freeze(self._process.pid)

    def thaw(self) -> None:
        """Let it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log
        with socket.socket() as probe:
            probe.settimeout(5)
            return probe.connect_ex((HOST, self.port)) == 0 and probe.recv(4) == b"INFO"


@contextmanager
def running(settings: str = "", *, jetstream: bool = True) -> Iterator[NatsServer]:
    """A server until the end of the block."""
    with tempfile.TemporaryDirectory(prefix="ennio-nats-") as folder:
        server = NatsServer(Path(folder), settings, jetstream=jetstream)
        try:
            server.start()
            yield server
        finally:
            server.stop(signal.SIGKILL)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
