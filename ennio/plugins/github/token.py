"""Where the token comes from: the configuration, the environment, or ``gh`` where it is logged in."""

from __future__ import annotations

import logging
import os
import subprocess
import threading
import time
from collections.abc import Mapping

log = logging.getLogger(__name__)
_PATIENCE = 10.0
_AGAIN = 60.0  # seconds until gh, which had nothing, is run again
_VARIABLES = ("GH_TOKEN", "GITHUB_TOKEN")
_ENTERPRISE = ("GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN")


class TokenSource:
    """One project's token for one server, looked for when it is first needed and then remembered."""

    def __init__(self, configured: str | None, host: str, environ: Mapping[str, str] | None = None) -> None:
        self._configured = configured
        self._host = host
        self._environ = os.environ if environ is None else environ
        self._found: str | None = None
        self._not_before = 0.0
        self._lock = threading.Lock()

    def token(self) -> str | None:
        """The token, or None when there is none anywhere. May run ``gh``; blocks up to 10 s."""
        with self._lock:
            self._found = self._found or self._configured or self._of_environment()
            if self._found is None and time.monotonic() >= self._not_before:
                self._found = from_gh(self._host, self._environ)
                self._not_before = time.monotonic() + _AGAIN
            return self._found

    def forget(self) -> None:
        """Look again next time: the server refused this one, and a person may have logged in anew."""
        with self._lock:
            self._found = None

    def _of_environment(self) -> str | None:
        names = _VARIABLES if self._host == "github.com" else _ENTERPRISE
        return next((self._environ[name] for name in names if self._environ.get(name)), None)


def from_gh(host: str, environ: Mapping[str, str]) -> str | None:
    """The token ``gh`` is logged in with on a server; None when it is not installed or not logged in."""
    argv = ["gh", "auth", "token", "--hostname", host]
    try:
        done = subprocess.run(
            argv, env=dict(environ), stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", timeout=_PATIENCE, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        log.debug("gh was not asked for a token", extra={"host": host, "error": str(error)})
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None
