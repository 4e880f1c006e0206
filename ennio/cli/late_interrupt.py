"""Ctrl-C while the supervisor is making something: what was made is told first."""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # not signal: its enums take longer to load
from contextlib import suppress
from types import FrameType

PATIENCE = 3.0
"""Seconds that the answer may take after a Ctrl-C."""


class LateInterrupt:
    """Holds Ctrl-C back from the moment something is ordered: what was made is told first.

    A second one, or the end of ``PATIENCE``, is a KeyboardInterrupt at once.
    """

    def __init__(self) -> None:
        self.came = False

    def hold(self) -> None:
        """From here on one is noted; where Ctrl-C is ignored, or somebody else's, it stays so."""
        if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
            with suppress(ValueError):  # only the main thread is told of signals
                _signal.signal(_signal.SIGINT, self._note)

    def answered(self) -> None:
        """The answer is there: nothing is waited for any more, and what came is still noted."""
        if self.came:
            _signal.setitimer(_signal.ITIMER_REAL, 0.0)

    def release(self) -> None:
        """Ctrl-C is what it was; raises KeyboardInterrupt where one came."""
        with suppress(ValueError):
            if _signal.getsignal(_signal.SIGINT) == self._note:
                _signal.signal(_signal.SIGINT, _signal.default_int_handler)
        if self.came:
            raise KeyboardInterrupt

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        if self.came:
            raise KeyboardInterrupt
        self.came = True
        _signal.signal(_signal.SIGALRM, _signal.default_int_handler)
        _signal.setitimer(_signal.ITIMER_REAL, PATIENCE)
