"""How a browser gets in; see browser.py."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

import falcon

from ennio.http.browser import CODE_LIFE, COOKIE_LIFE
from ennio.http.openapi.schemas import ANY
from ennio.http.operation import Operation, Resource, described, operation
from ennio.http.requests import read_query
from ennio.http.views import LoginCode
from ennio.model.errors import Invalid
from ennio.model.request_fields import TextField

_OWN_PATH = re.compile(r"/(?![/\\])[!-\[\]-~]*\Z")
"""From the root, in printable ASCII without a backslash: to browsers what begins with two slashes,
of whichever kind, is another machine.
"""


@dataclass(frozen=True, slots=True)
class VisitQuery:
    """The code of a link, and the page that it leads on to: a path of ours, never an address."""

    code: Annotated[str, TextField()]
    next: Annotated[str, TextField(longest=2000)] = "/"


class LoginResource(Resource):
    """Gives out one-time codes, and takes them."""

    @operation("A one-time code for a browser.", LoginCode)
    def on_post(self) -> LoginCode:
        """A code for one visit; who asks has the token already."""
        return LoginCode(self._context.browsers.code(), int(CODE_LIFE.total_seconds()))

    @described(
        Operation(
            "Trade the code for a cookie; leads on with 303.",
            ANY,
            query=VisitQuery,
            media="application/json",
            is_open=True,
        )
    )
    def on_get_visit(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Trade a code for a cookie and go on to the page that was wanted."""
        browsers, query = self._context.browsers, read_query(req, VisitQuery)
        if not _OWN_PATH.match(query.next):  # before the code is used up
            raise Invalid("next: must be a path of this page, such as /s/my-session")
        cookie = browsers.trade(query.code)
        seconds = int(COOKIE_LIFE.total_seconds())
        resp.set_cookie(
            browsers.cookie,
            cookie,
            max_age=seconds,
            path="/",
            http_only=True,
            same_site="Strict",
            secure=False,
        )
        resp.set_header("Referrer-Policy", "no-referrer")
        resp.status = 303
        resp.location = query.next
