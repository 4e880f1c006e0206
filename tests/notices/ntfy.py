"""ntfy's side of publishing, as its documentation has it: fields, limits, sequences and deletion."""

from __future__ import annotations

import re

from tests.notices.hook_server import HookServer, Reply, Told

_FIELDS = {
    "topic": str, "message": str, "title": str, "tags": list, "priority": int, "actions": list,
    "click": str, "attach": str, "markdown": bool, "icon": str, "filename": str, "delay": str,
    "email": str, "call": str, "sequence_id": str,
}  # fmt: skip
_ACTION = {"action", "label", "url", "clear", "method", "headers", "body", "id", "value"}
_ID = re.compile(r"[-_A-Za-z0-9]{1,64}\Z")


class Ntfy(HookServer):
    """A server with one topic, and (``token``) who may use it; ``shown`` is what a phone shows."""

    def __init__(self, topic: str, token: str | None = None) -> None:
        super().__init__()
        self.topic, self.token = topic, token
        self.shown: dict[str, dict[str, object]] = {}
        self.published: list[dict[str, object]] = []
        self.down = False

    def next(self, told: Told) -> Reply:
        self.told.append(told)
        if self.down:
            return Reply(503)
        if self.token is not None and told.headers.get("authorization") != f"Bearer {self.token}":
            return Reply(403, b'{"code":40301,"http":403,"error":"forbidden"}')
        if told.method == "GET" and told.path == f"/{self.topic}/auth":
            return Reply(200, b'{"success":true}')
        if told.method == "DELETE":
            self.shown.pop(told.path.rpartition("/")[2], None)
            return Reply(200, b"{}")
        fault = _fault(told, self.topic)
        if fault is not None:
            self.faults.append(fault)
            return Reply(400, f'{{"code":40000,"http":400,"error":"{fault}"}}'.encode())
        self.published.append(told.body)
        self.shown[told.body["sequence_id"]] = told.body
        return Reply(200, b'{"id":"abcdefghijkl","event":"message"}')


def _fault(told: Told, topic: str) -> str | None:
    body = told.body
    if told.path != "/" or told.method not in ("POST", "PUT"):
        return "no such place"
    wrong = [key for key, value in body.items() if not isinstance(value, _FIELDS.get(key, ()))]
    if wrong:
        return f"not a field, or not of its kind: {wrong}"
    if body.get("topic") != topic or not 1 <= body.get("priority", 3) <= 5:
        return "topic or priority invalid"
    if len(body["message"].encode()) > 4096:
        return "the message would be a file"
    actions = body.get("actions", [])
    if len(actions) > 3 or any(set(one) - _ACTION or not one.get("label") for one in actions):
        return "actions invalid"
    if any(one["action"] not in ("view", "http", "broadcast", "copy") for one in actions):
        return "no such action"
    return None if _ID.match(body.get("sequence_id", "x")) else "sequence ID invalid"
