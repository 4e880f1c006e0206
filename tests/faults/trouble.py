"""What a forge in trouble answers: errors, garbage, another shape, half a body, limits with
and without a time to wait.
"""

from __future__ import annotations

from collections.abc import Mapping

from tests.github.standin.server import Trouble

_LIMITED = (
    '{"message": "You have exceeded a secondary rate limit. Please wait a few minutes before you '
    'try again."}'
)
TROUBLE: Mapping[str, Trouble] = {
    "500": Trouble(500, '{"message": "Server Error"}'),
    "502": Trouble(502, "<html><h1>502 Bad Gateway</h1></html>", {"Content-Type": "text/html"}),
    "garbage": Trouble(200, "\x00\x01 no JSON at all }{"),
    "another-shape": Trouble(200, '{"data": {"repository": 7}, "errors": "none"}'),
    "a-list": Trouble(200, "[]"),
    "null": Trouble(200, "null"),
    "half": Trouble(200, '{"data": {"repository": {"pullRe', {"Content-Length": "5000"}),
    "403": Trouble(403, _LIMITED),
    "403-retry-after": Trouble(403, _LIMITED, {"Retry-After": "300"}),
    "429": Trouble(429, _LIMITED),
    "429-retry-after": Trouble(429, _LIMITED, {"Retry-After": "300"}),
    "429-retry-after-nonsense": Trouble(429, _LIMITED, {"Retry-After": "soon"}),
}
