"""How the supervisor logs: one line an entry to stderr, and no secret in any of it.

``time LEVEL name: message key=value ...``; the keys are those given as ``extra``. Everything that
goes to stderr passes here, also tracebacks that nobody logged: what is a secret of the
configuration, or looks like one, is replaced by ``***``. On request each entry is a JSON object.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, TextIO
from urllib.parse import quote

from ennio.model.printable import MASK, SHORTEST_SECRET, json_text, printable

FIRST = ("session", "project", "plugin", "node", "attempt", "actor", "error")
_OWN = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
_PLAIN = re.compile(r"[^\s\"'=\\]+\Z")
_LOOKS = (
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{6,}"), rf"\1 {MASK}"),
    (
        re.compile(
            r"(?i)\b(authorization['\"]?\s*[:=]\s*['\"]?)(?!bearer\b|basic\b)[^\s'\",;]{6,}"
        ),
        rf"\1{MASK}",
    ),
    (re.compile(r"(\b[A-Za-z][A-Za-z0-9+.-]*://[^/@:\s]*):[^/@\s]+@"), rf"\1:{MASK}@"),
    (
        re.compile(
            r"\b(gh[opsur]_|github_pat_|lin_api_|lin_oauth_|xox[abprs]-|sk-)[A-Za-z0-9_-]{6,}"
        ),
        rf"\1{MASK}",
    ),
)


class Redactor:
    """Knows what must not be read, and takes it out of texts."""

    def __init__(self) -> None:
        self._words: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def learn(self, secrets: Collection[str]) -> None:
        """Take out these from now on, beside those known before."""
        self._words.update(
            form for secret in secrets if len(secret) >= SHORTEST_SECRET for form in _forms(secret)
        )
        longest_first = sorted(self._words, key=len, reverse=True)
        self._pattern = (
            re.compile("|".join(map(re.escape, longest_first))) if longest_first else None
        )

    def and_also(self, secrets: Collection[str]) -> Redactor:
        """One that knows these too; this one does not learn them."""
        other = Redactor()
        other._words = set(self._words)
        other.learn(secrets)
        return other

    def __call__(self, text: str) -> str:
        """The text without secrets."""
        if self._pattern is not None:
            text = self._pattern.sub(MASK, text)
        for pattern, instead in _LOOKS:
            text = pattern.sub(instead, text)
        return text


def _forms(secret: str) -> Iterator[str]:
    """A secret as texts may show it: as it is, in a URL, in Python's and in
    JSON's quotes, line by line.
    """
    yield from (
        secret,
        quote(secret, safe=""),
        quote(secret),
        repr(secret)[1:-1],
        json.dumps(secret)[1:-1],
    )
    yield from (line for line in secret.splitlines() if len(line) >= SHORTEST_SECRET)


class Formatter(logging.Formatter):
    """One line an entry; what follows of a message or a traceback is indented."""

    def __init__(self, redact: Redactor) -> None:
        super().__init__()
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        """The entry without secrets."""
        return self._redact(super().format(record))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """Time, level, name, words and keys."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        words = record.getMessage().replace("\n", "\n    ")
        return " ".join([f"{at} {record.levelname} {record.name}: {words}", *_keys(record)])

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's name
        """The traceback, indented."""
        return "    " + super().formatException(ei).replace("\n", "\n    ")


def _keys(record: logging.LogRecord) -> Iterator[str]:
    """The extra keys, those that say whom it is about first."""
    given = {key: value for key, value in record.__dict__.items() if key not in _OWN}
    for key in [*(key for key in FIRST if key in given), *sorted(set(given) - set(FIRST))]:
        value = str(given[key])
        yield f"{key}={value if _PLAIN.match(value) else json.dumps(value, ensure_ascii=False)}"


class JsonFormatter(logging.Formatter):
    """One JSON object an entry: ``time``, ``level``, ``logger``, ``message``, the extra keys as
    they are, and ``exception`` where there is one.

    Each text is without secrets before it is written as JSON, so that nothing of JSON is taken out.
    """

    def __init__(self, redact: Redactor) -> None:
        super().__init__()
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        """The entry without secrets."""
        entry = _entry(record.created, record.levelname, record.name, record.getMessage())
        extra = {key: value for key, value in record.__dict__.items() if key not in _OWN}
        entry |= {f"{key}_" if key in _ENTRY else key: value for key, value in extra.items()}
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json_line(entry, self._redact)


