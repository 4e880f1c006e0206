"""Where the token comes from: the configuration, the environment, or ``gh`` where it is logged in.

A token that nobody wrote into the configuration goes only to the host it was made for, and only
over https: what ``gh`` would send it to. The configuration may name any host.
"""

from __future__ import annotations

import logging
import os
import subprocess
import threading
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

from ennio.plugins.github.address import GitHubAddress
from ennio.plugins.web import is_loopback

log = logging.getLogger(__name__)
_PATIENCE = 10.0
_AGAIN = 60.0  # seconds until gh, which had nothing, is run again
_VARIABLES = ("GH_TOKEN", "GITHUB_TOKEN")
_ENTERPRISE = ("GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN")
_HOST = "GH_HOST"


class TokenSource:
    """One project's token for one server, looked for when it is first
    needed and then remembered.
    """

    def __init__(
        self,
        configured: str | None,
        address: GitHubAddress,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._configured = configured
        self._host = address.host
        self._secret_stays = urlsplit(address.api).scheme == "https" or is_loopback(address.host)
        self._environ = os.environ if environ is None else environ
        self._found: str | None = None
        self._not_before = 0.0
        self._lock = threading.Lock()

    def token(self) -> str | None:
        """The token, or None when there is none anywhere. May run ``gh``; blocks up to 10 s."""
        with self._lock:
            self._found = self._found or self._configured or self._of_environment()
            if self._found is None and self._secret_stays and time.monotonic() >= self._not_before:
                self._found = from_gh(self._host, self._environ)
                self._not_before = time.monotonic() + _AGAIN
            return self._found

    def forget(self) -> None:
        """Look again next time: the server refused this one, and a person
        may have logged in anew.
        """
        with self._lock:
            self._found = None

    def _of_environment(self) -> str | None:
        names = _meant_for(self._host, self._environ) if self._secret_stays else ()
        return next((self._environ[name] for name in names if self._environ.get(name)), None)

    @property
    def missing(self) -> str:
        """Why there is none, and the way out, for when there is none."""
        unused = next((name for name in _ENTERPRISE if self._environ.get(name)), None)
        other = (
            f", or set {_HOST}={self._host} where {unused} is for it"
            if unused and self._environ.get(_HOST) != self._host
            else ""
        )
        plain = "" if self._secret_stays else " (over http only the one that is configured is sent)"
        return (
            f"there is no token for {self._host}{plain}: set token in the configuration, or run "
            f"`{login(self._host)}`{other}"
        )


def login(host: str) -> str:
    """The command that gives ``gh`` a token for a server."""
    return f"gh auth login --hostname {host}"


def _meant_for(host: str, environ: Mapping[str, str]) -> tuple[str, ...]:
    """The variables whose token is for this server, as ``gh`` has it: GitHub's own, and the
    one that ``GH_HOST`` names.
    """
    if host == "github.com":
        return _VARIABLES
    if environ.get(_HOST, "").lower() != host:
        return ()
    return _VARIABLES if host.endswith(".ghe.com") else _ENTERPRISE


def from_gh(host: str, environ: Mapping[str, str]) -> str | None:
    """The token ``gh`` is logged in with on a server; None when it is not
    installed or not logged in.
    """
    argv = ["gh", "auth", "token", "--hostname", host]
    # gh would give a token of the environment for whatever server it is asked for
    own = {
        name: value for name, value in environ.items() if name not in (*_VARIABLES, *_ENTERPRISE)
    }
    try:
        done = subprocess.run(
            argv,
            env=own,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=_PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        log.debug("gh was not asked for a token", extra={"host": host, "error": str(error)})
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None
