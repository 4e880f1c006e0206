"""Answers to agents' questions by the links of notices, which are their own token."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import falcon

from ennio.actors.orchestrator import AnsweredByLink
from ennio.http.envelope import answer
from ennio.http.operation import Operation, Resource, described
from ennio.http.requests import read_body
from ennio.model.request_fields import TextField


@dataclass(frozen=True, slots=True)
class AnswerLinkBody:
    """The link, as the notice had it."""

    link: Annotated[str, TextField(required=True)]


class AnswersResource(Resource):
    """Takes links. Nobody guesses one of 256 bits, so nobody is counted: a limit for wrong ones
    would let anybody keep a person from the right one.
    """

    @described(
        Operation(
            "Answer an agent's question by a link of a notice, once; the link is the token.",
            AnsweredByLink,
            body=AnswerLinkBody,
            is_open=True,
        )
    )
    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer with what the link stands for."""
        link = read_body(req, AnswerLinkBody).link
        answer(resp, self._orchestrator.sessions.answer_by_link(link))
