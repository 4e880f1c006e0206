"""The command line: ``python <this folder> DIRECTORY``."""

from gevent import monkey

monkey.patch_all()

import sys  # noqa: E402 - what it imports must find itself patched
from pathlib import Path  # noqa: E402

if __name__ == "__main__":
    # Python has put this folder there; what is imported below lives above it, installed or not.
    sys.path[0] = str(Path(__file__).absolute().parents[2])
    from ennio.proxy.serving import main

    sys.exit(main(Path(sys.argv[1])))
