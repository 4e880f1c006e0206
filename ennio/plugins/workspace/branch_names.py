"""Names that a branch cannot have beside those that are there."""

from __future__ import annotations

from collections.abc import Iterable

from ennio.model.branch import blocked, blocker, twin
from ennio.model.errors import Refused
from ennio.plugins.git import redacted


def refuse_twin(branch: str, names: Iterable[str], repo: str) -> None:
    """Raise Refused where one of the names differs from the branch in letter case alone; to be
    asked where git says that file names do not tell it apart.
    """
    other = twin(branch, names)
    if other is not None:
        raise Refused(
            f"branch {branch} and the branch {other} of {redacted(repo)} differ in letter case "
            "alone, which file names here do not tell apart (git config core.ignorecase), so git "
            "would take one for the other: choose another name"
        )


def refuse_beside(branch: str, names: Iterable[str], where: str) -> None:
    """Raise Refused where git can make no such branch beside one of these, which are ``where``."""
    other = blocker(branch, names)
    if other is not None:
        raise Refused(
            f"branch {blocked(branch, f'{other} in {where}')}: choose another name, or rename or "
            f"delete {other} first"
        )
