"""The bell of a session: with it its agent's hooks say "look again", and can say nothing else.

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
from ennio.machine.home import private
from ennio.store import Store

FILE = "bell.json"
_ANYWHERE = ("", "0.0.0.0", "::", "*")  # noqa: S104 - compared with, not bound to


def hang(deps: Dependencies, session_id: str) -> None:
    """Give the session a bell with a new token; the one before it is silent from now on."""
    token = secrets.token_urlsafe(24)
    deps.store.meta.set(_key(session_id), _digest(token))
    path = private(deps.home.session(session_id)) / FILE
    draft = path.with_suffix(".new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), 0o600)  # a draft that was left there may have had other rights
        file.write(json.dumps({**_door(deps, session_id), "token": token}))
    draft.replace(path)


def rehang(deps: Dependencies, session_id: str) -> None:
    """Make sure that the session's bell rings here: the one that hangs there stays when it does, as it is nobody else's to read."""
    bell = _hanging(deps.home.session(session_id) / FILE)
    token = bell.pop("token", None)
    if bell != _door(deps, session_id) or not isinstance(token, str) or not known(deps.store, session_id, token):
        hang(deps, session_id)


def take_down(store: Store, session_id: str) -> None:
    """No bell rings for this session any more."""
    store.meta.forget(_key(session_id))


def _door(deps: Dependencies, session_id: str) -> dict[str, object]:
    host = "127.0.0.1" if deps.config.host in _ANYWHERE else deps.config.host
    return {"host": host, "port": deps.config.port, "path": f"/api/v1/sessions/{session_id}/look"}


def _hanging(path: Path) -> dict[str, object]:
    """What the file says; nothing when it is not whole, or not its owner's alone."""
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), encoding="utf-8") as file:
            state = os.fstat(file.fileno())
            told = json.load(file) if (state.st_uid, state.st_mode) == (os.geteuid(), stat.S_IFREG | 0o600) else None
    except (OSError, ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def known(store: Store, session_id: str, token: str) -> bool:
    """Whether this is the token of the session's bell."""
    kept = store.meta.get(_key(session_id))
    return kept is not None and hmac.compare_digest(kept, _digest(token))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


def _key(session_id: str) -> str:
    return f"bell:{session_id}"
