"""The whole log of a check that ran here, read from its file."""

from __future__ import annotations

from pathlib import Path

from ennio.model.check_log import LONGEST_LOG, CheckLog, LogPart
from ennio.model.errors import NotFound
from ennio.model.local_forge import CheckRow, PullRow
from ennio.model.printable import settled


def read(row: PullRow, checks: tuple[CheckRow, ...], check: str, part: LogPart) -> CheckLog:
    """A part of the log of one check of the head, by its name or id. Raises NotFound."""
    found = next((one for one in checks if check in (one.name, _id(row, one))), None)
    if found is None:
        names = ", ".join(one.name for one in checks) or "none has begun"
        raise NotFound(
            f"#{row.number} has no check {check!r} on {row.head[:10]}; there are: {names}"
        )
    if found.log is None:
        raise NotFound(f"check {found.name} of #{row.number} has not printed anything yet")
    content = _content(Path(found.log), f"ennio pr rerun {row.project_id}#{row.number}")
    return part.of(_id(row, found), found.name, found.state, row.head, content)


def _id(row: PullRow, check: CheckRow) -> str:
    return f"{row.head}/{check.name}/{check.run}"


def _content(log: Path, again: str) -> bytes:
    """As it would be read in the end: without escape codes and lines that were overwritten."""
    try:
        with log.open("rb") as file:
            raw = file.read(LONGEST_LOG)
    except OSError as error:
        raise NotFound(
            f"the log {log} cannot be read ({error.strerror}): run the check again with: {again}"
        ) from error
    return settled(raw.decode("utf-8", "replace")).encode("utf-8", "replace")
