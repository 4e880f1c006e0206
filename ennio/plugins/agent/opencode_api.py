"""OpenCode's own HTTP API, used for two things: to hand over words, and to answer the very
permission that it asks for.

What a person has begun to type stays as it is. Its screen tells by a colour alone which choice is
marked, so keys could confirm another one. It listens on loopback only, behind a password of the
session's own. The format is that of its ``/doc``:

    GET  /permission              [{id, sessionID, permission, patterns, metadata}], all that it
         waits for
    POST /permission/{id}/reply   {reply: "once" | "always" | "reject"}
    POST /session                 {}, the answer has its id
    POST /session/{id}/prompt_async   {parts: [{type: "text", text}], model?: {providerID,
                                      modelID}}, answered by 204
    POST /tui/select-session      {sessionID}, so that the terminal shows it
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ennio.machine import at_place, single
from ennio.machine.interface import Machine
from ennio.model.errors import Refused, Unreachable
from ennio.plugins.agent.dialog_choices import DialogChoice, chosen
from ennio.plugins.agent.interface import AgentContext

USER = "ennio"
_PATIENCE = 3.0
_ELSEWHERE = "attach to its terminal and answer there"
_REPLIES = {"Allow once": "once", "Allow always": "always", "Reject": "reject"}
_CHOICES = tuple(DialogChoice(number, words) for number, words in enumerate(_REPLIES, 1))


@dataclass(frozen=True, slots=True)
class OpenCodeServer:
    """Where the API of one session listens, and the password that opens it."""

    port: int
    password: str

    def ask(
        self, machine: Machine, method: str, path: str, body: Mapping[str, Any] | None = None
    ) -> Any:
        """The document of an answer (nothing in it is an empty one), None when there is no such
        thing. Raises Unreachable.
        """
        try:
            answer = at_place.ask(
                *(machine, self.port, method, path, body),
                user=USER,
                password=self.password,
                patience=_PATIENCE,
            )
            if answer.status == 204:
                return {}
            if answer.status == 404:
                return None
            known = json.loads(answer.body) if answer.status == 200 else None
        except (Unreachable, ValueError) as error:
            raise Unreachable(
                f"opencode's API on port {self.port} did not answer; {_ELSEWHERE}"
            ) from error
        if answer.status != 200:
            raise Unreachable(f"opencode's API answered {answer.status}; {_ELSEWHERE}")
        return known


def path_of(context: AgentContext) -> Path:
    """The file of the session's folder that says where its server is."""
    return context.directory / "opencode-api.json"


def save(context: AgentContext, server: OpenCodeServer) -> None:
    """Write it there, for its owner only."""
    single.write_text(context.machine, path_of(context), json.dumps(asdict(server)))


def load_server(context: AgentContext) -> OpenCodeServer | None:
    """The server that is kept there; None when there is none."""
    try:
        told = json.loads(single.content(context.machine, path_of(context), 4096))
        return OpenCodeServer(int(told["port"]), str(told["password"]))
    except (OSError, ValueError, LookupError, TypeError):
        return None


def server_for(context: AgentContext) -> OpenCodeServer:
    """The server to start with: the one it had, unless somebody else took the port meanwhile.

    A start that is ordered again, because nobody knows whether it happened,
    must not lock out what runs. Raises Unreachable where no port can be had.
    """
    known, machine = load_server(context), context.machine
    free = None if known is None else at_place.free_port(machine, known.port)
    if known is not None and (free is not None or _is_answering(machine, known)):
        return known
    port = at_place.free_port(machine)
    if port is None:
        raise Unreachable("no port for opencode's API can be had")
    return OpenCodeServer(port, known.password if known else secrets.token_urlsafe(24))


def tell(
    machine: Machine,
    server: OpenCodeServer | None,
    conversation: str | None,
    text: str,
    model: str | None,
) -> None:
    """Hand words to a conversation, or to a new one that the terminal then shows. Raises
    Unreachable, and Refused when it is gone.
    """
    if server is None:
        raise Unreachable(f"nobody knows where opencode's API listens; {_ELSEWHERE}")
    begun = conversation or str((server.ask(machine, "POST", "/session", {}) or {}).get("id"))
    provider, _, name = (model or "").partition("/")
    wanted = (
        {"model": {"providerID": provider, "modelID": name}}
        if conversation is None and name
        else {}
    )
    if (
        server.ask(
            machine,
            "POST",
            f"/session/{begun}/prompt_async",
            {"parts": [{"type": "text", "text": text}], **wanted},
        )
        is None
    ):
        raise Refused(
            f"opencode knows no conversation {begun}; attach to its terminal to see which it has"
        )
    if conversation is None:
        server.ask(machine, "POST", "/tui/select-session", {"sessionID": begun})


def reply(machine: Machine, server: OpenCodeServer, screen: str, text: str) -> bool:
    """Answer the permission that it waits for; False when it waits for none.

    Raises Refused when the answer fits no choice or nobody can tell which of several it
    is for, and Unreachable.
    """
    waiting = [
        single
        for single in server.ask(machine, "GET", "/permission") or ()
        if isinstance(single, Mapping)
    ]
    if not waiting:
        return False
    meant = _REPLIES[chosen(_CHOICES, text).words]
    permission = _shown(waiting, screen)
    if (
        server.ask(machine, "POST", f"/permission/{permission['id']}/reply", {"reply": meant})
        is None
    ):
        raise Refused("the question was answered elsewhere just now; nothing was confirmed")
    return True


def _shown(waiting: list[Mapping[str, Any]], screen: str) -> Mapping[str, Any]:
    """The one of them that is on the screen."""
    if len(waiting) > 1:
        seen = _bare(screen)
        waiting = [
            single
            for single in waiting
            if all(_bare(pattern) in seen for pattern in single.get("patterns") or [""])
        ]
    if len(waiting) != 1:
        raise Refused(f"it asks for several permissions at once; {_ELSEWHERE}")
    return waiting[0]


def _bare(text: object) -> str:
    return "".join(str(text).replace("┃", "").split())


def _is_answering(machine: Machine, server: OpenCodeServer) -> bool:
    try:
        return server.ask(machine, "GET", "/permission") is not None
    except Unreachable:
        return False
