"""What becomes the agent inside its terminal on a machine where nothing but a POSIX shell is sure:
a script that only its owner can read, and that removes itself before anything else.

Everything in it is quoted by one function; no word is ever looked at by the shell.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ennio.plugins.runtime.interface import LaunchSpec

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_BEGIN = 'exec env -i TERM="$TERM" sh "$1"'
"""With nothing of the environment of tmux but the terminal's own word of what it is."""
_END = """\
cd -- {cwd} || {{ printf '%s\\n' {nowhere}; exit 127; }}
command -v {program} >/dev/null 2>&1 || {{ printf '%s\\n' {missing}; exit 127; }}
exec {words}
"""


def command(path: Path) -> tuple[str, ...]:
    """What is asked of tmux: it runs the script in an empty environment."""
    return ("sh", "-c", _BEGIN, "ennio", str(path))


def text(launch: LaunchSpec, path: Path) -> bytes:
    """The script that lies at a path."""
    program = launch.argv[0]
    failed = f"ennio could not start {program} in {launch.cwd}: No such file or directory"
    lines = [f"rm -f -- {_quoted(str(path))}"]
    lines += [
        f"{name}={_quoted(value)}; export {name}"
        for name, value in launch.env.items()
        if name != "TERM" and _VARIABLE.match(name)
    ]
    end = _END.format(
        cwd=_quoted(str(launch.cwd)),
        nowhere=_quoted(failed),
        program=_quoted(program),
        missing=_quoted(failed),
        words=" ".join(map(_quoted, launch.argv)),
    )
    return ("\n".join(lines) + "\n" + end).encode("utf-8", "surrogateescape")


def _quoted(text: str) -> str:
    if "\0" in text:
        raise ValueError("embedded null byte")
    return shlex.quote(text)
