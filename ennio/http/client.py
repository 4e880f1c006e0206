"""The other end of the API: what the command line and the board ask the supervisor with.

Light to load: http.client is only imported for the first request.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ennio.http.lost_answer import may_be_done
from ennio.machine.home import Home
from ennio.model.errors import (
    Conflict,
    EnnioError,
    Invalid,
    NotFound,
    OverBudget,
    Refused,
    TimedOut,
    Unauthorized,
    Unreachable,
)

if TYPE_CHECKING:
    from http.client import HTTPConnection, HTTPResponse

API = "/api/v1"
Tagged = dict[str, tuple[str, bytes]]
"""Tag and body of answers, by what was asked."""
NO_HEADERS: Mapping[str, str] = {}
_KNOWN = 16  # answers; who polls asks for two or three
_SILENCE = 45.0  # three heartbeats: a stream that says nothing for so long is dead
_PAUSES = (0.1, 0.3, 1.0, 2.0)
_BY_STATUS: Mapping[int, type[EnnioError]] = {
    400: Invalid,
    401: Unauthorized,
    402: OverBudget,
    403: Unauthorized,
    404: NotFound,
    409: Conflict,
    503: Unreachable,
    504: TimedOut,
}
_NOT_MODIFIED = 304
_BY_NAME = {
    kind.__name__: kind
    for kind in (
        Conflict,
        Invalid,
        NotFound,
        OverBudget,
        Refused,
        TimedOut,
        Unauthorized,
        Unreachable,
    )
}


class NoSupervisor(EnnioError):
    """Nobody answers where the supervisor should be."""

    http_status = 504
    exit_code = 4


class LostAnswer(Unreachable):
    """Whether the request was carried out is not known: its connection failed before
    the whole answer was there.
    """


def find(
    config_file: Path,
    home: Home,
    configured_token: Callable[[], str | None],
    known: Tagged | None = None,
    old: list[str] | None = None,
) -> ApiClient:
    """The client of the supervisor of this configuration file. Raises NoSupervisor.

    ``configured_token`` is only called when the supervisor did not make a token of its own,
    so that the configuration need not be read for most commands. ``known`` is what an
    earlier client was answered, ``old`` is told of answers that are as last known.
    """
    from ennio.http import address  # noqa: PLC0415 - fcntl and secrets are not free either

    run_dir = home.run(config_file)
    found = address.running(run_dir)
    if found is None:
        raise NoSupervisor(
            f"no supervisor runs for {config_file}; start it with: ennio start --detach"
        )
    token = address.known_token(run_dir) or configured_token() or ""
    return ApiClient(found.url, token, name=str(config_file), known=known, old=old)


class KnownAnswers:
    """The last answers that had a tag (``ETag``): who asks again shows it, and is sent nothing
    where nothing is different.
    """

    def __init__(self, kept: Tagged) -> None:
        self._kept = kept

    def headers(self, asked: str) -> dict[str, str]:
        """What to send along with the question."""
        return {"If-None-Match": self._kept[asked][0]} if asked in self._kept else {}

    def body(self, asked: str, response: HTTPResponse) -> bytes:
        """The whole answer: what was sent, or what is known still."""
        body, tag = response.read(), response.getheader("ETag")
        known = self._kept.pop(asked, None)
        if response.status == _NOT_MODIFIED:
            tag, body = known or ("", b"")
        if tag:
            self._kept[asked] = tag, body
            while len(self._kept) > _KNOWN:
                del self._kept[next(iter(self._kept))]
        return body


class ApiClient:
    """Asks one supervisor; ``url`` is its base, ``http://127.0.0.1:3000``.

    Paths are given behind ``/api/v1``. An error of the API is raised as the same class the
    supervisor raised, so that exit codes follow from it.
    """

    def __init__(
        self,
        url: str,
        token: str,
        timeout: float = 30.0,
        name: str = "",
        known: Tagged | None = None,
        old: list[str] | None = None,
    ) -> None:
        self._old: list[str] = [] if old is None else old
        self.url = url.rstrip("/")
        self._answers: Tagged = {} if known is None else known
        self._known = KnownAnswers(self._answers)
        self._token = token
        self._timeout = timeout
        self._name = name or self.url

    def patient(self, seconds: float) -> ApiClient:
        """The same client, waiting so long for an answer."""
        return ApiClient(self.url, self._token, seconds, self._name, self._answers, self._old)

    def get(self, path: str, /, **query: object) -> Any:
        """The data of a GET; parameters that are None are left out."""
        return self.document("GET", path, query)["data"]

    def page(self, path: str, /, **query: object) -> tuple[list[Any], int | None]:
        """One page of a list and what leads to the next one."""
        document = self.document("GET", path, query)
        return document["data"], document.get("next")

    def post(self, path: str, body: Mapping[str, object] | None = None, /, **query: object) -> Any:
        """The data of a POST; fields that are None are left out."""
        given = {name: value for name, value in (body or {}).items() if value is not None}
        return self.document("POST", path, query, given)["data"]

    def post_once(self, path: str, body: Mapping[str, object], /) -> Any:
        """The data of a POST that may not happen twice: where its answer is lost, it is sent
        again under the same key.

        Raises LostAnswer when none came at the last try either.
        """
        given = {name: value for name, value in body.items() if value is not None}
        key = {"Idempotency-Key": os.urandom(16).hex()}
        lost: LostAnswer | None = None
        for pause in _PAUSES:
            try:
                return self.document("POST", path, {}, given, headers=key)["data"]
            except LostAnswer as error:
                lost = error
            except NoSupervisor:
                if lost is None:
                    raise  # else it may be on its way back
            time.sleep(pause)
        raise lost or LostAnswer(f"POST {path}: no answer came")

    def delete(self, path: str, /) -> Any:
        """The data of a DELETE."""
        return self.document("DELETE", path, {})["data"]

    def document(
        self,
        method: str,
        path: str,
        query: Mapping[str, object],
        body: Mapping[str, object] | None = None,
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> Any:
        """The whole answer, envelope included."""
        from http.client import HTTPException  # noqa: PLC0415

        asked = _target(path, query)
        known = self._known.headers(asked) if method == "GET" else {}
        connection, response = self._ask(
            method, path, query, body, headers={**headers, **known}, timeout=self._timeout
        )
        if not self._old and (since := response.getheader("Ennio-Last-Known")) is not None:
            self._old.append(since)
        try:
            return json.loads(
                self._known.body(asked, response) if method == "GET" else response.read()
            )
        except TimeoutError:
            raise TimedOut(
                f"{method} {path}: the answer broke off after {self._timeout:g} s"
                f"{may_be_done(method, path, query, body)}"
            ) from None
        except (OSError, HTTPException, ValueError) as error:
            raise LostAnswer(
                f"{method} {path}: the answer is no JSON or broke off ({error})"
                f"{may_be_done(method, path, query, body)}"
            ) from None
        finally:
            connection.close()

    def stream(
        self,
        path: str = "/events/stream",
        *,
        after: int | None = None,
        patience: float | None = None,
        **query: object,
    ) -> Iterator[Any]:
        """Events as they come, for ever; reconnects where it left off.

        ``after`` is the seq to begin behind (None: from now). ``patience`` is for how many seconds
        a lost supervisor is looked for before NoSupervisor is raised (None: for ever). The first
        connection is never waited for; a refusal (token, filter) is raised whenever it comes.
        """
        cursor, connected, attempt = after, False, 0
        heard = time.monotonic()
        while True:
            try:
                for seq, event in self.listen(path, cursor, query):
                    cursor, attempt, heard = seq, 0, time.monotonic()
                    if event is not None:
                        yield event
                connected = True
            except (NoSupervisor, Unreachable):
                if not connected:
                    raise
            if patience is not None and time.monotonic() - heard > patience:
                raise NoSupervisor(
                    f"the supervisor of {self._name} has not answered for {patience:g} s"
                )
            time.sleep(_PAUSES[min(attempt, len(_PAUSES) - 1)])
            attempt += 1

    def listen(
        self, path: str, cursor: int | None, query: Mapping[str, object]
    ) -> Iterator[tuple[int, Any]]:
        """Seq and event of every block until the connection ends; a heartbeat has no event, and
        neither has the first one, which says that the stream stands.
        """
        from http.client import HTTPException  # noqa: PLC0415

        headers = {} if cursor is None else {"Last-Event-ID": str(cursor)}
        connection, response = self._ask(
            "GET", path, query, None, headers=headers, timeout=_SILENCE
        )
        try:
            yield from blocks(response)
        except (OSError, HTTPException):
            return  # the connection is gone, as connections go
        finally:
            connection.close()

    def _ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, object],
        body: Mapping[str, object] | None,
        *,
        headers: Mapping[str, str],
        timeout: float,
    ) -> tuple[HTTPConnection, HTTPResponse]:
        from http.client import HTTPException  # noqa: PLC0415

        connection = self._connect(timeout)
        target = _target(path, query)
        sent = {"Authorization": f"Bearer {self._token}", **headers} | (
            {} if body is None else {"Content-Type": "application/json"}
        )
        perhaps = ""  # before there is a connection nothing can have been done
        try:
            connection.connect()
            perhaps = may_be_done(method, path, query, body)
            connection.request(
                method, target, None if body is None else json.dumps(body).encode(), sent
            )
            response = connection.getresponse()
        except TimeoutError:
            connection.close()
            raise TimedOut(
                f"{method} {path}: no answer from {self.url} within {timeout:g} s{perhaps}"
            ) from None
        except ConnectionRefusedError:
            connection.close()
            raise NoSupervisor(
                f"no supervisor answers for {self._name} at {self.url}; start it with: ennio start "
                "--detach"
            ) from None
        except (OSError, HTTPException) as error:
            connection.close()
            way = "; whether the supervisor still runs says: ennio doctor"
            raise LostAnswer(
                f"{method} {path}: the connection to {self.url} failed "
                f"({error or type(error).__name__}){perhaps}{way}"
            ) from None
        if response.status >= 400:
            raise self._error(connection, response)
        return connection, response

    def _connect(self, timeout: float) -> HTTPConnection:
        from http.client import HTTPConnection, HTTPSConnection  # noqa: PLC0415

        scheme, _, place = self.url.partition("://")
        kind = HTTPSConnection if scheme == "https" else HTTPConnection
        return kind(place, timeout=timeout)

    @staticmethod
    def _error(connection: HTTPConnection, response: HTTPResponse) -> EnnioError:
        from http.client import HTTPException  # noqa: PLC0415

        try:
            text = str(json.loads(response.read())["error"])
        except (OSError, HTTPException, ValueError, KeyError, TypeError):
            text = f"the server answered {response.status} {response.reason}"
        finally:
            connection.close()
        named = _BY_NAME.get(response.getheader("Ennio-Error", ""))
        return (named or _BY_STATUS.get(response.status, EnnioError))(text)


def blocks(lines: Iterator[bytes]) -> Iterator[tuple[int, Any]]:
    """The blocks of an event stream as (id, decoded data); data is None when a block has none."""
    seq, data = None, b""
    for line in lines:
        name, _, value = line.rstrip(b"\r\n").partition(b":")
        if name == b"id":
            seq = int(value)
        elif name == b"data":
            data += value
        elif not line.strip():
            if seq is not None:
                yield seq, json.loads(data) if data else None
            seq, data = None, b""


def _target(path: str, query: Mapping[str, object]) -> str:
    """What is asked for: the path with its query."""
    from urllib.parse import urlencode  # noqa: PLC0415

    texts = _texts(query)
    return API + path + ("?" + urlencode(texts, doseq=True) if texts else "")


def _texts(query: Mapping[str, object]) -> dict[str, object]:
    """The query without what was not given, flags as ``true`` and ``false``."""
    given = {name: value for name, value in query.items() if value is not None}
    return {
        name: str(value).lower() if isinstance(value, bool) else value
        for name, value in given.items()
    }
