"""Who may pass, and where to: a file for each address that a launch of an agent may speak to, named
by a token that is part of the address the agent is given.

The token is no key of the model's: whoever has it can spend nothing without one.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from ennio.machine.files import write_atomically
from ennio.machine.untrusted import content, json_value
from ennio.proxy.directory import ProxyDirectory

_TOKEN = re.compile(r"[A-Za-z0-9_-]{20,64}")
_LARGEST = 4096
_MOST = 4096
_KNOWN: dict[tuple[str, int, int], Grant | None] = {}
"""What was read, by the file as it was then: a grant is looked up for every request."""


@dataclass(frozen=True, slots=True)
class Grant:
    """One launch of a session may speak to ``upstream``, an address without a slash at its end.

    ``name`` tells it from others of the same launch.
    """

    session_id: str
    launch: int
    upstream: str
    name: str = ""


def grant(
    directory: ProxyDirectory, session_id: str, launch: int, upstreams: Mapping[str, str]
) -> Mapping[str, str]:
    """Let a launch pass to these addresses, each by a name; the tokens by which it is known, by
    the same names.

    Asked again for the same launch it answers the same: an agent that runs already keeps what it
    was given. An earlier launch passes no more.
    """
    kept: dict[str, str] = {}
    for token, known in _all(directory):
        if known.session_id != session_id:
            continue
        if known.launch == launch and upstreams.get(known.name) == known.upstream:
            kept[known.name] = token
        else:
            _file(directory, token).unlink(missing_ok=True)
    missing = {name: url for name, url in upstreams.items() if name not in kept}
    return kept | {
        name: _add(directory, Grant(session_id, launch, url, name)) for name, url in missing.items()
    }


def granted(directory: ProxyDirectory, token: str) -> Grant | None:
    """What a token lets pass; None for one that nobody was given."""
    if not _TOKEN.fullmatch(token):
        return None
    file = directory.grant_file(token)
    try:
        state = os.stat(file)
    except OSError:
        return None
    as_it_is = (file, state.st_ino, state.st_mtime_ns)
    if as_it_is not in _KNOWN:
        if len(_KNOWN) >= _MOST:
            _KNOWN.clear()
        _KNOWN[as_it_is] = _read(Path(file))
    return _KNOWN[as_it_is]


def sessions(directory: ProxyDirectory) -> frozenset[str]:
    """Whoever may pass."""
    return frozenset(known.session_id for _, known in _all(directory))


def forget(directory: ProxyDirectory, session_id: str) -> None:
    """Let a session pass no more."""
    for token, known in _all(directory):
        if known.session_id == session_id:
            _file(directory, token).unlink(missing_ok=True)


def _add(directory: ProxyDirectory, granted: Grant) -> str:
    token = secrets.token_urlsafe(24)
    write_atomically(_file(directory, token), json.dumps(asdict(granted)), mode=0o600)
    return token


def _all(directory: ProxyDirectory) -> Iterator[tuple[str, Grant]]:
    for path in directory.grants.glob("*.json"):
        known = _read(path)
        if known is not None:
            yield path.stem, known


def _file(directory: ProxyDirectory, token: str) -> Path:
    return Path(directory.grant_file(token))


def _read(path: Path) -> Grant | None:
    try:
        data = json_value(content(path, _LARGEST))
        return Grant(
            str(data["session_id"]),
            int(data["launch"]),
            str(data["upstream"]),
            str(data.get("name", "")),
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
