"""Sessions as a person names them: by the whole id, by how it begins where that is only one, or by
the branch they work on.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ennio.cli.context import nearest, path
from ennio.model.errors import EnnioError, Invalid, NotFound

if TYPE_CHECKING:
    from ennio.http.client import ApiClient

_WHOLE = re.compile(r".+-[0-9a-f]{8}\Z")
_SHOWN = 5


def whole_id(word: str, client: ApiClient) -> str:
    """The id that is meant. A whole one is not looked up. Raises NotFound with the nearest,
    Invalid when several begin so, or have that branch.
    """
    if _WHOLE.match(word) or not word.strip("."):
        path("/sessions/{}", word)  # what is no id at all is not looked for
        return word
    sessions = client.get("/sessions", all=True)
    known = [str(session["id"]) for session in sessions]
    begun = [word] if word in known else [one for one in known if one.startswith(word)]
    found = begun or _on_branch(word, sessions)
    if len(found) > 1:
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        raise Invalid(
            f"{len(found)} sessions {'begin with' if begun else 'have the branch'} {word!r}: "
            f"{', '.join(found[:_SHOWN])}{more}; write {'more of ' * bool(begun)}the one you mean"
        )
    if not found:
        path("/sessions/{}", word)
        raise NotFound(
            f"no session {word!r}{nearest(word, known)}; `ennio session list` shows them"
        )
    return found[0]


def _on_branch(branch: str, sessions: list[dict[str, Any]]) -> list[str]:
    """Who works on it; of several those that have not ended."""
    there = [one for one in sessions if one["branch"] == branch]
    living = [one for one in there if one["status"] not in ("merged", "done", "killed")]
    return [str(one["id"]) for one in living or there]


def suggested(error: NotFound, word: str, client: ApiClient) -> NotFound:
    """The same error with the session that is nearly called so, where it is about a
    session that is not there.
    """
    if not str(error).startswith(f"no session {word};"):
        return error
    try:
        near = nearest(word, _known(client))
    except EnnioError:
        near = ""
    return NotFound(str(error).replace(f"no session {word};", f"no session {word}{near};", 1))


def _known(client: ApiClient) -> list[str]:
    return [str(session["id"]) for session in client.get("/sessions", all=True)]
