"""Who may pass, and where to: one file for each launch of an agent, named by a token that is part
of the address the agent is given.

The token is no key of the model's: whoever has it can spend nothing without one.
"""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from ennio.machine.files import write_atomically
from ennio.machine.untrusted import content, json_value
from ennio.proxy.directory import ProxyDirectory

_TOKEN = re.compile(r"[A-Za-z0-9_-]{20,64}")
_LARGEST = 4096


@dataclass(frozen=True, slots=True)
class Grant:
    """One launch of a session may speak to ``upstream``, an address without a slash at its end."""

    session_id: str
    launch: int
    upstream: str


def grant(directory: ProxyDirectory, granted: Grant) -> str:
    """Let it pass; the token by which it is known. An earlier launch of it passes no more."""
    forget(directory, granted.session_id)
    token = secrets.token_urlsafe(24)
    write_atomically(_file(directory, token), json.dumps(asdict(granted)), mode=0o600)
    return token


def granted(directory: ProxyDirectory, token: str) -> Grant | None:
    """What a token lets pass; None for one that nobody was given."""
    return _read(_file(directory, token)) if _TOKEN.fullmatch(token) else None


def forget(directory: ProxyDirectory, session_id: str) -> None:
    """Let a session pass no more."""
    for path in directory.grants.glob("*.json"):
        known = _read(path)
        if known is not None and known.session_id == session_id:
            path.unlink(missing_ok=True)


def _file(directory: ProxyDirectory, token: str) -> Path:
    return directory.grants / f"{token}.json"


def _read(path: Path) -> Grant | None:
    try:
        data = json_value(content(path, _LARGEST))
        return Grant(str(data["session_id"]), int(data["launch"]), str(data["upstream"]))
    except (OSError, ValueError, TypeError, KeyError):
        return None
