"""One connection to a NATS server: pynats', with its traps handled.

What is ours of it: it reaches IPv6, believes a certificate only when it fits, goes over to TLS when
the server wants it, sends whole messages under a lock, tells a wrong token at once, answers the
server's pings while it waits for something else, knows headers and replies, and gives up on a
server that is silent. After any error it is over: a new one is made.

It blocks, and may be used by several threads or greenlets: one ``attend``s to what the server says,
others publish. Where nobody attends, whoever waits for an answer reads by themselves.
"""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from pynats import NATSClient

import ennio
from ennio.model.errors import EnnioError, Refused, TimedOut, Unreachable
from ennio.model.failpoints import seconds
from ennio.nats import identity
from ennio.nats.protocol import (
    END,
    MOST_BYTES,
    Hearing,
    Incoming,
    Outgoing,
    Said,
    publication,
)
from ennio.nats.settings import NatsSettings

CONNECT_LIMIT = seconds(5.0, shortened=2.0)
LIMIT = seconds(10.0, shortened=2.0)
"""Seconds within which a server answers, and takes what is sent; one that is silent for so long
is asked whether it lives.
"""
_CHUNK = 65536
_SENT_AT_ONCE = 32 * 1024
"""Bytes that have to be taken within the limit; a line may be slow."""
_KEPT_AT_ONCE = 4 * 1024 * 1024
"""Bytes that a stream is to have kept before more is sent: it holds what it has not written yet in
memory, and refuses what is too much.
"""


Handler = Callable[[Incoming], None]


