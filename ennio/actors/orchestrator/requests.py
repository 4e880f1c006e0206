"""Requests that may be sent again: what the first one of a key was answered."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from ennio.actors.dependencies import Dependencies
from ennio.model.errors import EnnioError
from ennio.model.failpoints import failpoint
from ennio.model.idempotency import IdempotentRequest

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RequestApi:
    """What can be asked of requests that carry a key."""

    deps: Dependencies

    def answered(self, request: IdempotentRequest) -> str | None:
        """The answer the first one got; None where there was none yet. Raises Conflict for
        a key of another request.
        """
        done = self.deps.store.idempotency.find(request, self.deps.clock.now())
        return None if done is None else done.answer

    @failpoint("order.keep")
    def keep(self, request: IdempotentRequest, answer: str) -> None:
        """Keep the answer for whoever asks again. What was done stands without it:
        then it is answered anew.
        """
        try:
            self.deps.store.idempotency.answer(request, answer)
        except EnnioError as error:
            log.warning(
                "an answer could not be kept", extra={"key": request.key, "error": str(error)}
            )
