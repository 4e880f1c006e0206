"""Where the configuration file is: named by the person, or found walking up from where they stand.

Every command starts here, so nothing heavy is imported.
"""

from __future__ import annotations

import os
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ennio.model.errors import NotFound

NAMES = ("ennio.yaml", "ennio.yml", ".ennio.yaml", ".ennio.yml")
"""What the file may be called; the first that exists in a folder is taken."""


def find(start: Path, explicit: Path | None = None) -> Path:
    """The absolute path of the configuration file that holds for ``start``.

    ``explicit`` wins and may be a folder. Raises NotFound naming the places
    looked at and the way out.
    """
    if explicit is not None:
        return _named(start, explicit)
    start = Path(os.path.abspath(start))
    for folder in (start, *start.parents):
        for name in NAMES:
            if (folder / name).is_file():
                return folder / name
    raise _lost(
        f"no {NAMES[0]} in {start} or any folder above it{_but(start)}: `ennio init` writes one, "
        "`--config FILE` names one"
    )


def in_the_way(start: Path) -> Path | None:
    """What is called as the file would be and is a folder, from ``start`` upwards; it is passed
    over, but nothing can be written there.
    """
    places = (folder / name for folder in (start, *start.parents) for name in NAMES)
    return next((place for place in places if place.is_dir()), None)


def _but(folder: Path) -> str:
    found = in_the_way(folder)
    return f" ({found} is a folder: move it away)" if found else ""


def _named(start: Path, explicit: Path) -> Path:
    path = Path(os.path.abspath(start / os.path.expanduser(explicit)))
    if path.is_dir():
        for name in NAMES:
            if (path / name).is_file():
                return path / name
        raise _lost(f"no {NAMES[0]} in the folder {path}{_but(path)}: {_init(path)} writes one")
    if not path.exists():
        raise _lost(f"there is no configuration file {path}: {_init(path)} writes one there")
    return path


def _init(path: Path) -> str:
    """What writes one there: `ennio init` takes what is called as no file is for a folder."""
    from shlex import quote  # noqa: PLC0415 - see above

    folder = path.parent if path.suffix in (".yaml", ".yml") and not path.is_dir() else path
    made = "" if folder.is_dir() else f"mkdir -p {quote(str(folder))} && "
    return f"`{made}ennio init {quote(str(path))}`"


def _lost(message: str) -> NotFound:
    from ennio.model.errors import NotFound  # noqa: PLC0415 - it brings dataclasses: half of this module's import time

    return NotFound(message)