class NatsConnection(NATSClient):  # type: ignore[misc] # pynats has no types
    """See above. Not connected until ``connect`` has returned."""

    def __init__(self, settings: NatsSettings) -> None:
        tls = {key: str(path) for key, path in settings.files()}
        super().__init__(
            settings.url,
            name="ennio",
            tls_verify=True,
            tls_cacert=tls.get("nats_ca_file"),
            tls_client_cert=tls.get("nats_cert_file"),
            tls_client_key=tls.get("nats_key_file"),
            socket_timeout=LIMIT,
        )
        self._settings = settings
        self._hearing = Hearing()
        self._writing = threading.Lock()
        self._moved = threading.Condition()
        self._pings = self._pongs = 0
        self._asked = 0.0  # when the oldest ping was sent that is not answered
        self._refusals: list[str] = []
        self._replies: dict[str, Incoming] = {}
        self._handlers: dict[int, Handler] = {}
        self._inbox = ""
        self._asks = 0
        self._attended = False
        self._end: EnnioError | None = None
        self.info: dict[str, Any] = {}

    # --- beginning and ending ---------------------------------------------------------------------

    def connect(self) -> None:
        """Reach the server, and be let in. Raises Unreachable, or Refused
        with what the server says.
        """
        identity.check(self._settings)
        try:
            self._socket = socket.create_connection(self._settings.address, timeout=CONNECT_LIMIT)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._greet()
            self._socket.settimeout(LIMIT)
            self._send_connect_command()
            self.round_trip()
        except ssl.SSLError as error:
            self.close()
            raise Refused(f"{self._settings.shown}: no encrypted connection: {error}") from error
        except OSError as error:
            self.close()
            raise self._unreachable(error) from error
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End it; fine if it is ended, or never began."""
        found = getattr(self, "_socket", None)  # a slot of pynats that is empty before
        if found is not None:
            with suppress(OSError, ValueError):
                found.shutdown(socket.SHUT_RDWR)
            found.close()
        self._over(Unreachable(f"{self._settings.shown}: the connection was closed"))

    @property
    def alive(self) -> bool:
        """Whether nothing has ended it so far."""
        return self._end is None

    def _greet(self) -> None:
        while (said := self._hearing.next()) is None:
            self._fill()
        self._take(said)
        offered = self.info.get("tls_required") or self.info.get("tls_available")
        if self._settings.secure and not offered:
            raise Refused(
                f"{self._settings.shown}: the server offers no TLS, and nothing is sent without"
            )
        if self._settings.secure or self.info.get("tls_required"):
            if self._hearing:
                raise Refused(f"{self._settings.shown}: somebody spoke before the encryption")
            self._connect_tls()

    def _send_connect_command(self) -> None:
        options = {
            "name": "ennio",
            "lang": "python",
            "version": ennio.__version__,
            "protocol": 1,
            "verbose": False,
            "pedantic": False,
            "headers": self.headers,
            "no_responders": self.headers,
            **self._settings.login(),
            **identity.signed(self._settings, str(self.info.get("nonce") or "")),
        }
        self.send(b"CONNECT " + json.dumps(options).encode() + END)

    @property
    def headers(self) -> bool:
        """Whether the server knows headers."""
        return bool(self.info.get("headers"))

    @property
    def most_bytes(self) -> int:
        """The largest message the server takes, its headers among it."""
        return int(self.info.get("max_payload") or MOST_BYTES)

    # --- sending ----------------------------------------------------------------------------------

    def send(self, data: bytes) -> None:
        """Send this as a whole. Raises Unreachable."""
        try:
            with self._writing:
                self._socket.sendall(data)
        except (OSError, ValueError) as error:
            raise self._failed(error) from error

    def publish_all(self, messages: Iterable[Outgoing]) -> None:
        """Publish them in this order; they have arrived when it returns. The server takes the first
        while the next are still being made. Raises Unreachable, or Refused: then some may have.
        """
        self._refusals.clear()
        self._send_all(map(publication, messages))
        self._arrive()

    def publish_kept(self, messages: Iterable[Outgoing]) -> None:
        """The same, where a stream is to have kept them when it returns. Once it refuses one, the
        connection is over: the next one asks what the stream takes by then.
        """
        for part in _parts(messages):
            answers = self.ask_all(part)
            if answers is None:
                raise self._failed(TimeoutError(f"no stream answered within {LIMIT:g} s"))
            for answer in answers:
                if answer.status is not None:  # nobody listens there: the stream is gone
                    raise self._failed(ConnectionError("the stream is there no longer"))
                if (error := answer.error) is not None:
                    self._refusals.append(f"the stream took an event not: {error}")
                    raise self._failed(ConnectionError(error))

    def ask(self, subject: str, payload: bytes = b"", *, within: float = LIMIT) -> Incoming | None:
        """Ask, and give the answer; None where none came. Raises as ``publish_all``."""
        answers = self.ask_all([Outgoing(subject, payload)], within=within)
        return None if answers is None else answers[0]

    def ask_all(
        self, messages: Sequence[Outgoing], *, within: float = LIMIT
    ) -> list[Incoming] | None:
        """Publish them in this order, and give the answer to each; None where one did not come."""
        if not self._inbox:
            self._inbox = f"_INBOX.{self._nuid.next_().decode()}"
            self.listen(f"{self._inbox}.*", self._answered)
        self._asks += 1
        self._replies.clear()
        replies = [f"{self._inbox}.{self._asks}-{number}" for number in range(len(messages))]
        pairs = zip(messages, replies, strict=True)
        self._refusals.clear()
        self._send_all(publication(message, reply) for message, reply in pairs)
        self._arrive()
        if not self._until(lambda: len(self._replies) == len(replies), within):
            return None
        return [self._replies[reply] for reply in replies]

    def _answered(self, message: Incoming) -> None:
        if message.subject.startswith(f"{self._inbox}.{self._asks}-"):  # a late one is of no use
            self._replies[message.subject] = message

    def round_trip(self, data: bytes = b"") -> None:
        """Send, and wait until the server has taken all up to here. Raises as ``publish_all``."""
        self._refusals.clear()
        self._arrive(data)

    def _send_all(self, made: Iterable[bytes]) -> None:
        """Send the first while the next are still being made."""
        held = bytearray()
        for one in made:
            held += one
            if len(held) >= _SENT_AT_ONCE:
                self.send(bytes(held))
                held.clear()
        if held:
            self.send(bytes(held))

    def _arrive(self, data: bytes = b"") -> None:
        try:
            ours = self._ping(data)
        except (OSError, ValueError) as error:
            raise self._failed(error) from error
        if not self._until(lambda: self._pongs >= ours, LIMIT):
            raise self._failed(TimeoutError(f"no answer within {LIMIT:g} s"))
        if self._refusals:
            raise Refused(f"{self._settings.shown}: {'; '.join(self._refusals)}")

    def _ping(self, data: bytes = b"") -> int:
        """Send this and a ping; its number."""
        with self._writing:
            if self._pings == self._pongs:
                self._asked = time.monotonic()
            self._pings += 1
            ours = self._pings
            self._socket.sendall(data + b"PING\r\n")
        return ours

    # --- hearing ----------------------------------------------------------------------------------

    def listen(self, subject: str, handler: Handler) -> None:
        """Have the handler told of every message there; it runs where it is
        read, and must return soon.
        """
        self._ssid += 1
        self._handlers[self._ssid] = handler
        self.send(f"SUB {subject} {self._ssid}".encode() + END)

    def attend(self) -> None:
        """Read until the connection ends, and raise what ended it."""
        self._attended = True
        try:
            while True:
                self._hear()
        except (OSError, ValueError) as error:
            raise self._failed(error) from error
        finally:
            self._attended = False
            self.close()

    def _until(self, done: Callable[[], bool], within: float) -> bool:
        """Wait for it; False where it took too long. Raises what ended the connection."""
        deadline = time.monotonic() + within
        while not done():
            if self._end is not None:
                raise self._end
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            self._wait(left)
        return True

    def _wait(self, left: float) -> None:
        if self._attended:
            with self._moved:
                self._moved.wait(min(left, 1.0))
            return
        try:
            self._socket.settimeout(left)
            with suppress(TimeoutError):  # whoever waits says what that means
                self._fill()
            self._socket.settimeout(LIMIT)
            self._take_all()
        except (OSError, ValueError) as error:
            raise self._failed(error) from error

    def _hear(self) -> None:
        try:
            self._fill()
        except TimeoutError:
            if self._pings == self._pongs:
                self._ping()
            elif time.monotonic() - self._asked >= LIMIT:
                raise
        self._take_all()

    def _fill(self) -> None:
        got = self._socket.recv(_CHUNK)
        if not got:
            raise ConnectionError("the server closed the connection")
        self._hearing.feed(got)

    def _take_all(self) -> None:
        while (said := self._hearing.next()) is not None:
            self._take(said)
        with self._moved:
            self._moved.notify_all()

    def _take(self, said: Said) -> None:
        match said.word:
            case "MSG" | "HMSG":
                handler = self._handlers.get(said.subscription)
                if handler is not None and said.message is not None:
                    handler(said.message)
            case "PING":
                self.send(b"PONG" + END)
            case "PONG":
                self._pongs += 1
            case "INFO":
                self.info = json.loads(said.rest)
            case "-ERR":
                words = said.rest.decode(errors="replace")
                self._refusals.append(words.strip().strip("'"))

    # --- what goes wrong --------------------------------------------------------------------------

    def _failed(self, error: Exception) -> EnnioError:
        """What ended it; whoever waits for an answer hears of the same."""
        words = "; ".join(self._refusals)
        reason = Refused(f"{self._settings.shown}: {words}") if words else self._unreachable(error)
        self._over(reason)
        self.close()
        return self._end or reason

    def _over(self, reason: EnnioError) -> None:
        with self._moved:
            self._end = self._end or reason
            self._moved.notify_all()

    def _unreachable(self, error: Exception) -> Unreachable:
        kind = TimedOut if isinstance(error, TimeoutError) else Unreachable
        words = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return kind(f"{self._settings.shown} cannot be reached: {words}")


def _parts(messages: Iterable[Outgoing]) -> Iterator[Sequence[Outgoing]]:
    """The messages in their order, so many together as a stream takes in well."""
    part: list[Outgoing] = []
    size = 0
    for message in messages:
        part.append(message)
        size += len(message.payload)
        if size >= _KEPT_AT_ONCE:
            yield part
            part, size = [], 0
    if part:
        yield part
