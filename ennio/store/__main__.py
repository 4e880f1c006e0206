"""Says whether a database can be used, its server or its file: ``python -m ennio.store``,
with its address on stdin, for it may hold a password.

Prints what it is, or why it cannot be used, and then ends with the exit code of that error.
Nothing is changed there.
"""

from __future__ import annotations

import sys

from ennio.config import database
from ennio.model.errors import EnnioError
from ennio.store.opening import look_through


def main() -> int:
    """Look, and say so in a line."""
    try:
        url = sys.stdin.read().strip()
        if (file := database.file(url)) is not None:
            look_through(file)
            return 0
        from ennio.store.postgres import Postgres  # noqa: PLC0415 - a file needs no driver of it

        server = Postgres(url)
        print(f"PostgreSQL {server.version()}")
        server.close()
    except EnnioError as error:
        print(error)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
