"""Whether a repository's address leads to a folder of this machine, and whether two
lead to the same repository.
"""

from __future__ import annotations

from pathlib import Path

from ennio.model import repository_address


def local_path(address: str, beside: Path) -> Path | None:
    """The directory an address names on this machine, or None for one on another host.

    A relative one counts from ``beside``, as git does for an address in a configuration there.
    """
    if address.startswith("file://"):
        return Path(repository_address.local_path(address))
    if "://" in address or "::" in address:
        return None
    path = beside / Path(address).expanduser()
    return path if not repository_address.is_scp(address) or path.exists() else None


def is_same(one: str, other: str, beside: Path) -> bool:
    """Whether two addresses name one repository; ``beside`` is where relative paths count from."""
    return _place(one, beside) == _place(other, beside)


def _place(address: str, beside: Path) -> tuple[str, str]:
    directory = local_path(address, beside)
    if directory is None:
        return repository_address.place(address)
    resolved = directory.resolve()
    return "", str(resolved.parent if resolved.name == ".git" else resolved)
