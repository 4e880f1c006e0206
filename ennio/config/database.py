"""The database's URL: which file or server it names, wherever somebody happens to stand, and
what of it may be shown.
"""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

MEMORY = "sqlite::memory:"
WAYS = "write sqlite:ennio.db, sqlite::memory: or postgresql://user@host/database"
_PORT = re.compile(r":([^:,\]]*)(?=,|$)")
_SERVERS = ("postgresql://", "postgres://")
_SECRET = ("password", "sslpassword")


def held_by(note: str) -> str:
    """Who works on a database, by what they noted in its lock, and the command that ends them."""
    try:
        who = json.loads(note)
        way = f"ennio stop --config {shlex.quote(who['config'])}"
        return f"that of {who['config']} (pid {who['supervisor']}); end it with: {way}"
    except (ValueError, KeyError, TypeError):
        return f"{note or 'an unknown process'}; end it where it was begun"


def resolved(url: str, directory: Path, home: Callable[[str], str] = os.path.expanduser) -> str:
    """The URL with an absolute path: ``sqlite:ennio.db`` is a file in ``directory``.

    ``sqlite://ennio.db``, ``sqlite:///abs/ennio.db``, ``sqlite:////abs/ennio.db`` (as SQLAlchemy
    has it) and ``?mode=rwc`` are understood too. What was resolved stays as it is. Raises
    ValueError with the words that follow the URL in a message.
    """
    if served(url):
        return _server(url)
    if url in (MEMORY, "sqlite://:memory:"):
        return MEMORY
    if not url.startswith("sqlite:"):
        raise ValueError(f"is no database URL: {WAYS}")
    path = url.removeprefix("sqlite:").removeprefix("//").removesuffix("?mode=rwc")
    if path.startswith("//"):  # a path may begin so, and would be taken for what follows "sqlite:"
        path = "/" + path.lstrip("/")
    if not path or path.endswith("/"):
        raise ValueError("names no database file: write sqlite:ennio.db")
    if "?" in path:
        raise ValueError(
            "has options after its file, which are not understood: write sqlite:ennio.db"
        )
    return f"sqlite:{os.path.abspath(directory / home(path))}"


def _server(url: str) -> str:
    way = "write postgresql://user@host/database (see docs/postgresql.md)"
    try:
        parts = urlsplit(url)
        options = dict(parse_qsl(parts.query, strict_parsing=True)) if parts.query else {}
        _ = [int(port) for port in _PORT.findall(parts.netloc.rpartition("@")[2])]
    except ValueError:
        raise ValueError(
            f"is no address of a PostgreSQL server: {way}"
        ) from None  # what is wrong may be the password
    if not parts.path.strip("/") and "dbname" not in options:
        raise ValueError(f"names no database of the server: {way}")
    return url


def served(url: str) -> bool:
    """Whether a URL names a server rather than a file."""
    return url.startswith(_SERVERS)


def file(url: str) -> Path | None:
    """The file of a resolved URL; None where there is none."""
    if url == MEMORY or not url.startswith("sqlite:"):
        return None
    return Path(url.removeprefix("sqlite:"))


def lock_of(file: Path) -> Path:
    """The lock of a database's file: who holds it alone works on it."""
    return file.with_name(f"{file.name}.lock")


def has_password(url: str) -> bool:
    """Whether a resolved URL holds one itself."""
    parts = urlsplit(url)
    named = any(name in _SECRET for name, _ in parse_qsl(parts.query))
    return served(url) and (parts.password is not None or named)


def shown(url: str) -> str:
    """A resolved URL as anybody may read it: without its password."""
    if not served(url):
        return url
    parts = urlsplit(url)
    user, at, place = parts.netloc.rpartition("@")
    options = [(name, value) for name, value in parse_qsl(parts.query) if name not in _SECRET]
    return parts._replace(
        netloc=f"{user.partition(':')[0]}{at}{place}", query=urlencode(options, safe="/")
    ).geturl()
