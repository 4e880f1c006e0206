"""A node to which something is to happen: as ``ennio.node``, with the fuse of the tests, which is
installed before the rest is imported.
"""

from __future__ import annotations

from ennio.model import failpoints
from tests.faults.fuse import Fuse

FUSE = Fuse()
FUSE.read_environment()
failpoints.install(FUSE)

from ennio.node.__main__ import run  # noqa: E402

if __name__ == "__main__":
    run()
