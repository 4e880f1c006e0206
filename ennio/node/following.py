"""A stream of answers, read by a thread of its own for whoever comes to ask for the next one."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any

import grpc

_AHEAD = 16
"""Answers that are read before somebody asks for them; the other side waits beyond."""
LASTS = 60.0
"""Seconds that a stream lasts; nobody may be there any more who would end it."""


class Following:
    """One stream, begun with ``begin`` (its call, given the seconds that it lasts)."""

    def __init__(self, begin: Callable[[float], Any], lasts: float = LASTS) -> None:
        self._answers: queue.Queue[Any] = queue.Queue(_AHEAD)
        self._call = begin(lasts)
        self._lasts = lasts
        self.over = False
        self._reader = threading.Thread(target=self._read, name="follow", daemon=True)
        self._reader.start()

    @property
    def is_read(self) -> bool:
        """Whether it has ended, and all of it was read, or given up."""
        return not self._reader.is_alive()

    def next(self, timeout: float) -> Any:
        """The next answer; None when the time (seconds) is up, or it has ended well. Raises
        RpcError, once, as it ended otherwise.
        """
        if self.over:
            return None
        try:
            told = self._answers.get(timeout=timeout) if timeout > 0 else self._answers.get_nowait()
        except queue.Empty:
            return None
        if told is None or isinstance(told, grpc.RpcError):
            self.over = True
        if isinstance(told, grpc.RpcError) and told.code() is not grpc.StatusCode.DEADLINE_EXCEEDED:
            raise told
        return None if self.over else told

    def end(self) -> None:
        """Listen no more."""
        self.over = True
        self._call.cancel()

    def _read(self) -> None:
        try:
            for answer in self._call:
                self._answers.put(answer, timeout=self._lasts)
            self._answers.put(None, timeout=self._lasts)
        except queue.Full:
            self._call.cancel()  # nobody has asked for long
        except grpc.RpcError as error:
            if not self.over:
                self._put_last(error)

    def _put_last(self, error: Any) -> None:
        try:
            self._answers.put(error, timeout=self._lasts)
        except queue.Full:
            self.over = True
