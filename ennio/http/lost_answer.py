"""What is said of an order whose answer did not come: it may have been carried out."""

from __future__ import annotations

from collections.abc import Mapping

_LOOKS = (
    (r"/sessions/([^/]+)", "ennio session info {}"),
    (r"/sessions", "ennio session list"),
    (r"/projects/([^/]+)/pulls/([^/]+)", "ennio pr show {}#{}"),
    (r"/projects/([^/]+)/pulls", "ennio pr list {}"),
    (r"/projects/([^/]+)/issues", "ennio issue list {}"),
    (r"/budgets", "ennio budget list"),
    (r"/queue", "ennio queue list"),
)
"""What shows whether it was done, by the beginning of the path."""


def may_be_done(
    method: str, path: str, query: Mapping[str, object], body: Mapping[str, object] | None
) -> str:
    """That it may have been done, and the command that tells; empty for what only asks."""
    if method == "GET" or query.get("dry_run") or (body or {}).get("dry_run"):
        return ""
    return f"; it may have been done, which says: {_look(path)}"


def _look(path: str) -> str:
    import re  # noqa: PLC0415 - whoever asks pays for none of it
    import shlex  # noqa: PLC0415
    from urllib.parse import unquote  # noqa: PLC0415

    for beginning, command in _LOOKS:
        if (found := re.match(f"{beginning}(?=/|$)", path)) is not None:
            return command.format(*(shlex.quote(unquote(part)) for part in found.groups()))
    return "ennio status"
