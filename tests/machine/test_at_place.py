"""What only a program on the machine itself can do: the same at hand, and elsewhere by a program."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ennio.machine import at_place
from ennio.machine.at_place import LOOPBACK, DatabaseUnreadError
from ennio.machine.interface import Machine
from ennio.machine.local import LocalMachine
from ennio.model.errors import Unreachable


class _Elsewhere(LocalMachine):
    """One that has a name, and so is asked by programs alone."""

    @property
    def name(self) -> str:
        return "elsewhere"


@pytest.fixture(params=[LocalMachine, pytest.param(_Elsewhere, marks=pytest.mark.real)])
def machine(request: pytest.FixtureRequest) -> Machine:
    made: Machine = request.param()
    return made


@pytest.fixture
def port() -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            told = {
                "path": self.path,
                "body": json.loads(self.rfile.read(length)),
                "authorized": self.headers.get("Authorization"),
            }
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(told).encode())

        def do_GET(self) -> None:
            self.send_response(404)
            self.end_headers()

        def log_message(self, *_words: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer((LOOPBACK, 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield int(server.server_address[1])
        server.shutdown()


def _database(folder: Path) -> Path:
    file = folder / "a b.db"
    made = sqlite3.connect(file)
    made.execute("CREATE TABLE said (at, text)")
    made.execute("INSERT INTO said VALUES (3, 'hê')")
    made.commit()
    made.close()
    return file


def test_a_database_is_read_and_never_written(machine: Machine, tmp_path: Path) -> None:
    file = _database(tmp_path)
    query = "SELECT text, at FROM said WHERE at > ?"
    assert list(at_place.rows(machine, file, query, [2], 1.0)) == [("hê", 3)]
    assert list(at_place.rows(machine, file, query, [3], 1.0)) == []
    with pytest.raises(DatabaseUnreadError, match="readonly") as refused:
        at_place.rows(machine, file, "DELETE FROM said", [], 1.0)
    assert not refused.value.is_no_database


def test_what_is_no_database_is_told_from_one_that_is_busy(
    machine: Machine, tmp_path: Path
) -> None:
    wrong = tmp_path / "text"
    wrong.write_text("no database at all, but a file of words" * 40)
    with pytest.raises(DatabaseUnreadError) as found:
        at_place.rows(machine, wrong, "SELECT 1 FROM said", [], 1.0)
    assert found.value.is_no_database
    file = _database(tmp_path)
    held = sqlite3.connect(file, isolation_level=None)
    held.execute("BEGIN EXCLUSIVE")
    with pytest.raises(DatabaseUnreadError, match="locked") as busy:
        at_place.rows(machine, file, "SELECT * FROM said", [], 0.0)
    assert not busy.value.is_no_database
    held.close()


def test_a_server_on_the_loopback_is_asked(machine: Machine, port: int) -> None:
    def asked(method: str, at: int) -> at_place.LoopbackAnswer:
        return at_place.ask(
            machine, at, method, "/x?y", {"a": "ê"}, user="u", password="p", patience=3.0
        )

    told = asked("POST", port)
    assert told.status == 200
    assert json.loads(told.body) == {
        "path": "/x?y",
        "body": {"a": "ê"},
        "authorized": "Basic dTpw",
    }
    assert asked("GET", port).status == 404
    free = at_place.free_port(machine)
    assert free is not None
    with pytest.raises(Unreachable):
        asked("POST", free)


def test_a_port_that_somebody_has_is_not_free(machine: Machine, port: int) -> None:
    assert at_place.free_port(machine, port) is None
    free = at_place.free_port(machine)
    assert free is not None
    assert at_place.free_port(machine, free) == free


def test_where_there_is_no_python_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_Elsewhere, "python", "")
    monkeypatch.setattr(_Elsewhere, "which", lambda *_: None)
    with pytest.raises(DatabaseUnreadError, match="no python3 on elsewhere"):
        at_place.rows(_Elsewhere(), _database(tmp_path), "SELECT 1", [], 1.0)
