"""``stdin_file.py FILE COMMAND...``: becomes the command, with the file as its standard input."""

import os
import sys

if __name__ == "__main__":
    words = os.open(sys.argv[1], os.O_RDONLY)
    os.dup2(words, 0)
    os.close(words)
    os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606 - that there is no shell is the point
