"""Where a supervisor begins to which something is to happen: as
``ennio.supervise``, with a boot of our own.
"""

# The order is the point: what is imported before the patch keeps the blocking versions for good.
from ennio import dataclass_methods, greenlets, lasting

lasting.begin()
greenlets.patch()
dataclass_methods.compile_when_called()

from ennio import children, locks  # noqa: E402

locks.share_with_threads()
children.begin_natively()

import os  # noqa: E402
import sys  # noqa: E402
from pathlib import Path  # noqa: E402

from ennio.model import failpoints  # noqa: E402
from tests.faults.fuse import Fuse  # noqa: E402

FUSE = Fuse()
failpoints.install(FUSE)

from ennio.http import serve  # noqa: E402
from tests.faults.wiring import boot  # noqa: E402 - loaded once, for all workers that are to be killed


def main() -> int:
    """Run the supervisor with the arguments of this process; returns the exit code.

    ``ENNIO_FAULT_TIMEOUT`` are the seconds a blocked worker is tolerated.
    """
    FUSE.read_environment()
    serve.TIMEOUT = int(os.environ.get("ENNIO_FAULT_TIMEOUT", serve.TIMEOUT))
    return serve.main(sys.argv[1:], _boot)


def _boot(config_file: Path, port: int) -> serve.Booted:
    return boot(config_file, port, FUSE)


if __name__ == "__main__":
    sys.exit(main())
