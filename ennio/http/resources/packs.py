"""What a reviewer wants to know of a session's pull request: one page, and the files it shows."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote

import falcon

from ennio.actors.orchestrator import ReviewPack
from ennio.http.openapi.schemas import TEXT
from ennio.http.operation import Operation, Resource, described, operation
from ennio.http.requests import read_query
from ennio.model.request_fields import TextField
from ennio.model.review_pack import NamedFile, NamedKind

_POLICY = "default-src 'none'; sandbox; frame-ancestors 'none'"
"""Nothing in a file of an agent's is run or loaded, in whatever a browser makes of it."""


@dataclass(frozen=True, slots=True)
class PackFileQuery:
    """Which of the files that the agent named, by its path in the pack."""

    path: Annotated[str, TextField(longest=4096)]


class PacksResource(Resource):
    """Of a session named by its id."""

    @operation(
        "What a reviewer wants to know of its pull request: checks, changes, cost, what its agent "
        "says and the files it named.",
        ReviewPack,
    )
    def on_get(self, session_id: str) -> ReviewPack:
        """The page of a session."""
        return self._orchestrator.packs.pack(self._known(session_id))

    @described(
        Operation(
            "A file that its agent named: a picture, or anything else as text or to be saved.",
            TEXT,
            query=PackFileQuery,
            media="application/octet-stream",
        )
    )
    def on_get_file(self, req: falcon.Request, resp: falcon.Response, session_id: str) -> None:
        """Its bytes, as what is in it says and never as its name does."""
        path = read_query(req, PackFileQuery).path
        found = self._orchestrator.packs.file(self._known(session_id), path)
        resp.content_type, resp.data = found.file.media, base64.b64decode(found.content)
        resp.set_header("Content-Disposition", _disposition(found.file))
        resp.set_header("Content-Security-Policy", _POLICY)
        resp.set_header("Cross-Origin-Resource-Policy", "same-origin")
        resp.set_header("Referrer-Policy", "no-referrer")


def _disposition(file: NamedFile) -> str:
    how = "attachment" if file.kind is NamedKind.OTHER else "inline"
    name = quote(file.path.rpartition("/")[2], safe="")
    return f"{how}; filename*=UTF-8''{name}"
