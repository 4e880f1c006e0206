"""How a browser gets in; see browser.py."""

from __future__ import annotations

from collections.abc import Mapping

import falcon

from ennio.http.browser import CODE_LIFE, COOKIE_LIFE, Browsers
from ennio.http.envelope import answer
from ennio.http.fields import RequestField, TextField
from ennio.http.requests import read_body, read_query
from ennio.http.views import LoginCode

VISIT: Mapping[str, RequestField] = {"code": TextField(required=True)}


class LoginResource:
    """Gives out one-time codes, and takes them."""

    def __init__(self, browsers: Browsers) -> None:
        self._browsers = browsers

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """A code for one visit; who asks has the token already."""
        read_body(req, {})
        answer(resp, LoginCode(self._browsers.code(), int(CODE_LIFE.total_seconds())))

    def on_get_visit(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Trade a code for a cookie and go on to the first page."""
        cookie = self._browsers.trade(read_query(req, VISIT)["code"])
        seconds = int(COOKIE_LIFE.total_seconds())
        resp.set_cookie(self._browsers.cookie, cookie, max_age=seconds, path="/", http_only=True, same_site="Strict", secure=False)
        resp.set_header("Referrer-Policy", "no-referrer")
        resp.status = 303
        resp.location = "/"
