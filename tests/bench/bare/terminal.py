"""Prints its port, and passes the bytes of a pseudo-terminal on over a WebSocket, both ways."""

from __future__ import annotations

import os
import pty
import threading

from websockets.sync.server import ServerConnection, serve


def _pass(connection: ServerConnection) -> None:
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvp("cat", ["cat"])  # noqa: S606 - no shell is what is wanted

    def shown() -> None:
        while data := os.read(terminal, 65536):
            connection.send(data)

    threading.Thread(target=shown, daemon=True).start()
    for typed in connection:
        os.write(terminal, typed.encode() if isinstance(typed, str) else typed)


if __name__ == "__main__":
    with serve(_pass, "127.0.0.1", 0, compression=None) as server:
        print(server.socket.getsockname()[1], flush=True)
        server.serve_forever()
