"""A repository for trials: it borrows the objects of others and has nothing of its own.

What a trial writes goes with it, and no configuration, hook or attribute of a person or an agent
has a say in it. It reaches no server either: what a partial clone has not fetched is not there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ennio.machine import single
from ennio.machine.interface import Machine
from ennio.plugins.git import Git

_LARGE = 16 << 20  # bytes of the list of commits at which shallow clones end
_SHA256 = 64
_CONFIG = "[core]\n\trepositoryformatversion = 1\n[extensions]\n\tobjectformat = sha256\n"


@contextmanager
def trial_repository(machine: Machine, commons: Sequence[Path], commit: str) -> Iterator[Git]:
    """A bare one over the objects of these; ``commit`` is one of theirs, whose name tells how
    objects are named. Raises OSError.
    """
    folder = machine.temporary_folder()
    try:
        for part in ("objects/info", "refs"):
            machine.make_folder(folder / part)
        objects = [str(common / "objects") for common in dict.fromkeys(commons)]
        machine.write(folder / "objects" / "info" / "alternates", _lines(objects))
        machine.write(folder / "HEAD", b"ref: refs/heads/none\n")
        if len(commit) == _SHA256:
            machine.write(folder / "config", _CONFIG.encode())
        shallow = b"".join(_shallow(machine, common) for common in dict.fromkeys(commons))
        if shallow:
            machine.write(folder / "shallow", shallow)
        yield Git(machine, folder)
    finally:
        machine.remove_tree(folder)


def _lines(words: Sequence[str]) -> bytes:
    return "".join(f"{word}\n" for word in words if "\n" not in word).encode(
        "utf-8", "surrogateescape"
    )


def _shallow(machine: Machine, common: Path) -> bytes:
    path = common / "shallow"
    return single.content(machine, path, _LARGE) if single.is_file(machine, path) else b""
