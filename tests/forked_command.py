"""``python -I -S forked_command.py ADDRESS WORD ...``: ``ennio`` with these words, its process
forked from the server at this address (see ``tests/fork_server.py``).

It sends its words, folder, environment and streams there, waits, and ends as the command does. It
loads next to nothing: that is what it is for. Where there can be no fork, it becomes ``python -m
ennio.cli``.
"""

import _socket
import marshal
import os
import sys


def main(address: str, words: list[str]) -> int:
    """The exit code of the command; who was ended by a signal ends us so too."""
    order = marshal.dumps((words, os.getcwd(), dict(os.environb)))
    streams = b"".join(number.to_bytes(4, sys.byteorder) for number in range(3))
    server = _socket.socket(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
    try:
        server.connect(address)
        server.sendmsg([order], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, streams)])
        answer = server.recv(64)
    except OSError:  # no such server, streams that are closed, words that are too long
        answer = b"real"
    if answer == b"real":
        os.execv(sys.executable, [sys.executable, "-m", "ennio.cli", *words])  # noqa: S606 - that there is no shell is the point
    code = int(answer or 1)
    if code < 0:
        os.kill(os.getpid(), -code)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
