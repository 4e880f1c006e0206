"""Where the supervisor's process begins: everything is made cooperative before
anything else is imported.
"""

# The order is the point: what is imported before the patch keeps the blocking versions for good.
from ennio import dataclass_methods, greenlets, lasting

lasting.begin()
greenlets.patch()
dataclass_methods.compile_when_called()

from ennio import children, locks  # noqa: E402

locks.share_with_threads()
children.begin_natively()

import sys  # noqa: E402
from pathlib import Path  # noqa: E402

from ennio.http import serve  # noqa: E402


def main() -> int:
    """Run the supervisor with the arguments of this process; returns the exit code."""
    return serve.main(sys.argv[1:], _boot)


def _boot(config_file: Path, port: int) -> serve.Booted:
    from ennio.boot import boot  # noqa: PLC0415 - what boots is the worker's: the process above it needs none of it

    return boot(config_file, port)


if __name__ == "__main__":
    sys.exit(main())
