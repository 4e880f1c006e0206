"""What lies in a working copy, told apart by what git knows of it: nothing there is overlooked
because git does not look.

The walk is a program of its own (``walk.py``): a tree of a hundred thousand files must not
stop the process that asks. On another machine ``find`` lists it (``far_walk.py``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ennio.machine.interface import Command, CompletedCommand, Machine
from ennio.model.errors import Refused, TimedOut
from ennio.plugins.workspace.far_walk import FarWalk

LIMIT = 900.0
Looked = tuple[CompletedCommand, Sequence[str]]
_PROGRAM = Path(__file__).with_name("walk.py")


@dataclass(frozen=True, slots=True)
class Inventory:
    """``ignored``: path and bytes of what git was told to ignore. ``special``: path and
    kind of what has no content.

    ``repositories`` are folders with a ``.git`` that was not known of. ``lost`` are paths, each
    with the reason, that nobody accounts for or that cannot be read.
    """

    ignored: tuple[tuple[str, int], ...] = ()
    special: tuple[tuple[str, str], ...] = ()
    repositories: tuple[str, ...] = ()
    lost: tuple[tuple[str, str], ...] = ()


def take(
    machine: Machine,
    root: Path,
    known: Iterable[str],
    dirty: Iterable[str],
    ignored: Iterable[str],
    elsewhere: Iterable[str],
) -> Inventory:
    """Walk a working copy. ``dirty`` paths must be readable; ``elsewhere`` are folders that are
    looked at by themselves.

    Blocks, without work in this process. Raises TimedOut, and Refused when the walk fails.
    """
    done, records = (
        _far(machine, root, known, dirty, ignored, elsewhere)
        if machine.name
        else _near(machine, root, known, dirty, ignored, elsewhere)
    )
    if done.overdue is not None:
        raise TimedOut(f"looking through {root} did not end within {LIMIT:g} s")
    if done.code != 0:
        last = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:] or [
            f"it ended with {done.code}"
        ]
        raise Refused(f"{root} could not be looked through: {last[0]}")
    return _read(records)


def _far(machine: Machine, root: Path, *told: Iterable[str]) -> Looked:
    """On another machine, where nothing of ours lies, and Python may not either."""
    tracked, dirty, ignored, elsewhere = (frozenset(paths) for paths in told)
    return FarWalk(machine, root, tracked, dirty, ignored, elsewhere, LIMIT).run()


def _near(machine: Machine, root: Path, *told: Iterable[str]) -> Looked:
    given = "\0".join(
        f"{kind}{path}" for kind, paths in zip("kdin", told, strict=True) for path in paths
    ).encode("utf-8", "surrogateescape")
    words = (machine.python, "-I", "-S", str(_PROGRAM), str(root))
    done = machine.run(Command(words, stdin=given, timeout=LIMIT))
    return done, done.stdout.decode("utf-8", "surrogateescape").split("\0")[:-1]


def _read(records: Sequence[str]) -> Inventory:
    found: dict[str, list[tuple[str, str]]] = {"i": [], "s": [], "g": [], "l": []}
    for record in records:
        word, _, path = record[1:].partition("\t")
        found[record[0]].append((path, word))
    ignored = tuple((path, int(size)) for path, size in sorted(found["i"]))
    return Inventory(
        ignored,
        tuple(sorted(found["s"])),
        tuple(path for path, _ in sorted(found["g"])),
        tuple(sorted(found["l"])),
    )
