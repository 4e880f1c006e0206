"""What only a program on the machine itself can do: read a database of SQLite there, and ask a
server that listens on its loopback alone.

On the machine at hand this process does it. Elsewhere a small program does, one for each call; that
takes a ``python3`` over there.
"""

from __future__ import annotations

import contextlib
import json
import socket
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3

from ennio.machine.interface import Command, Machine
from ennio.model.errors import Unreachable

LOOPBACK = "127.0.0.1"
_PROGRAM = """
import json, sys
asked = json.load(sys.stdin)
try:
    if asked["what"] == "rows":
        import sqlite3
        file = sqlite3.connect(asked["file"] + "?mode=ro", uri=True, timeout=asked["patience"])
        told = {"rows": file.execute(asked["query"], asked["values"]).fetchall()}
    elif asked["what"] == "port":
        import socket
        probe = socket.socket()
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", asked["port"]))
        told = {"port": probe.getsockname()[1]}
    else:
        import http.client
        at = http.client.HTTPConnection("127.0.0.1", asked["port"], timeout=asked["patience"])
        at.request(asked["method"], asked["path"], asked["body"], asked["headers"])
        answer = at.getresponse()
        told = {"status": answer.status, "body": answer.read(asked["most"]).decode("utf-8", "replace")}
except Exception as error:
    told = {"error": str(error) or type(error).__name__, "code": getattr(error, "sqlite_errorcode", None)}
json.dump(told, sys.stdout)
"""  # noqa: E501
_MOST = 32 << 20
_BEGINNING = 10.0
"""Seconds that a program may take beside what it waits for."""


class DatabaseUnreadError(Exception):
    """A database could not be read; ``code`` is SQLite's, where it said one."""

    def __init__(self, words: str, code: int | None = None) -> None:
        super().__init__(words)
        self.code = code

    @property
    def is_no_database(self) -> bool:
        """Whether what lies there is none, or one without what was asked for."""
        return self.code in (sqlite3.SQLITE_ERROR, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)


def rows(
    machine: Machine, file: Path, query: str, values: Sequence[object], patience: float
) -> Sequence[tuple[Any, ...]]:
    """What a query finds in a database that is only read. Raises DatabaseUnreadError, and
    Unreachable where the machine cannot be asked.
    """
    if machine.name:
        asked = {"file": file.as_uri(), "query": query, "values": list(values)}
        told = _told(machine, {"what": "rows", "patience": patience, **asked}, patience)
        if "error" in told:
            raise DatabaseUnreadError(str(told["error"]), told.get("code"))
        return [tuple(row) for row in told["rows"]]
    try:
        with contextlib.closing(
            sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, timeout=patience)
        ) as opened:
            return opened.execute(query, values).fetchall()
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", None)
        raise DatabaseUnreadError(str(error), code) from error


@dataclass(frozen=True, slots=True)
class LoopbackAnswer:
    """The answer of a server: its status, and its body as text."""

    status: int
    body: str


def ask(
    machine: Machine,
    port: int,
    method: str,
    path: str,
    body: Mapping[str, Any] | None,
    *,
    user: str,
    password: str,
    patience: float,
) -> LoopbackAnswer:
    """The answer of a server on the machine's loopback. Raises Unreachable."""
    headers = {**urllib3.make_headers(basic_auth=f"{user}:{password}")}
    headers |= {"Content-Type": "application/json"} if body is not None else {}
    text = None if body is None else json.dumps(body)
    if machine.name:
        asked = {"port": port, "method": method, "path": path, "body": text, "headers": headers}
        told = _told(
            machine, {"what": "ask", "most": _MOST, "patience": patience, **asked}, patience
        )
        if "error" in told:
            raise Unreachable(f"port {port} on {machine.name} did not answer: {told['error']}")
        return LoopbackAnswer(int(told["status"]), str(told["body"]))
    try:
        found = urllib3.request(
            method,
            f"http://{LOOPBACK}:{port}{path}",
            body=text,
            headers=headers,
            timeout=urllib3.Timeout(total=patience),
            retries=False,
            redirect=False,
        )
    except urllib3.exceptions.HTTPError as error:
        raise Unreachable(f"port {port} did not answer: {error}") from error
    return LoopbackAnswer(found.status, found.data.decode("utf-8", "replace"))


def free_port(machine: Machine, port: int = 0) -> int | None:
    """A port of the loopback that nobody has, this one if it is named; None where somebody does."""
    if machine.name:
        told = _told(machine, {"what": "port", "port": port}, 0.0)
        return None if "error" in told else int(told["port"])
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return None
        return int(probe.getsockname()[1])


def _told(machine: Machine, asked: Mapping[str, Any], patience: float) -> Mapping[str, Any]:
    """What the program over there says. Raises Unreachable."""
    python = machine.python or machine.which("python3")
    if python is None:
        return {"error": f"there is no python3 on {machine.name}; install it there"}
    stdin = json.dumps(asked).encode()
    argv = (python, "-I", "-S", "-c", _PROGRAM)
    try:
        done = machine.run(Command(argv, stdin=stdin, timeout=patience + _BEGINNING))
        told = json.loads(done.stdout)
    except OSError as error:
        return {"error": str(error)}
    except ValueError:
        words = done.stderr.decode(errors="replace").strip()[-200:]
        return {"error": words or f"{python} over there ended with {done.code} and said nothing"}
    return told if isinstance(told, dict) else {"error": "the program over there says nothing"}
