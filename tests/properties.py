"""With how many examples a property is tried: all of them in CI, a fifth everywhere else, where
tests are run again and again and each run thinks of other ones.
"""

from __future__ import annotations

import os

LEAST = 10
"""Fewer would not even try the corners that hypothesis begins with."""


def examples(in_ci: int) -> int:
    """How many examples to try where CI tries so many."""
    return in_ci if os.environ.get("CI") else min(in_ci, max(LEAST, in_ci // 5))
