"""A program for a terminal: asks for bracketed paste and writes down every byte it is given.

``python runtime_recorder.py FILE``; SIGUSR1 makes it exit with code 3.
"""

import os
import signal
import sys
import tty
from pathlib import Path


def main() -> None:
    signal.signal(signal.SIGUSR1, lambda *_: os._exit(3))
    tty.setraw(0)
    with Path(sys.argv[1]).open("wb", buffering=0) as file:
        os.write(1, b"\x1b]2;a|title\x07\x1b[?2004hREADY \xc3\xa9\r\n")
        while data := os.read(0, 1 << 16):
            file.write(data)


if __name__ == "__main__":
    main()
