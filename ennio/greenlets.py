"""What makes a process one of greenlets: the standard library, patched before anything else is
imported.
"""

from __future__ import annotations

from importlib import metadata

from gevent import monkey


def patch() -> None:
    """Patch all of the standard library; call it before anything else is imported.

    gevent looks 25 times among all installed distributions whether one wants to be told of it, each
    time at every one's files: a seventh of a second of each start. Here it looks once.
    """
    looked_up = metadata.entry_points
    metadata.entry_points = looked_up().select
    try:
        monkey.patch_all()
    finally:
        metadata.entry_points = looked_up
