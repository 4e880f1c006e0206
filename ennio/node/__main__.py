"""Where the daemon's process begins. It is not made cooperative: gRPC answers from threads."""

from __future__ import annotations

import logging
import os
import sys
from typing import NoReturn

from ennio import logs
from ennio.model.errors import EnnioError
from ennio.node import daemon, options

log = logging.getLogger("ennio.node")


def main() -> int:
    """Run the daemon with the arguments of this process; returns the exit code."""
    logs.to_stderr(())
    logging.getLogger().setLevel(logging.INFO)
    try:
        given = options.read(sys.argv[1:], os.environ)
        os.environ.pop(options.VARIABLE, None)  # it is no business of agents
        daemon.serve(given)
    except (EnnioError, OSError) as error:
        log.error(str(error))  # noqa: TRY400 - words for a person
        return 1
    return 0


def run() -> NoReturn:
    """The same as a program: a call that takes long holds up nobody, as after a kill."""
    code = main()
    logging.shutdown()
    os._exit(code)


if __name__ == "__main__":
    run()
