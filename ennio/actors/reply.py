"""An answer that an actor owes: its mailbox goes on, and who asked waits for it."""

from __future__ import annotations

from typing import Any

import gevent
import pykka
from gevent.event import AsyncResult

from ennio.model.errors import EnnioError


class Reply:
    """Returned in place of an answer; ``ActorRegistry.ask`` waits for what it brings."""

    def __init__(self) -> None:
        self._result: AsyncResult = AsyncResult()

    def set(self, value: Any = None) -> None:
        """Answer."""
        self._result.set(value)

    def fail(self, error: EnnioError) -> None:
        """Answer with an error."""
        self._result.set_exception(error)

    @property
    def failed(self) -> bool:
        """Whether it was answered with an error."""
        return self._result.ready() and not self._result.successful()

    def get(self, timeout: float) -> Any:
        """The answer, or the error it is. Raises pykka.Timeout when it does not come in time."""
        try:
            return self._result.get(timeout=timeout)
        except gevent.Timeout as late:
            raise pykka.Timeout(f"no answer within {timeout:g} s") from late
