"""Numbers on the command line that no supervisor looks at: how long one waits, and how much one
reads.
"""

from __future__ import annotations

import argparse

_LONGEST = 10**9
"""Seconds, some thirty years; who writes more than that means something else."""
_MOST = 10**9


def seconds(text: str) -> float:
    """How long is waited; 0 is one look."""
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= _LONGEST:  # nan is neither
        raise argparse.ArgumentTypeError(
            f"{text} is no time to wait: write a number of seconds from 0 to {_LONGEST}"
        )
    return number


def count(text: str) -> int:
    """How many there are to be, at least one."""
    if not (text.isdecimal() and len(text) <= len(str(_MOST)) and 1 <= int(text) <= _MOST):
        raise argparse.ArgumentTypeError(f"{text} is no number from 1 to {_MOST}")
    return int(text)
