"""Who may ask a node: whoever has its token."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import grpc

from ennio.machine.files import write_atomically
from ennio.model.errors import Refused

_SCHEME = "Bearer "
_REFUSED = "the call carries no valid token (metadata `authorization: Bearer <token>`)"


class NodeAccess:
    """Compares tokens in constant time, by their digests; ``token`` None lets everybody in."""

    def __init__(self, token: str | None) -> None:
        self._digest = None if token is None else _digest(token)

    def allows(self, metadata: Iterable[tuple[str, str | bytes]]) -> bool:
        """Whether a call with these metadata may be answered."""
        if self._digest is None:
            return True
        given = [value for key, value in metadata if key == "authorization"]
        words = given[0] if len(given) == 1 and isinstance(given[0], str) else ""
        told = words[len(_SCHEME) :] if words.startswith(_SCHEME) else ""
        return hmac.compare_digest(_digest(told), self._digest)


class TokenGate(grpc.ServerInterceptor):  # type: ignore[misc]
    """Stands before every call, documented or not, before its message is read."""

    def __init__(self, access: NodeAccess) -> None:
        self._access = access
        self._refusal = grpc.unary_unary_rpc_method_handler(_refuse)

    def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        """Let it by, or have it refused."""
        if self._access.allows(handler_call_details.invocation_metadata or ()):
            return continuation(handler_call_details)
        return self._refusal


def kept_token(path: Path) -> str:
    """The token in a file of ours, made if need be. Raises Refused for a file
    that others can read.
    """
    try:
        state = path.stat()
        token = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        token = secrets.token_urlsafe(32)
        write_atomically(path, f"{token}\n".encode())
        return token
    if state.st_mode & 0o077 or not token:
        raise Refused(f"{path} is not a token that only its owner can read: remove it")
    return token


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _refuse(request: Any, context: Any) -> None:
    del request
    context.abort(grpc.StatusCode.UNAUTHENTICATED, _REFUSED)
