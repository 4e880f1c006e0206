"""Answers to agents' questions by the links of notices, which are their own token."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Annotated

import falcon

from ennio.actors.orchestrator import AnsweredByLink
from ennio.http.envelope import answer
from ennio.http.operation import ApiContext, Operation, Resource, described
from ennio.http.requests import read_body
from ennio.model.errors import Unauthorized
from ennio.model.request_fields import TextField

WRONG, WITHIN = 20, 60.0
"""So many links that hold no more are looked up in so many seconds; then nobody is answered."""


@dataclass(frozen=True, slots=True)
class AnswerLinkBody:
    """The link, as the notice had it."""

    link: Annotated[str, TextField(required=True)]


class AnswersResource(Resource):
    """Takes links; whoever tries many that are none waits."""

    def __init__(self, context: ApiContext) -> None:
        super().__init__(context)
        self._wrong: deque[float] = deque(maxlen=WRONG)

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
        link = read_body(req, AnswerLinkBody).link  # what holds none is no try
        now = self._orchestrator.clock.running()
        if len(self._wrong) == WRONG and now - self._wrong[0] < WITHIN:
            raise falcon.HTTPTooManyRequests(
                description="too many links that hold no more; try again in a minute",
                retry_after=int(WITHIN),
            )
        try:
            answer(resp, self._orchestrator.sessions.answer_by_link(link))
        except Unauthorized:
            self._wrong.append(now)
            raise