_OURS = ("time", "level", "logger")
"""What the program itself says in an entry."""
_ENTRY = (*_OURS, "message", "exception")


def _entry(at: float, level: str, logger: str, message: str) -> dict[str, Any]:
    when = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
    return {"time": when, "level": level, "logger": logger, "message": message}


def json_line(entry: Mapping[str, Any], redact: Redactor) -> str:
    """An entry as one line of ASCII."""
    told = {key: value if key in _OURS else _told(value, redact) for key, value in entry.items()}
    return json_text(json.dumps(told))


def _told(value: Any, redact: Redactor) -> Any:
    text = redact(str(value))
    plain = value is None or isinstance(value, bool | int | float)
    return value if plain and text == str(value) else text


def redacted(document: Any, redact: Redactor) -> Any:
    """A document of JSON without secrets, in names too."""
    match document:
        case dict():
            return {redact(str(name)): redacted(item, redact) for name, item in document.items()}
        case list() | tuple():
            return [redacted(item, redact) for item in document]
    return _told(document, redact)


class Guarded:
    """A stream that nothing secret gets through, and nothing that steers a terminal; for the rest
    it is the stream it stands before.

    With ``as_json`` each line that nobody logged (a traceback of a library) is an entry too.
    """

    def __init__(self, stream: TextIO, redact: Redactor) -> None:
        self._stream = stream
        self._redact = redact
        self._ready: Callable[[], None] | None = None
        self._begun = ""
        self.as_json = False

    def before_each(self, ready: Callable[[], None]) -> None:
        """Have this called before every write."""
        self._ready = ready

    def write(self, text: str) -> int:
        """Write the text without secrets; returns the length of what was given."""
        if self.as_json:
            *lines, self._begun = (self._begun + text).split("\n")
            for line in filter(str.strip, lines):
                entry = _entry(time.time(), "ERROR", "stderr", line)
                self.write_entry(json_line(entry, self._redact) + "\n")
        else:
            self.write_entry(printable(self._redact(text)))
        return len(text)

    def write_entry(self, text: str) -> None:
        """Write what holds no secret and steers nothing."""
        if self._ready is not None:
            self._ready()
        self._stream.write(text)

    def writelines(self, lines: Collection[str]) -> None:
        """Write several texts."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class _Entries:
    """Stderr for entries, which are without secrets already and whole."""

    def __init__(self, stream: Guarded) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        """Write an entry, or the line end behind it."""
        self._stream.write_entry(text if self._stream.as_json else printable(text))

    def flush(self) -> None:
        """See that it gets out."""
        self._stream.flush()


class _ToStderr(logging.StreamHandler[_Entries]):
    """Where entries go."""


class Recent(logging.Handler):
    """The last warnings and errors, as they were logged, for whoever asks what went wrong."""

    def __init__(self, redact: Redactor, many: int = 200) -> None:
        super().__init__(logging.WARNING)
        self.setFormatter(Formatter(redact))
        self._kept: deque[str] = deque(maxlen=many)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        self._kept.append(printable(self.format(record)))

    def read(self) -> tuple[str, ...]:
        """Those that are kept, oldest first."""
        return tuple(self._kept)


redact = Redactor()
"""Knows every secret that this process was told of."""
recent = Recent(redact)
"""The last warnings and errors of this process."""


def to_stderr(
    secrets: Collection[str], level: int = logging.INFO, *, as_json: bool | None = None
) -> None:
    """Have everything logged on stderr, and these secrets kept out of it. May be called
    again with more secrets, or another form; None leaves that as it is, which is text at first.
    """
    redact.learn(secrets)
    if not isinstance(sys.stderr, Guarded):
        sys.stderr = Guarded(sys.stderr, redact)
    if as_json is not None:
        sys.stderr.as_json = as_json
    root = logging.getLogger()
    if not root.handlers:
        root.addHandler(_ToStderr(_Entries(sys.stderr)))
        root.addHandler(recent)
        root.setLevel(level)
        # an actor that refuses what it was asked answers so;
        # pykka would tell of each with its whole traceback
        logging.getLogger("pykka").setLevel(logging.WARNING)
    form = JsonFormatter if sys.stderr.as_json else Formatter
    for handler in root.handlers:
        if isinstance(handler, _ToStderr):
            handler.setFormatter(form(redact))


def before_each(ready: Callable[[], None]) -> None:
    """Have this called before anything is written to stderr; after ``to_stderr``."""
    if isinstance(sys.stderr, Guarded):
        sys.stderr.before_each(ready)
