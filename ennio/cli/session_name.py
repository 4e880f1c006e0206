"""Sessions as a person names them: by the whole id, or by how it begins where that is only one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ennio.cli.context import nearest, path
from ennio.model.errors import EnnioError, Invalid, NotFound

if TYPE_CHECKING:
    from ennio.http.client import ApiClient

_WHOLE = re.compile(r".+-[0-9a-f]{8}\Z")
_SHOWN = 5


def whole_id(word: str, client: ApiClient) -> str:
    """The id that is meant. A whole one is not looked up. Raises NotFound with the nearest,
    Invalid when several begin so.
    """
    path("/sessions/{}", word)  # what is no id at all is not looked for
    if _WHOLE.match(word):
        return word
    known = _known(client)
    found = [word] if word in known else [one for one in known if one.startswith(word)]
    if len(found) > 1:
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        raise Invalid(
            f"{len(found)} sessions begin with {word!r}: {', '.join(found[:_SHOWN])}{more}; write "
            "more of the one you mean"
        )
    if not found:
        raise NotFound(
            f"no session {word!r}{nearest(word, known)}; `ennio session list` shows them"
        )
    return found[0]


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
