"""The bell of a session: with it its agent's hooks say "look again", and can say nothing else.

Each launch gets a token of its own. The agent's side of it lies in the session's folder (``bell.json``,
0600); ours keeps only a digest.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets

from ennio.actors.parts import Parts
from ennio.home import private
from ennio.store import Store

FILE = "bell.json"
_ANYWHERE = ("", "0.0.0.0", "::", "*")  # noqa: S104 - compared with, not bound to


def hang(parts: Parts, session_id: str) -> None:
    """Give the session a bell with a new token; the one before it is silent from now on."""
    token = secrets.token_urlsafe(24)
    parts.store.meta.set(_key(session_id), _digest(token))
    host = "127.0.0.1" if parts.config.host in _ANYWHERE else parts.config.host
    bell = {"host": host, "port": parts.config.port, "path": f"/api/v1/sessions/{session_id}/look", "token": token}
    path = private(parts.home.session(session_id)) / FILE
    draft = path.with_suffix(".new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(json.dumps(bell))
    draft.replace(path)


def known(store: Store, session_id: str, token: str) -> bool:
    """Whether this is the token of the session's bell."""
    kept = store.meta.get(_key(session_id))
    return kept is not None and hmac.compare_digest(kept, _digest(token))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


def _key(session_id: str) -> str:
    return f"bell:{session_id}"
