"""One document for a report of a fault: what runs, how it is configured, what went wrong last.

No secret is in it. Prompts, messages and transcripts are left out: they are people's words.
"""

from __future__ import annotations

import platform
import re
import sqlite3
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import distributions
from typing import Any

import ennio
from ennio import logs
from ennio.config.model import Config
from ennio.config.secrets import is_secret, masked, secrets
from ennio.logs import Redactor
from ennio.model.clock import rfc3339
from ennio.model.printable import SHORTEST_SECRET

_SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASS|PWD|AUTH|CREDENTIAL|COOKIE|DSN", re.IGNORECASE)
_PLACE = re.compile(r"(?:SOCK|FILE|PATH|DIR|HOME)\Z")
_OWN = re.compile(r"(?:ENNIO_|OTEL_)")
_PACKAGES = re.compile(
    r"(?:pykka|gevent|greenlet|gunicorn|falcon|peewee|marshmallow|pyyaml|psutil|urllib3|psycopg|"
    r"prometheus.client|opentelemetry.*|grpcio|paramiko|nats.*)\Z",
    re.IGNORECASE,
)


def dump(
    config: Config | None,
    environment: Mapping[str, str],
    inside: Mapping[str, Any] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """The document; ``inside`` is what a running supervisor tells of itself."""
    document = {
        "made_at": rfc3339(datetime.now(UTC)),
        "versions": dict(versions()),
        # which are set, not what they say
        "environment": sorted(name for name in environment if _OWN.match(name)),
        "configuration": None if config is None else masked(config),
        "errors": logs.recent.read(),
        **(inside or {}),
        **more,
    }
    without: dict[str, Any] = logs.redacted(document, redactor(config, environment))
    return without


def redactor(config: Config | None, environment: Mapping[str, str]) -> Redactor:
    """One that knows every secret of the configuration, of the environment, and of this process."""
    known = set() if config is None else set(secrets(config))
    return logs.redact.and_also(known | set(_of_environment(environment)))


def _of_environment(environment: Mapping[str, str]) -> list[str]:
    """What stands in variables with a name like a secret's."""
    return [
        value
        for name, value in environment.items()
        if (is_secret(name) or _SECRET_NAME.search(name))
        and len(value) >= SHORTEST_SECRET
        and not _PLACE.search(name)
    ]


@cache
def versions() -> Mapping[str, str]:
    """Of Ennio, of what it stands on, and of the machine."""
    packages = {each.metadata["Name"]: each.version for each in distributions()}
    return {
        "ennio": ennio.__version__,
        "python": sys.version,
        "platform": platform.platform(),
        "sqlite": sqlite3.sqlite_version,
        **{name: packages[name] for name in sorted(packages) if _PACKAGES.match(name)},
    }
