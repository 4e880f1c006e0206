"""Where a running supervisor is found: ``supervisor.json`` and ``api_token`` in its run folder.

    supervisor.lock   held by the supervisor as long as it lives; the kernel lets go of it
    supervisor.json   {"pid", "url", "started_at", "config"}
    api_token         0600, only when the configuration sets no token

Who holds the lock is running: a pid can be another's by now, and a file outlives a crash.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from ennio.machine import files
from ennio.machine.untrusted import json_file

_LARGEST = 64 * 1024
ADDRESS = "supervisor.json"
TOKEN = "api_token"  # noqa: S105 - the name of a file
LOCK = "supervisor.lock"


@dataclass(frozen=True, slots=True)
class SupervisorAddress:
    """A supervisor: the pid to signal, the base URL, when it started (RFC
    3339), its configuration file.
    """

    pid: int
    url: str
    started_at: str
    config: str

    @property
    def since(self) -> str:
        """When it started, for people: by the clock here, to the second; what a damaged file says
        as it stands.
        """
        try:
            then = datetime.fromisoformat(self.started_at).astimezone()
        except (ValueError, OverflowError):
            return self.started_at
        return then.strftime("%Y-%m-%d %H:%M:%S")


def write(run_dir: Path, address: SupervisorAddress) -> None:
    """Tell where this supervisor is; readers see the old file or the whole new one."""
    files.write_atomically(run_dir / ADDRESS, json.dumps(asdict(address)))


def read(run_dir: Path) -> SupervisorAddress | None:
    """What the file says, whether or not that supervisor still runs;
    None without a readable one.
    """
    try:
        document = json_file(run_dir / ADDRESS, _LARGEST)
        return SupervisorAddress(
            int(document["pid"]),
            str(document["url"]),
            str(document["started_at"]),
            str(document["config"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def running(run_dir: Path) -> SupervisorAddress | None:
    """The supervisor that runs right now, or None."""
    return read(run_dir) if locked(run_dir) else None


def remove(run_dir: Path) -> None:
    """Forget the address; fine if there is none."""
    (run_dir / ADDRESS).unlink(missing_ok=True)


def locked(run_dir: Path) -> bool:
    """Whether some process holds this instance."""
    return files.is_held(run_dir / LOCK)


def take(run_dir: Path) -> int | None:
    """Hold this instance until the process and its children end, or None when another does.

    Returns the descriptor that holds it. Children keep it: a worker whose arbiter was killed is
    still the old instance.
    """
    return files.acquire(run_dir / LOCK)


def token(run_dir: Path, config_token: str | None) -> str:
    """The token of this instance: the configured one, else one made at the first start and kept.

    A configured token is never written down; a made one that it replaces is removed.
    """
    if config_token:
        (run_dir / TOKEN).unlink(missing_ok=True)
        return config_token
    return known_token(run_dir) or _make_token(run_dir)


def known_token(run_dir: Path) -> str | None:
    """The token that was made for this instance, or None: then it is in the configuration."""
    with suppress(OSError, UnicodeDecodeError):
        path = run_dir / TOKEN
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
        return path.read_text("ascii").strip() or None
    return None


def _make_token(run_dir: Path) -> str:
    from secrets import token_urlsafe  # noqa: PLC0415 - every command reads here, few make one

    made = token_urlsafe(32)
    files.write_atomically(run_dir / TOKEN, made + "\n")
    return made
