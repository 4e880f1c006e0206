"""The hook token of a session: with it its agent's hooks say "look again",
and can say nothing else.

Each launch gets a token of its own, which stays when only the supervisor starts again. The agent's
side of it lies in the session's folder (``bell.json``, 0600); ours keeps only a digest.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from ennio.actors.dependencies import Dependencies
from ennio.hosts.brief import HookAddress
from ennio.model.session import Session
from ennio.store import Store

_ANYWHERE = ("", "0.0.0.0", "::", "*")  # noqa: S104 - compared with, not bound to


def issue(deps: Dependencies, session_id: str) -> HookAddress:
    """A new token for the session's hooks, and where they bring it; the one before it
    opens nothing from now on.
    """
    token = secrets.token_urlsafe(24)
    deps.store.agents.save_hook_digest(session_id, _digest(token))
    return _address(deps, session_id, token)


def renew(deps: Dependencies, session: Session) -> None:
    """Make sure that the session's token is ours and leads here: the one that was issued
    stays when it is and does.
    """
    host = deps.host(session)
    issued = host.hooks(session.id)
    if (
        issued is None
        or issued != _address(deps, session.id, issued.token)
        or not verify(deps.store, session.id, issued.token)
    ):
        host.lead_hooks(session.id, issue(deps, session.id))


def _address(deps: Dependencies, session_id: str, token: str) -> HookAddress:
    host = "127.0.0.1" if deps.config.host in _ANYWHERE else deps.config.host
    return HookAddress(host, deps.config.port, f"/api/v1/sessions/{session_id}/look", token)


def verify(store: Store, session_id: str, token: str) -> bool:
    """Whether this is the hook token of the session."""
    kept = store.agents.get(session_id).hook_digest
    return kept is not None and hmac.compare_digest(kept, _digest(token))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
