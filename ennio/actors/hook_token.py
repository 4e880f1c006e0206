"""The hook token of a session: with it its agent's hooks say "look again", and can say nothing else.

Each launch gets a token of its own, which stays when only the supervisor starts again. The agent's side
of it lies in the session's folder (``bell.json``, 0600); ours keeps only a digest.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import stat
from pathlib import Path

from ennio.actors.dependencies import Dependencies
from ennio.machine.files import write_atomically
from ennio.machine.home import private
from ennio.store import Store

FILE = "bell.json"
_ANYWHERE = ("", "0.0.0.0", "::", "*")  # noqa: S104 - compared with, not bound to


def issue(deps: Dependencies, session_id: str) -> None:
    """Give the session's hooks a new token; the one before it opens nothing from now on."""
    token = secrets.token_urlsafe(24)
    deps.store.meta.set(_key(session_id), _digest(token))
    path = private(deps.home.session(session_id)) / FILE
    write_atomically(path, json.dumps({**_address(deps, session_id), "token": token}))


def renew(deps: Dependencies, session_id: str) -> None:
    """Make sure that the session's token is ours and leads here: the one that was issued stays when it is and does."""
    hook_token = _issued(deps.home.session(session_id) / FILE)
    token = hook_token.pop("token", None)
    if hook_token != _address(deps, session_id) or not isinstance(token, str) or not verify(deps.store, session_id, token):
        issue(deps, session_id)


def revoke(store: Store, session_id: str) -> None:
    """No hook of this session is let in any more."""
    store.meta.forget(_key(session_id))


def _address(deps: Dependencies, session_id: str) -> dict[str, object]:
    host = "127.0.0.1" if deps.config.host in _ANYWHERE else deps.config.host
    return {"host": host, "port": deps.config.port, "path": f"/api/v1/sessions/{session_id}/look"}


def _issued(path: Path) -> dict[str, object]:
    """What the file says; nothing when it is not whole, or not its owner's alone."""
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), encoding="utf-8") as file:
            state = os.fstat(file.fileno())
            told = json.load(file) if (state.st_uid, state.st_mode) == (os.geteuid(), stat.S_IFREG | 0o600) else None
    except (OSError, ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def verify(store: Store, session_id: str, token: str) -> bool:
    """Whether this is the hook token of the session."""
    kept = store.meta.get(_key(session_id))
    return kept is not None and hmac.compare_digest(kept, _digest(token))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


def _key(session_id: str) -> str:
    return f"bell:{session_id}"
