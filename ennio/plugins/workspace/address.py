"""Whether a repository's address leads to a folder of the machine, and whether two
lead to the same repository.
"""

from __future__ import annotations

from pathlib import Path

from ennio.machine import single
from ennio.machine.interface import Machine
from ennio.model import repository_address


def local_path(machine: Machine, address: str, beside: Path) -> Path | None:
    """The directory an address names on that machine, or None for one on another host.

    A relative one counts from ``beside``, as git does for an address in a configuration there.
    """
    if address.startswith("file://"):
        return Path(repository_address.local_path(address))
    if "://" in address or "::" in address:
        return None
    path = beside / single.expanded(machine, address)
    plain = not repository_address.is_scp(address) or single.exists(machine, path)
    return path if plain else None


def is_same(machine: Machine, one: str, other: str, beside: Path) -> bool:
    """Whether two addresses name one repository; ``beside`` is where relative paths count from."""
    return _place(machine, one, beside) == _place(machine, other, beside)


def _place(machine: Machine, address: str, beside: Path) -> tuple[str, str]:
    directory = local_path(machine, address, beside)
    if directory is None:
        return repository_address.place(address)
    resolved = single.real(machine, directory)
    return "", str(resolved.parent if resolved.name == ".git" else resolved)
