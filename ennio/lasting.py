"""What is made while a process begins lasts as long as it does, and is no garbage to look for.

The collector would look a few hundred times while thousands of functions and classes are made, a
quarter of the processor of a start, and find nothing; and each thorough look of a later hour would
go through all of them again. What is set aside is also no longer written to, so that processes that
were forked share it.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


def begin() -> None:
    """From now on what is made lasts, until ``end``."""
    gc.disable()


def end() -> None:
    """Set aside all there is, and let the collector look at what is made from now on."""
    gc.freeze()
    gc.enable()


@contextmanager
def lasting() -> Iterator[None]:
    """What is made within lasts, also where it ends with an error."""
    begin()
    try:
        yield
    finally:
        end()
