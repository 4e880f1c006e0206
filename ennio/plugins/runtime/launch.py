"""Becomes the agent inside its terminal: ``python -I -S launch.py launch.json``.

No shell stands between a prompt and the program, and neither argv nor environment is ever on a
command line: both wait in a file that only its owner can read and that is deleted once read.
Run as a script, this needs the standard library alone.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if __name__ != "__main__":
    from ennio.plugins.runtime import launch_script

if TYPE_CHECKING:
    from ennio.machine.interface import Machine
    from ennio.plugins.runtime.interface import LaunchSpec

NOT_STARTED = 127


def write(machine: Machine, launch: LaunchSpec) -> tuple[str, ...]:
    """Lay the launch file ready (0600) and return the command that becomes the agent."""
    withdraw(machine, launch)  # one with other permissions would keep them
    return _laid(machine, launch)


def write_new(machine: Machine, launch: LaunchSpec) -> tuple[str, ...]:
    """The same. Raises FileExistsError where a launch file lies there: a terminal may be about to
    read it.

    Where none lay, nobody reads the one that was written but the terminal that is now asked for.
    """
    return _laid(machine, launch)


def withdraw(machine: Machine, launch: LaunchSpec) -> None:
    """Remove a launch file that nobody is going to read: it holds secrets."""
    machine.remove([_file(launch)])


def tidy(machine: Machine, launch: LaunchSpec, pid: int | None) -> None:
    """Remove what an earlier order for a launch that stands has left, unless the process of its
    terminal has yet to read it.
    """
    file = _file(launch)
    (there,) = machine.stat([file])
    if isinstance(there, OSError):
        return
    if pid is not None and _has_yet_to_read(machine, file, pid):
        return
    withdraw(machine, launch)


def _has_yet_to_read(machine: Machine, file: Path, pid: int) -> bool:
    """Whether a process will still read it: one that was just forked says what its parent does, and
    in the middle of becoming another program it says nothing.
    """
    words, found = machine.words(pid), machine.processes([pid]).get(pid)
    if str(file) in words or found is None or found.ended:
        return str(file) in words
    return not words or words == machine.words(found.parent)


def _file(launch: LaunchSpec) -> Path:
    return launch.directory.absolute() / "launch.json"


def _laid(machine: Machine, launch: LaunchSpec) -> tuple[str, ...]:
    machine.make_folder(launch.directory, private=True)
    path = _file(launch)
    if machine.name:  # this program does not lie there, and Python may not either
        machine.write(path, launch_script.text(launch, path), new=True)
        return launch_script.command(path)
    told = json.dumps({"argv": launch.argv, "cwd": str(launch.cwd), "env": dict(launch.env)})
    machine.write(path, told.encode("ascii"), new=True)
    return (machine.python, "-I", "-S", "-X", "utf8", str(Path(__file__).absolute()), str(path))


def become(path: str) -> NoReturn:
    """Turn this process into the agent; exits 127 with one clear line when that cannot be.

    ``TERM`` is the terminal's own word, whatever the launch says: only the
    terminal knows what it is.
    """
    with Path(path).open(encoding="ascii") as file:
        launch = json.load(file)
    Path(path).unlink(missing_ok=True)
    env = {**launch["env"], "TERM": os.environ.get("TERM", "xterm-256color")}
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(
            number, signal.SIG_DFL
        )  # this interpreter ignores them, and that would be inherited
    try:
        os.chdir(launch["cwd"])
        os.execvpe(launch["argv"][0], launch["argv"], env)  # noqa: S606  no shell is the point
    except OSError as error:
        print(
            f"ennio could not start {launch['argv'][0]} in {launch['cwd']}: {error.strerror}",
            flush=True,
        )
        sys.exit(NOT_STARTED)


if __name__ == "__main__":
    become(sys.argv[1])
