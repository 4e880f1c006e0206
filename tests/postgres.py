"""A real PostgreSQL on a private socket in a folder of its own: started, killed and started
again as a test wants it.
"""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import psutil

from tests.conftest import eventually, lacking
from tests.frozen import freeze

USER = "ennio"
_PLACES = (
    "/usr/lib/postgresql/*/bin",
    "/usr/local/opt/postgresql*/bin",
    "/opt/homebrew/opt/postgresql*/bin",
)
_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",  # a process may be killed here, but no machine
    "max_connections": "60",
    "shared_buffers": "16MB",
    "max_wal_size": "64MB",
    "autovacuum": "off",
    "logging_collector": "off",
}


def program(name: str) -> str:
    """The path of one of PostgreSQL's programs, which Debian does not put on the PATH; a laptop
    skips without it, CI fails.
    """
    found = [path for place in _PLACES for path in sorted(Path("/").glob(f"{place[1:]}/{name}"))]
    path = str(found[-1]) if found else shutil.which(name)
    if path is None:
        lacking(
            "PostgreSQL is not installed (apt-get install postgresql): what needs it was NOT tested"
        )
    return path


class Server:
    """A server with a cluster of its own. PostgreSQL refuses root, so it runs as
    nobody where we are root.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._data, self._log = folder / "data", folder / "log"
        self._numbers = count(1)
        self._process: subprocess.Popen[bytes] | None = None
        self._user = _user_of(folder)
        _run(folder, "cp", "-a", str(_cluster()), str(self._data))
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        settings = _SETTINGS | {"unix_socket_directories": str(self.folder)}
        words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [program("postgres"), "-D", str(self._data), *words],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                start_new_session=True,
                **self._user,
            )
        eventually(self.answers, within=60, why=f"PostgreSQL answers; its log is {self._log}")

    def answers(self) -> bool:
        """Whether it can be asked."""
        import psycopg

        with suppress(psycopg.OperationalError), psycopg.connect(self.url("postgres")):
            return True
        return False

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End it: SIGINT cleanly, SIGQUIT at once, SIGKILL as a crash does it (with all
        that serve a connection).
        """
        if self._process is None:
            return
        if how is signal.SIGKILL:
            os.killpg(self._process.pid, how)
        else:
            self._process.send_signal(how)
        self._process.wait(60)
        self._process = None

    def freeze(self) -> None:
        """Have it take connections and answer nothing, as on a machine that hangs."""
        for process in self._whole():
            freeze(process.pid)

    def thaw(self) -> None:
        """Let it go on."""
        for process in self._whole():
            process.resume()

    def _whole(self) -> list[psutil.Process]:
        assert self._process is not None
        whole = psutil.Process(self._process.pid)
        return [whole, *whole.children(recursive=True)]

    def url(self, database: str, schema: str = "") -> str:
        """The address of a database, or of a schema in it."""
        path = f"&options=-csearch_path%3D{schema}" if schema else ""
        return f"postgresql://{USER}@/{database}?host={self.folder}{path}"

    def sql(self, statement: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run a statement beside everybody else, and give what it gives."""
        import psycopg

        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def made(self) -> str:
        """The address of a new, empty schema: it has a lock of its own, and takes a hundredth
        of the time of a database.
        """
        name = f"s{next(self._numbers)}"
        self.sql(f"CREATE SCHEMA {name}")
        return self.url("postgres", name)


def _user_of(folder: Path) -> dict[str, Any]:
    """Who a server runs as, to whom the folder is given."""
    if os.geteuid() != 0:
        return {}
    shutil.chown(folder, "nobody", "nogroup")
    return {"user": "nobody", "group": "nogroup", "extra_groups": []}


def _run(folder: Path, *words: str) -> None:
    done = subprocess.run(
        words,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        **_user_of(folder),
    )
    assert done.returncode == 0, done.stderr


@cache
def _cluster() -> Path:
    """An empty cluster of this process, from which each server has a copy: to make one takes ten
    times as long.
    """
    folder = Path(tempfile.mkdtemp(prefix="ennio-pg-", dir="/tmp"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    data = folder / "data"
    words = ("--username", USER, "--auth", "trust", "--encoding", "UTF8", "--no-sync")
    _run(folder, program("initdb"), "--pgdata", str(data), *words)
    return data


@contextmanager
def server() -> Iterator[Server]:
    """A server until the end of the block; its folder is short, as the path of a socket must be,
    and nobody can reach it.
    """
    folder = Path(tempfile.mkdtemp(prefix="ennio-pg-", dir="/tmp"))
    found: Server | None = None
    try:
        found = Server(folder)
        yield found
    finally:
        if found is not None:
            found.stop(signal.SIGQUIT)
        shutil.rmtree(folder, ignore_errors=True)


_starting = threading.Lock()


def chosen() -> str:
    """An empty database of a server of this process where ``ENNIO_FAULTS_DATABASE=postgres``
    wants one, else nothing.
    """
    if os.environ.get("ENNIO_FAULTS_DATABASE") != "postgres":
        return ""
    with _starting:
        return _of_this_process().made()


@cache
def _of_this_process() -> Server:
    staying = ExitStack()
    atexit.register(staying.close)
    return staying.enter_context(server())
