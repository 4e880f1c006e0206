"""Says whether the server of a database answers: ``python -m ennio.store``, with its address on
stdin, for it may hold a password.

Prints what it is, or why it cannot be used, and then ends with the exit code of that error.
Nothing is changed there.
"""

from __future__ import annotations

import sys

from ennio.model.errors import EnnioError
from ennio.store.postgres import Postgres


def main() -> int:
    """Look, and say so in a line."""
    try:
        server = Postgres(sys.stdin.read().strip())
        print(f"PostgreSQL {server.version()}")
        server.close()
    except EnnioError as error:
        print(error)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
