"""Gives the terminal back when the board is killed in a way that it cannot notice itself."""

from __future__ import annotations

import subprocess
from contextlib import suppress

_WATCH = """\
trap '' HUP INT TERM QUIT TTOU TSTP
read -r said
[ "$said" = fine ] && exit 0
printf '%b' "$1" >&3
stty sane <&3
"""


class TerminalGuard:
    """A shell that waits for the end of the board, and sets the terminal right if that came without
    a word.
    """

    def __init__(self, terminal: int, leave: str) -> None:
        told = leave.replace("\x1b", "\\033")
        script = f"exec 3>&1\n{_WATCH}"
        self._shell: subprocess.Popen[bytes] | None = None
        with suppress(OSError):  # a machine without a shell has none to set right either
            self._shell = subprocess.Popen(
                ["/bin/sh", "-c", script, "sh", told],
                stdin=subprocess.PIPE,
                stdout=terminal,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )

    def dismiss(self) -> None:
        """The board ends well."""
        shell, self._shell = self._shell, None
        if shell is None or shell.stdin is None:
            return
        with suppress(OSError):
            shell.stdin.write(b"fine\n")
            shell.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            shell.wait(2)
