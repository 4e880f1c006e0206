"""Leads standard input and output through a door: ``python -I -S through.py SOCKET ...``.

Git runs it in place of ``git-receive-pack`` and ``git-upload-pack``, with the repository's name as
one more word; which repository it is was settled on the other side. The standard library only.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import threading

_PIECE = 65536


def main(door: str) -> int:
    """Both ways until both ends are done; 1 when nobody opens."""
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(door)
        except OSError as error:
            print(f"nobody opens {door}: {error.strerror}", file=sys.stderr)
            return 1
        threading.Thread(target=_out, args=(connection,), daemon=True).start()
        with contextlib.suppress(OSError):
            while piece := connection.recv(_PIECE):
                while piece:
                    piece = piece[os.write(1, piece) :]
    return 0


def _out(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := os.read(0, _PIECE):
            connection.sendall(piece)
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_WR)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
